"""What a person sees while a rehearsal goes on, and the table at its end."""

import contextlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress as RichProgress
from rich.progress import SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A step that has ended, and how long it took."""

    name: str
    seconds: float
    ok: bool


def _console() -> Console:
    """Lines in a log file or a pipeline are not cut to the 80 columns of a terminal that is not there."""
    # The `:secret:` of an ARN is no emoji.
    terminal = Console(highlight=False, soft_wrap=True, emoji=False)
    return terminal if terminal.is_terminal else Console(highlight=False, soft_wrap=True, emoji=False, width=160)


@dataclass(kw_only=True)
class Progress:
    """Phases with elapsed time: a spinner on a terminal, plain lines everywhere else."""

    console: Console = field(default_factory=_console)
    phases: list[Phase] = field(default_factory=list)
    _spinner: RichProgress | None = None
    _task: TaskID | None = None
    _name: str = ""

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Show and time one step."""
        started = time.monotonic()
        self._open(name)
        ok = False
        try:
            yield
            ok = True
        finally:
            self._close()
            seconds = time.monotonic() - started
            self.phases.append(Phase(name=name, seconds=round(seconds, 1), ok=ok))
            mark = "[green]✓[/green]" if ok else "[red]✗[/red]"
            self._print(f"{mark} {escape(name)} [dim]{seconds:.1f} s[/dim]")

    def _print(self, *content: object) -> None:
        """Where the terminal was closed or the reader of a pipe has gone, there is nobody to tell: work goes on."""
        with contextlib.suppress(OSError):
            self.console.print(*content)

    def note(self, text: str) -> None:
        """A line that stays."""
        self._print(f"  [dim]{escape(text)}[/dim]")

    def doing(self, text: str) -> None:
        """What the phase is at: beside the spinner, or a line where there is none."""
        if self._spinner is not None and self._task is not None:
            self._spinner.update(self._task, description=f"{escape(self._name)} [dim]{escape(text)}[/dim]")
        else:
            self.note(text)

    def say(self, text: str) -> None:
        """A message of its own, as it is."""
        self._print(escape(text))

    def _open(self, name: str) -> None:
        self._name = name
        if not self.console.is_terminal:
            self._print(f"… {escape(name)}")
            return
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        self._spinner = RichProgress(*columns, console=self.console, transient=True)
        self._task = self._spinner.add_task(escape(name))
        with contextlib.suppress(OSError):
            self._spinner.start()

    def _close(self) -> None:
        if self._spinner is not None:
            with contextlib.suppress(OSError):
                self._spinner.stop()
        self._spinner = self._task = None

    def table(self, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Rows under a header; the last column is as wide as there is room."""
        table = Table(box=None, padding=(0, 2, 0, 0))
        for title in header:
            table.add_column(title, overflow="fold", no_wrap=title != header[-1])
        for row in rows:
            table.add_row(*(escape(cell) for cell in row))
        self._print()
        self._print(table)

    def summary(self, rows: Mapping[str, str]) -> None:
        """The table at the end."""
        table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in rows.items():
            table.add_row(name, escape(value))
        self._print()
        self._print(table)
