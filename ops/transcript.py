"""Where a command's words go.

By hand everything goes to standard output; with --json steps and logs go to standard error, and standard output has the
answer alone. Inside a Pulumi update, standard output and standard error become part of
the state and of the update's outputs: they get one constant line, and steps and container logs go to the file named by
OPS_TRANSCRIPT, else to the terminal, else nowhere (CloudWatch Logs has the container's log anyway). Where the program
runs a command whose standard error it keeps nowhere, it sets OPS_PROGRESS=stderr: without a terminal, as in a pipeline,
steps are shown there.
"""

from __future__ import annotations

import contextlib
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from ops.errors import CannotAct

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WITHIN_UPDATE = "PACTUM_WITHIN_UPDATE"
TRANSCRIPT_FILE = "OPS_TRANSCRIPT"
PROGRESS = "OPS_PROGRESS"
TO_STDERR = "stderr"
TERMINAL = Path("/dev/tty")

# What users type ends up in logs: a line must not be able to steer the terminal it is shown on.
# Half a surrogate pair, which JSON can hold, cannot be printed at all.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_LONGEST_LINE = 2000


def harmless(line: str) -> str:
    """Return a line without control characters, whole."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", line.rstrip("\r\n"))


def printable(line: str) -> str:
    """Return a log line without control characters, cut to a length a person still reads."""
    line = harmless(line.rstrip())
    return line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}... ({len(line)} characters)"


class Transcript:
    """Steps and container logs go to `progress` (None: nowhere), the one constant result line to `results`."""

    def __init__(self, *, progress: TextIO | None, results: TextIO | None) -> None:
        self._progress = progress
        self._results = results

    def step(self, text: str) -> None:
        """Say what is being done, or what was seen."""
        self._write(text)

    def log(self, container: str, line: str) -> None:
        """Pass on one line of a container's log."""
        for part in line.splitlines() or [""]:
            self._write(f"  {container} | {printable(part)}")

    def result(self, text: str) -> None:
        """Say how it ended: constant for the same inputs, free of account, times and log lines."""
        if self._progress is not None and self._progress is not self._results:
            self._write(text)
        if self._results is not None:
            print(text, file=self._results, flush=True)

    def _write(self, text: str) -> None:
        if self._progress is None:
            return
        try:
            print(text, file=self._progress, flush=True)
        except OSError:
            # A closed terminal or a full disk must not end a command in the middle of a migration.
            self._progress = None


@contextlib.contextmanager
def open_transcript(
    environment: Mapping[str, str], results: TextIO, errors: TextIO, *, json: bool = False
) -> Iterator[Transcript]:
    """Choose where the words go, by the environment and --json, and close it afterwards.

    Raises:
        CannotAct: the file named by OPS_TRANSCRIPT cannot be written.

    """
    if json:
        yield Transcript(progress=errors, results=None)
        return
    if environment.get(WITHIN_UPDATE) != "1":
        yield Transcript(progress=results, results=results)
        return
    with contextlib.ExitStack() as stack:
        progress = _open_progress(environment.get(TRANSCRIPT_FILE))
        if progress is not None:
            stack.callback(_close, progress)
        elif environment.get(PROGRESS) == TO_STDERR:
            progress = errors
        yield Transcript(progress=progress, results=results)


def _open_progress(path: str | None) -> TextIO | None:
    if path:
        try:
            return Path(path).open("a", encoding="utf-8", errors="replace")
        except OSError as error:
            raise CannotAct(
                f"{TRANSCRIPT_FILE}={path} cannot be written: {error.strerror}. Correct or unset it."
            ) from error
    # A background process that writes to its terminal is stopped (not ended) under `stty tostop`.
    with contextlib.suppress(ValueError):  # not the main thread
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    try:
        return TERMINAL.open("w", encoding="utf-8", errors="replace")
    except OSError:
        return None


def _close(progress: TextIO) -> None:
    with contextlib.suppress(OSError):
        progress.close()
