"""A series of published data in memory, a source for alarms in which a day's window costs as little as a minute's.

Data are kept by the minute, which is how CloudWatch keeps them for alarms. A window of more than a few minutes is
answered from running totals (and, for percentiles, from a running count of each distinct value; for minimum and
maximum, from those of spans of 2, 4, 8... minutes), as few data that have the same statistics.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate

from rehearsal.cloudwatch.alarm import MINUTE, Metric
from rehearsal.cloudwatch.statistics import Datum, needs_values, value

SHORT_WINDOW = 5  # minutes
Identity = tuple[str, str, frozenset[tuple[str, str]]]


def identity(namespace: str, name: str, dimensions: Mapping[str, str]) -> Identity:
    """What CloudWatch tells metrics apart by."""
    return namespace, name, frozenset(dimensions.items())


@dataclass
class Recording:
    """Published data from `begin`, in seconds since 1970 and on a whole minute, for so many minutes."""

    begin: int
    minutes: int
    _tracks: dict[Identity, "_Track"] = field(default_factory=dict)

    def put(self, metric: Identity, minute: int, *data: Datum) -> None:
        """Publish data in a minute, counted from the beginning."""
        track = self._tracks.get(metric)
        if track is None or "counts" in track.__dict__:  # what was computed of a track is of the data it had then
            track = self._tracks[metric] = _Track(track.data if track else self._nothing())
        track.data[minute] = (*track.data[minute], *data)

    def _nothing(self) -> list[tuple[Datum, ...]]:
        return [()] * self.minutes

    def __call__(self, metric: Metric, start: float, end: float) -> Sequence[Datum]:
        """What was published for exactly this metric in a window: alarms' Source."""
        track = self._tracks.get((metric.namespace, metric.name, metric.dimensions))
        if track is None:
            return []
        first = max(int(start - self.begin) // MINUTE, 0)
        last = min(-(int(self.begin - end) // MINUTE), self.minutes)
        if first >= last:
            return []
        if last - first <= SHORT_WINDOW:
            return [datum for data in track.data[first:last] for datum in data]
        if needs_values(metric.statistic):
            return track.by_value(first, last)
        return track.extremes(first, last) if metric.statistic in ("Minimum", "Maximum") else track.sums(first, last)


@dataclass
class _Track:
    data: list[tuple[Datum, ...]]

    @cached_property
    def counts(self) -> list[float]:
        return list(accumulate((sum(datum.count for datum in data) for data in self.data), initial=0.0))

    @cached_property
    def _totals(self) -> list[float]:
        return list(accumulate((sum(datum.total for datum in data) for data in self.data), initial=0.0))

    @cached_property
    def _minima(self) -> list[list[float]]:
        return _spans([min((datum.minimum for datum in data), default=float("inf")) for data in self.data])

    @cached_property
    def _maxima(self) -> list[list[float]]:
        """Of the values with their signs changed: the least is the greatest then."""
        return _spans([min((-datum.maximum for datum in data), default=float("inf")) for data in self.data])

    @cached_property
    def _sets(self) -> list[int]:
        """How many minutes before each had statistics of several values."""
        mixed = (any(not datum.one_value for datum in data) for data in self.data)
        return list(accumulate(mixed, initial=0))

    @cached_property
    def _values(self) -> dict[float, list[float]]:
        """By value, how often it was seen before each minute."""
        seen: dict[float, list[float]] = {}
        for minute, data in enumerate(self.data):
            for datum in data:
                seen.setdefault(datum.minimum, [0.0] * len(self.data))[minute] += datum.count
        return {number: list(accumulate(counts, initial=0.0)) for number, counts in seen.items()}

    def sums(self, first: int, last: int) -> list[Datum]:
        """As many data as there are, each of them the average."""
        count, total = self.counts[last] - self.counts[first], self._totals[last] - self._totals[first]
        return [Datum(count=count, total=total, minimum=total / count, maximum=total / count)] if count else []

    def extremes(self, first: int, last: int) -> list[Datum]:
        """The least and the greatest of the data."""
        if self.counts[last] == self.counts[first]:
            return []
        return [value(_least(self._minima, first, last)), value(-_least(self._maxima, first, last))]

    def by_value(self, first: int, last: int) -> list[Datum]:
        """A datum for each distinct value."""
        if self._sets[last] > self._sets[first]:
            return [datum for data in self.data[first:last] for datum in data]
        found = ((number, counts[last] - counts[first]) for number, counts in self._values.items())
        return [value(number, count=count) for number, count in found if count]


def _spans(numbers: list[float]) -> list[list[float]]:
    """The least of the 1, 2, 4, 8... numbers from each place on."""
    levels, width = [numbers], 1
    while width * 2 <= len(numbers):
        below = levels[-1]
        levels.append([min(below[place], below[place + width]) for place in range(len(below) - width)])
        width *= 2
    return levels


def _least(spans: list[list[float]], first: int, last: int) -> float:
    """The least of the numbers from `first` up to before `last`: of two spans that overlap."""
    level = (last - first).bit_length() - 1
    return min(spans[level][first], spans[level][last - (1 << level)])
