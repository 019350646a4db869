"""Programs a rehearsal runs, each bounded in time, all of them ended when the rehearsal is interrupted."""

import contextlib
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from rehearsal import processes

# In the environment of every program we run and of whatever it starts: `left_by` finds them after a kill -9 by it.
MARK = "PACTUM_REHEARSAL"

_lock = threading.Lock()
_running: set[subprocess.Popen[str]] = set()
_stopping = threading.Event()
_mark: dict[str, str] = {}


class StoppedError(Exception):
    """The rehearsal is ending, so this program was not started, or was ended."""


def belong_to(label: str) -> None:
    """From now on, programs carry this rehearsal's label in their environment."""
    _mark[MARK] = label


def left_by(label: str) -> list[int]:
    """Processes that a rehearsal with this label started and that still run."""
    return processes.with_environment(MARK, label)


def run(
    command: Sequence[str],
    *,
    timeout_seconds: float,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    stdin: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end and return its output and exit code.

    Raises subprocess.TimeoutExpired after `timeout_seconds`, when the program and its own children have been killed,
    and StoppedError when `end_all` was called.
    """
    if _stopping.is_set():
        raise StoppedError
    # A process group of its own: what a shell command started ends with it.
    with subprocess.Popen(
        [*_ending_with_us(command[0], environment), *command],
        stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env={**(environment if environment is not None else os.environ), **_mark},
        cwd=directory,
        start_new_session=True,
    ) as process:
        with _lock:
            _running.add(process)
            # `end_all` may have come since the look above, too early to find this one.
            if _stopping.is_set():
                _signal(process, signal.SIGKILL)
        try:
            stdout, stderr = process.communicate(stdin, timeout=timeout_seconds)
        finally:
            _signal(process, signal.SIGKILL)
            with _lock:
                _running.discard(process)
    if _stopping.is_set():
        raise StoppedError
    return subprocess.CompletedProcess(list(command), process.returncode, stdout, stderr)


def _ending_with_us(program: str, environment: Mapping[str, str] | None) -> list[str]:
    """A prefix that has the system end the program when we are killed (util-linux's setpriv, where it is there).

    The system watches the thread that starts the program; `run` keeps that thread until the program has ended.
    """
    path = (environment if environment is not None else os.environ).get("PATH")
    setpriv = shutil.which("setpriv")
    # A program that is not there must fail as itself: subprocess's own error names it.
    return [setpriv, "--pdeathsig", "KILL", "--"] if setpriv and shutil.which(program, path=path) else []


def end_all() -> None:
    """End every running program, and refuse to start another until `allow` is called."""
    _stopping.set()
    with _lock:
        for process in _running:
            _signal(process, signal.SIGKILL)


def allow() -> None:
    """Programs may be started again."""
    _stopping.clear()


def _signal(process: subprocess.Popen[str], signal_number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal_number)
