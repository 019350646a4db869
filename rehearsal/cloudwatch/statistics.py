"""What CloudWatch makes of the data of one period: Sum, Average, Minimum, Maximum, SampleCount, percentiles."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?|100)")
_BASIC = frozenset({"Sum", "Average", "Minimum", "Maximum", "SampleCount"})


@dataclass(frozen=True, kw_only=True)
class Datum:
    """One published datum: a value, a value seen several times, or a statistic set."""

    count: float
    total: float
    minimum: float
    maximum: float

    @property
    def one_value(self) -> bool:
        """Whether it stands for one value, seen `count` times; percentiles need that."""
        return self.minimum == self.maximum and self.total == self.minimum * self.count


def value(number: float, count: float = 1.0) -> Datum:
    """A value that was seen `count` times."""
    return Datum(count=count, total=number * count, minimum=number, maximum=number)


def is_known(name: str) -> bool:
    """Whether `statistic` can compute this statistic."""
    return name in _BASIC or _PERCENTILE.fullmatch(name) is not None


def statistic(name: str, data: Sequence[Datum]) -> float | None:
    """Compute a statistic of a period's data; None when there is none.

    Raises ValueError for a statistic that is not known (trimmed means and the like).
    """
    data = [datum for datum in data if datum.count > 0]
    if not data:
        return None
    count, total = sum(datum.count for datum in data), sum(datum.total for datum in data)
    if match := _PERCENTILE.fullmatch(name):
        return _percentile(float(match[1]), data)
    basic = {
        "Sum": total,
        "Average": total / count,
        "Minimum": min(datum.minimum for datum in data),
        "Maximum": max(datum.maximum for datum in data),
        "SampleCount": count,
    }
    if name not in basic:
        raise ValueError(f"the statistic {name!r} is not known here")
    return basic[name]


def _percentile(percent: float, data: Sequence[Datum]) -> float | None:
    """Interpolate between the two nearest ranks. CloudWatch has no percentile of negative values and of true sets."""
    if any(datum.minimum < 0 or not datum.one_value for datum in data):
        return None
    ordered = sorted((datum.minimum, datum.count) for datum in data)
    rank = percent / 100 * (sum(count for _, count in ordered) - 1)
    lower = int(rank)
    low = _at(ordered, lower)
    return low + (rank - lower) * (_at(ordered, lower + 1) - low)


def _at(ordered: Sequence[tuple[float, float]], rank: int) -> float:
    seen = 0.0
    for number, count in ordered:
        seen += count
        if rank < seen:
            return number
    return ordered[-1][0]
