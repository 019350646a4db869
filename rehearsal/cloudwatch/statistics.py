"""What CloudWatch makes of the data of one period: Sum, Average, Minimum, Maximum, SampleCount, percentiles and ranks.

A percentile such as p95 is a value; a percentile rank such as PR(0.1:0.5) is the percentage of values that are more
than the first number and at most the second; one of the two may be left out.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?|100)")
_RANK = re.compile(r"PR\((?!:\))(\d*\.?\d+)?:(\d*\.?\d+)?\)")


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
    return name in _BASIC or needs_values(name)


def needs_values(name: str) -> bool:
    """Whether it is of the single values: a percentile, or a rank among them."""
    return _PERCENTILE.fullmatch(name) is not None or _RANK.fullmatch(name) is not None


def statistic(name: str, data: Sequence[Datum]) -> float | None:
    """Compute a statistic of a period's data; None when there is none.

    Raises ValueError for a statistic that is not known (trimmed means and the like).
    """
    data = [datum for datum in data if datum.count > 0]
    if not data:
        return None
    if name in _BASIC:
        return _BASIC[name](data)
    if match := _PERCENTILE.fullmatch(name):
        return _percentile(float(match[1]), data)
    if match := _RANK.fullmatch(name):
        return _rank(float(match[1] or "-inf"), float(match[2] or "inf"), data)
    raise ValueError(f"the statistic {name!r} is not known here")


def _count(data: Sequence[Datum]) -> float:
    return sum(datum.count for datum in data)


def _total(data: Sequence[Datum]) -> float:
    return sum(datum.total for datum in data)


_BASIC: dict[str, Callable[[Sequence[Datum]], float]] = {
    "Sum": _total,
    "Average": lambda data: _total(data) / _count(data),
    "Minimum": lambda data: min(datum.minimum for datum in data),
    "Maximum": lambda data: max(datum.maximum for datum in data),
    "SampleCount": _count,
}


def _percentile(percent: float, data: Sequence[Datum]) -> float | None:
    """Interpolate between the two nearest ranks. CloudWatch has no percentile of negative values and of true sets."""
    if not _has_percentiles(data):
        return None
    ordered = sorted((datum.minimum, datum.count) for datum in data)
    rank = percent / 100 * (sum(count for _, count in ordered) - 1)
    lower = int(rank)
    low = _at(ordered, lower)
    return low + (rank - lower) * (_at(ordered, lower + 1) - low)


def _rank(above: float, up_to: float, data: Sequence[Datum]) -> float | None:
    if not _has_percentiles(data):
        return None
    inside = sum(datum.count for datum in data if above < datum.minimum <= up_to)
    return 100 * inside / _count(data)


def _has_percentiles(data: Sequence[Datum]) -> bool:
    return all(datum.minimum >= 0 and datum.one_value for datum in data)


def _at(ordered: Sequence[tuple[float, float]], rank: int) -> float:
    seen = 0.0
    for number, count in ordered:
        seen += count
        if rank < seen:
            return number
    return ordered[-1][0]
