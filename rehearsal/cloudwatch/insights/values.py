"""What a line of a log has: its own facts, and the fields that CloudWatch discovers in JSON.

Source: Amazon CloudWatch Logs User Guide, "Supported logs and discovered fields" and "sort".
"""

import datetime as dt
import functools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rehearsal.cloudwatch.insights.words import QueryError

MOST_FIELDS = 200
_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
_CHUNK = re.compile(r"\d+|[^\W\d_]+|[\W_]", re.ASCII)


@dataclass(frozen=True, order=True)
class Moment:
    """A time, in milliseconds since 1970."""

    milliseconds: int

    def __str__(self) -> str:
        moment = dt.datetime.fromtimestamp(self.milliseconds // 1000, dt.UTC)
        return f"{moment:%Y-%m-%d %H:%M:%S}.{self.milliseconds % 1000:03}"


@dataclass(frozen=True)
class FoundBoolean:
    """True or false in a line: how Logs Insights shows and compares it, its documentation does not say."""


# A condition is a boolean; None is a field that a line does not have.
Value = str | float | Moment | bool | FoundBoolean | None
# A line of a log, or a row that `stats` made: values by the names of fields.
Row = Mapping[str, Value]


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line as CloudWatch keeps it."""

    timestamp: int
    message: str
    log: str
    stream: str
    pointer: str

    def row(self) -> dict[str, Value]:
        """Its system fields, and those of its JSON: nested names with dots, items of lists by their numbers."""
        row = dict(discovered(self.message))
        return row | {
            "@timestamp": Moment(self.timestamp),
            "@message": self.message,
            "@log": self.log,
            "@logStream": self.stream,
            "@ptr": self.pointer,
        }


def discovered(message: str) -> Iterator[tuple[str, Value]]:
    """The fields of a line that is a JSON object, not more than CloudWatch extracts."""
    if not message.lstrip().startswith("{"):
        return
    try:
        document = json.loads(message)
    except ValueError:
        return
    for number, (name, found) in enumerate(_leaves("", document)):
        if number >= MOST_FIELDS:
            return
        yield (f"@{name}" if name.startswith("@") else name), found


def _leaves(name: str, found: object) -> Iterator[tuple[str, Value]]:
    if isinstance(found, dict | list):
        items = found.items() if isinstance(found, dict) else enumerate(found)
        for key, inner in items:
            yield from _leaves(f"{name}.{key}" if name else str(key), inner)
    elif isinstance(found, bool):
        yield name, FoundBoolean()
    elif isinstance(found, str | int | float):
        yield name, found


def field_of(row: Row, name: str) -> Value:
    """A line's value of a field, None where it has none. Raises QueryError for what is not documented."""
    found = row.get(name)
    if isinstance(found, FoundBoolean):
        raise QueryError(
            f"{name} is a JSON boolean: AWS's documentation does not say how Logs Insights shows and compares it"
        )
    return found


def number_of(value: Value) -> float | None:
    """The number that a value is, or that a text consists of."""
    if isinstance(value, str):
        return float(value) if _NUMBER.fullmatch(value) else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def text_of(value: Value) -> str:
    """A value as a result shows it; conditions are 0 and 1."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else f"{value:.15g}"
    return str(value)


@functools.total_ordering
class Natural:
    """A value in the order of `sort`: what is no number first, digits in it by their length and then their value."""

    def __init__(self, value: Value) -> None:
        self._number = value.milliseconds if isinstance(value, Moment) else number_of(value)
        self._chunks = [] if self._number is not None else _CHUNK.findall(text_of(value))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Natural) and (self._number, self._chunks) == (other._number, other._chunks)

    def __lt__(self, other: "Natural") -> bool:
        if self._number is not None and other._number is not None:
            return self._number < other._number
        if self._number is not None or other._number is not None:
            return other._number is not None
        for mine, theirs in zip(self._chunks, other._chunks, strict=False):
            if mine != theirs:
                return _chunk_before(mine, theirs)
        return len(self._chunks) < len(other._chunks)

    __hash__ = None  # type: ignore[assignment]  # it is only put in order


def _chunk_before(mine: str, theirs: str) -> bool:
    if mine.isdigit() and theirs.isdigit():
        return (len(mine), int(mine)) < (len(theirs), int(theirs))
    return mine < theirs
