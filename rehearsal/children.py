"""Programs a rehearsal runs, each bounded in time, all of them ended when the rehearsal is interrupted."""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

_lock = threading.Lock()
_running: set[subprocess.Popen[str]] = set()
_stopping = threading.Event()


class StoppedError(Exception):
    """The rehearsal is ending, so this program was not started, or was ended."""


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
        list(command),
        stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env=dict(environment) if environment is not None else None,
        cwd=directory,
        start_new_session=True,
    ) as process:
        with _lock:
            _running.add(process)
        try:
            stdout, stderr = process.communicate(stdin, timeout=timeout_seconds)
        finally:
            _signal(process, signal.SIGKILL)
            with _lock:
                _running.discard(process)
    if _stopping.is_set():
        raise StoppedError
    return subprocess.CompletedProcess(list(command), process.returncode, stdout, stderr)


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
