"""Time as the commands see it, so that tests can replace it."""

from __future__ import annotations

import datetime as dt
import time
from typing import Protocol


class Clock(Protocol):
    """Seconds that only go forward, a way to wait, and the date."""

    def now(self) -> float:
        """Seconds since some fixed moment."""

    def sleep(self, seconds: float) -> None:
        """Return after that many seconds."""

    def date(self) -> dt.datetime:
        """Today's date and time in UTC, for people and for records; it may jump."""


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> float:
        """Seconds since some fixed moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Return after that many seconds."""
        time.sleep(seconds)

    def date(self) -> dt.datetime:
        """Today's date and time in UTC."""
        return dt.datetime.now(dt.UTC)


def stamp(moment: dt.datetime) -> str:
    """Write a moment in UTC as ISO 8601 to the second, so that texts sort as moments do."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Deadline:
    """How long a wait has lasted and may still last."""

    def __init__(self, clock: Clock, timeout_seconds: float) -> None:
        self._clock = clock
        self._started = clock.now()
        self.timeout_seconds = timeout_seconds

    @property
    def elapsed_seconds(self) -> float:
        """Seconds since the wait began."""
        return self._clock.now() - self._started

    @property
    def passed(self) -> bool:
        """Whether the wait has lasted as long as it may."""
        return self.elapsed_seconds >= self.timeout_seconds

    def pause(self, most_seconds: float = 3.0) -> None:
        """Wait before the next look: briefly at first, when most things happen, then at a pace kind to API quotas."""
        elapsed = self.elapsed_seconds
        interval = 0.5 if elapsed < 15 else 1.0 if elapsed < 60 else 3.0  # noqa: PLR2004
        self._clock.sleep(min(interval, most_seconds, max(self.timeout_seconds - elapsed, 0.05)))
