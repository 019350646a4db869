"""The locks of a stack's state, as Pulumi leaves them in its backend: a file for each process that has the stack.

An update, refresh, destroy or import writes one and deletes it when it ends. What is killed deletes nothing, and then
nobody can update the stack until somebody deletes the file (seen on the real engine, docs/releases.md).
"""

from __future__ import annotations

import datetime as dt
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ops.clock import stamp
from ops.in_flight import this_host
from ops.transcript import printable

if TYPE_CHECKING:
    from ops.stack import Stack
    from ops.state_backend import Files

PROGRAM = "pulumi"
_PROCESSES = Path("/proc")


@dataclass(frozen=True, kw_only=True)
class Lock:
    """One lock, and what it says of the process that wrote it; empty where it cannot be read."""

    key: str
    user: str = ""
    host: str = ""
    pid: int = 0
    since: dt.datetime | None = None

    @property
    def here(self) -> bool:
        """Whether this machine wrote it."""
        return bool(self.pid) and self.host == this_host()

    @property
    def lives(self) -> bool:
        """Whether the process that wrote it is known to live: only this machine's can be looked for."""
        return self.here and _runs(self.pid)

    def told(self, now: dt.datetime) -> str:
        """Say who holds it, since when, and what can be known of that process from here."""
        if not self.pid:
            return f"{self.key}: it cannot be read, so who wrote it is unknown"
        age = f" ({_age(now - self.since)} ago)" if self.since else ""
        since = stamp(self.since) if self.since else "a time it does not say"
        return f"{self.user}@{self.host}, process {self.pid}, since {since}{age}: {self._fate()}"

    def as_json(self) -> dict[str, Any]:
        """Return it for a program."""
        alive = self.lives if self.here else None
        return {
            "key": self.key,
            "user": self.user,
            "host": self.host,
            "pid": self.pid,
            "since": stamp(self.since) if self.since else "",
            "alive": alive,
        }

    def _fate(self) -> str:
        if not self.here:
            return "another machine's, so whether it still runs cannot be seen from here"
        return "it still runs on this machine" if self.lives else "no longer runs on this machine: it was killed"


def locks_of(files: Files, stack: Stack) -> list[Lock]:
    """Return the stack's locks, the oldest first. Every file there counts as one, for to Pulumi it does."""
    keys = files.keys(f".pulumi/locks/organization/{stack.project}/{stack.name}/")
    # Between the listing and the reading an update may have ended.
    read = [(key, files.read(key)) for key in keys]
    found = [_lock(key, content) for key, content in read if content is not None]
    return sorted(found, key=lambda lock: lock.since or dt.datetime.min.replace(tzinfo=dt.UTC))


def _lock(key: str, content: bytes) -> Lock:
    try:
        said = json.loads(content)
        return Lock(
            key=key,
            user=printable(str(said["username"])),
            host=printable(str(said["hostname"])),
            pid=int(said["pid"]),
            since=dt.datetime.fromisoformat(said["timestamp"]).astimezone(dt.UTC),
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return Lock(key=key)


def _runs(pid: int) -> bool:
    """Whether a process of that number runs that can be the one; another program's may have got its number since."""
    try:
        status = (_PROCESSES / str(pid) / "status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return _answers(pid)
    said = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    # A zombie has ended, and waits only for its parent to hear of it.
    return said.get("Name", "").strip() == PROGRAM and not said.get("State", "").strip().startswith("Z")


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _age(passed: dt.timedelta) -> str:
    minutes = int(passed.total_seconds()) // 60
    if minutes < 2:  # noqa: PLR2004
        return f"{max(int(passed.total_seconds()), 0)} s"
    hours, days = minutes // 60, minutes // (60 * 24)
    return f"{minutes} min" if hours < 2 else f"{hours} h" if days < 2 else f"{days} days"  # noqa: PLR2004
