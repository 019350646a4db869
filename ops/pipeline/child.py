"""A program that a stage runs: an interruption is passed on to it once, and it is waited for.

A host that cancels a job interrupts the stage, perhaps again and again. A program such as Pulumi ends well when it is
asked once, and leaves its work in the middle of a write when it is asked twice.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ops.errors import CannotAct, Terminated
from ops.pipeline import detached

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# As many as name it: `python -m ops verify`, `pulumi up`.
_NAMED_WORDS = 4
_ENDING = (signal.SIGINT, signal.SIGTERM)
# What an interruption means, of a program that changes nothing, and of one on an image's way to its mark.
NOTHING_CHANGED = "Nothing was changed; run the job again."
NOT_MARKED = "No image was marked as tested; run the job again."


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What a program came to."""

    code: int
    text: str = ""
    """Both its outputs as they came, or the first where they were kept apart; empty where they were not kept."""
    errors: str = ""
    """Its second output, where they were kept apart."""

    @property
    def reason(self) -> str:
        """Its second output, which says why it failed: whole, for what a cut leaves of a secret is known for none."""
        return self.errors.strip()


@dataclass(kw_only=True)
class _Interruption:
    name: str
    process: subprocess.Popen[str] | detached.Detached | None = None
    came: int | None = None
    passed_on: bool = False

    def note(self, number: int, _frame: object) -> None:
        if self.came is None:
            self.came = number
            self.pass_on()
        else:
            _say("interrupted again: it is ending, and is not interrupted twice")

    def pass_on(self) -> None:
        """Interrupt the program; does nothing before it was started."""
        if self.process is None or self.came is None or self.passed_on:
            return
        self.passed_on = True
        _say(f"interrupted ({signal.Signals(self.came).name}): asking `{self.name}` to end, and waiting for it")
        self.process.send_signal(signal.SIGINT)


def stream(
    command: Sequence[str], *, directory: Path, environment: Mapping[str, str], told: str, shielded: bool = False
) -> Ran:
    """Run a program, its words going where this one's go; `told` says what its interruption means.

    `shielded`: nobody but this interrupts it, whatever the host sends to the processes of a job.

    Raises:
        CannotAct: it cannot be started.
        KeyboardInterrupt: someone asked this process to end; raised when the program has ended.

    """
    # Ours first: what is buffered here was said before.
    sys.stdout.flush()
    return _run(command, directory, environment, told, {}, shielded=shielded)


def capture(
    command: Sequence[str], *, directory: Path, environment: Mapping[str, str], told: str, apart: bool = False
) -> Ran:
    """Run a program and keep its words; otherwise as `stream`."""
    outputs = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE if apart else subprocess.STDOUT}
    return _run(command, directory, environment, told, outputs)


def _run(
    command: Sequence[str],
    directory: Path,
    environment: Mapping[str, str],
    told: str,
    outputs: dict[str, Any],
    *,
    shielded: bool = False,
) -> Ran:
    name = " ".join([Path(command[0]).name, *command[1:_NAMED_WORDS]])
    with _handled(name) as interruption:
        try:
            process = (
                detached.Detached(command, directory=directory, environment=environment)
                if shielded and detached.is_looked_for(environment)
                else _started(command, directory, environment, outputs)
            )
        except OSError as error:
            raise CannotAct(f"{command[0]} cannot be started: {error.strerror or error}. Nothing was done.") from error
        interruption.process = process
        interruption.pass_on()
        text, errors = process.communicate()
        code = process.wait()
    if interruption.came is not None:
        ended = f"`{name}` was interrupted, and has ended with exit code {code}. {told}"
        raise Terminated(ended) if interruption.came == signal.SIGTERM else KeyboardInterrupt(ended)
    return Ran(code=code, text=text or "", errors=errors or "")


def _started(
    command: Sequence[str], directory: Path, environment: Mapping[str, str], outputs: dict[str, Any]
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        list(command),
        cwd=directory,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        text=True,
        errors="replace",
        # Ctrl-C goes to everything in the terminal's group: there it would come twice.
        process_group=0,
        **outputs,
    )


@contextmanager
def _handled(name: str) -> Iterator[_Interruption]:
    interruption = _Interruption(name=name)
    before = {number: signal.signal(number, interruption.note) for number in _ENDING}
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say(text: str) -> None:
    # In a signal's handler: what is half printed must not be printed into.
    os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, f"{text}\n".encode())
