"""Identifies and ends processes that a rehearsal started: by id and start time, never by name."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path


def started_at(pid: int) -> str | None:
    """When a process started, as the system writes it; None when there is none. Tells a recycled process id apart."""
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            return None
        # proc(5): after the name comes the 3rd field, state (Z: ended, not yet collected); starttime is the 22nd.
        return None if fields[0] == "Z" else fields[19]
    done = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False, timeout=10
    )
    return done.stdout.strip() or None


def record(path: Path, pid: int) -> None:
    """Write down a process so that a later run can end it if this one cannot."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"pid": pid, "started_at": started_at(pid)}), encoding="utf-8")


def recorded(path: Path) -> int | None:
    """The recorded process id if that very process still runs."""
    try:
        entry = json.loads(path.read_text(encoding="utf-8"))
        pid, start = int(entry["pid"]), entry["started_at"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return pid if start is not None and started_at(pid) == start else None


def end(pid: int, *, grace_seconds: float, is_gone: Callable[[], bool] | None = None) -> None:
    """SIGTERM, then SIGKILL after `grace_seconds`. Returns once it is gone, killed, or not ours to end."""
    gone = is_gone or (lambda: started_at(pid) is None)
    for signal_number, seconds in ((signal.SIGTERM, grace_seconds), (signal.SIGKILL, 5.0)):
        try:
            os.kill(pid, signal_number)
        except (ProcessLookupError, PermissionError):
            return
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if gone():
                return
            time.sleep(0.05)


def with_environment(name: str, value: str) -> list[int]:
    """Processes whose environment has exactly this variable (Linux; elsewhere none are found). Never our own."""
    wanted = f"{name}={value}".encode()
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            variables = (directory / "environ").read_bytes().split(b"\0")
        except OSError:
            # It ended meanwhile, or is another user's.
            continue
        if wanted in variables and int(directory.name) != os.getpid():
            found.append(int(directory.name))
    return sorted(found)
