"""What `stats` makes of the values of many lines.

Source: Amazon CloudWatch Logs User Guide, "stats".
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rehearsal.cloudwatch.insights.expressions import Expression, Expressions
from rehearsal.cloudwatch.insights.functions import number
from rehearsal.cloudwatch.insights.values import Moment, Natural, Row, Value, text_of
from rehearsal.cloudwatch.insights.words import QueryError
from rehearsal.cloudwatch.statistics import statistic
from rehearsal.cloudwatch.statistics import value as datum

Values = Sequence[Value]
HUNDRED = 100


@dataclass(frozen=True, kw_only=True)
class Aggregate:
    """One column: `of` rows of a group, which are in the order of time."""

    name: str
    of: Callable[[Sequence[Row]], Value]


def _average(values: Values) -> Value:
    return sum(number(value, "avg") for value in values) / len(values)


# Of values that are there, at least one.
_OF_VALUES: dict[str, Callable[[Values], Value]] = {
    "sum": lambda values: sum(number(value, "sum") for value in values),
    "avg": _average,
    "min": lambda values: min(number(value, "min") for value in values),
    "max": lambda values: max(number(value, "max") for value in values),
    "sortsfirst": lambda values: min(values, key=Natural),
    "sortslast": lambda values: max(values, key=Natural),
}


def read_aggregate(read: Expressions) -> Aggregate:
    """Read one, with the name it is given or what is written."""
    words, start = read.words, read.words.at
    name = words.function()
    if not name:
        raise words.unexpected("a function such as count(*) is missing")
    of = _function(read, name.lower(), start)
    words.expect(")")
    written = words.since(start)
    return Aggregate(name=read.alias() or written, of=of)


def _function(read: Expressions, name: str, start: int) -> Callable[[Sequence[Row]], Value]:
    words = read.words
    if name == "count" and (words.sign("*") or words.follows(")")):
        return len
    if name not in ("count", "count_distinct", "pct", "median", "earliest", "latest", *_OF_VALUES):
        raise QueryError(f"stats: the function {name} is not covered here", start, start + len(name))
    value = read.read()
    if name in ("pct", "median"):
        return _percentile(value, _percent(read) if name == "pct" else HUNDRED / 2)
    if name == "count":
        return lambda rows: len(_values(rows, value))
    if name == "count_distinct":
        return lambda rows: len({text_of(found) for found in _values(rows, value)})
    if name in ("earliest", "latest"):
        # Of that line, whether it has the field or not.
        return lambda rows: _no_time(value(rows[0 if name == "earliest" else -1]), name)
    combine = _OF_VALUES[name]
    return lambda rows: _no_time(combine(values), name) if (values := _values(rows, value)) else None


def _no_time(found: Value, name: str) -> Value:
    if isinstance(found, Moment):
        raise QueryError(f"{name} of a time: how it is shown is not documented. Use toMillis(@timestamp)")
    return found


def _values(rows: Sequence[Row], value: Expression) -> list[Value]:
    return [found for row in rows if (found := value(row)) is not None]


def _percent(read: Expressions) -> float:
    read.words.expect(",")
    percent = read.words.number()
    if percent is None or percent > HUNDRED:
        raise read.words.unexpected("a percentage is missing")
    return percent


def _percentile(value: Expression, percent: float) -> Callable[[Sequence[Row]], Value]:
    """Between the two nearest values, as for metrics: CloudWatch estimates, and does not say how."""

    def of(rows: Sequence[Row]) -> Value:
        found = [number(each, "pct") for each in _values(rows, value)]
        if any(each < 0 for each in found):
            raise QueryError("pct meets a negative number, which is not covered here")
        return statistic(f"p{percent:g}", [datum(each) for each in found]) if found else None

    return of
