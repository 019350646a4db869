"""When what is repeated is due, by the rules that a stack file's schedules are checked by."""

import time
from collections.abc import Callable, Collection, Hashable
from datetime import datetime, tzinfo

from infra.schedule_expression import Rate, parse, time_zone

MINUTE_SECONDS = 60


class Due:
    """Remembers by key what was due last; of what became due while nobody asked, it answers once."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        # The number of the interval, or of the minute since 1970, that was asked for last.
        self._seen: dict[Hashable, int] = {}

    def keep(self, keys: Collection[Hashable]) -> None:
        """Forget all others."""
        self._seen = {key: seen for key, seen in self._seen.items() if key in keys}

    def now(self, key: Hashable, expression: str, *, since: float, zone: str = "UTC", first: int = 0) -> bool:
        """Whether it became due since this was last asked; a rate by the whole intervals since a moment, `first` on."""
        rule, now = parse(expression), self._clock()
        if isinstance(rule, Rate):
            interval = int((now - since) // rule.interval.total_seconds())
            due = interval > self._seen.get(key, first - 1)
            self._seen[key] = interval
            return due
        minute = int(now // MINUTE_SECONDS)
        # The minute in which a schedule is made has begun before it.
        begun = range(self._seen.get(key, minute) + 1, minute + 1)
        zone_info: tzinfo = time_zone(zone)
        due = any(rule.is_due(datetime.fromtimestamp(each * MINUTE_SECONDS, zone_info)) for each in begun)
        self._seen[key] = minute
        return due
