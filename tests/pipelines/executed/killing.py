"""A job whose machine is lost, or whose host waits no longer."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess


def kill(process: subprocess.Popen[str]) -> None:
    """End a job with all it has started, in whatever process groups; nothing of it is asked to end."""
    while left := [pid for pid in _pids() if _session(pid) == process.pid]:
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.poll()


def _pids() -> list[int]:
    return [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit()]


def _session(pid: int) -> int:
    """The session it belongs to; 0 where it has ended, also while nobody has heard of that."""
    with contextlib.suppress(OSError):
        state, _, _, session = (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[:4]
        return 0 if state == "Z" else int(session)
    return 0
