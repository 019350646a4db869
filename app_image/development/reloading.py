"""Ends the server's worker when Python code changes, so that the next one runs the new code."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from pathlib import Path

logger = logging.getLogger(__name__)

APP = Path(__file__).resolve().parent.parent
# Also where a virtual machine's file sharing tells no changes, looking tells them.
POLL_SECONDS = 0.5


def written_at() -> dict[Path, int]:
    """Return when each Python file was written."""
    times = {}
    for path in APP.rglob("*.py"):
        try:
            times[path] = path.stat().st_mtime_ns
        except OSError:
            continue  # it was removed meanwhile
    return times


def start() -> None:
    """Watch from now on, in a thread. To be called before the worker imports the project.

    gunicorn's own reloader takes its first look after that, and so misses what was saved while the worker started.
    """
    threading.Thread(target=watch, args=(written_at(),), name="reloading", daemon=True).start()


def watch(before: dict[Path, int]) -> None:
    """End this process, as gunicorn would, once a file was written, added or removed."""
    while (now := written_at()) == before:
        time.sleep(POLL_SECONDS)
    changed = min(str(path.relative_to(APP)) for path, _ in now.items() ^ before.items())
    logger.info("%s has changed: starting anew.", changed)
    os.kill(os.getpid(), signal.SIGTERM)
