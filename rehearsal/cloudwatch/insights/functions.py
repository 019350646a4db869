"""Functions of single values, by name: those whose documentation leaves nothing open.

Source: Amazon CloudWatch Logs User Guide, "Boolean, comparison, numeric, datetime, and other functions".
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from rehearsal.cloudwatch.insights.values import Moment, Value, number_of, text_of
from rehearsal.cloudwatch.insights.words import QueryError


@dataclass(frozen=True, kw_only=True)
class Function:
    """`call` gets between `least` and `most` values; of one that is missing only where it `knows_missing`."""

    call: Callable[..., Value]
    least: int = 1
    most: int = 1
    knows_missing: bool = False


MANY = 100


def number(value: Value, name: str) -> float:
    """The number that a function or a sign asks for. Raises QueryError where there is another value."""
    found = number_of(value)
    if found is None:
        raise QueryError(f"{name} meets {text_of(value)!r}, which is no number: what comes of it is not documented")
    return found


def _numeric(name: str, call: Callable[..., float], least: int = 1, most: int = 1) -> Function:
    return Function(call=lambda *values: call(*(number(value, name) for value in values)), least=least, most=most)


def _of_text(call: Callable[..., Value], least: int = 1, most: int = 1) -> Function:
    return Function(call=lambda *values: call(*(text_of(value) for value in values)), least=least, most=most)


def _substr(text: Value, start: Value, length: Value = math.inf) -> str:
    first, size = int(number(start, "substr")), number(length, "substr")
    return text_of(text)[first:][: None if math.isinf(size) else int(size)]


def _milliseconds(value: Value) -> float:
    if not isinstance(value, Moment):
        raise QueryError(f"toMillis meets {text_of(value)!r}, which is no time")
    return value.milliseconds


def _blank(value: Value) -> bool:
    return value is None or not text_of(value).strip()


FUNCTIONS: dict[str, Function] = {
    "abs": _numeric("abs", abs),
    "ceil": _numeric("ceil", math.ceil),
    "floor": _numeric("floor", math.floor),
    "greatest": _numeric("greatest", max, 2, MANY),
    "least": _numeric("least", min, 2, MANY),
    "strlen": _of_text(len),
    "concat": _of_text(lambda *texts: "".join(texts), 1, MANY),
    "ltrim": _of_text(str.lstrip),
    "rtrim": _of_text(str.rstrip),
    "trim": _of_text(str.strip),
    "toupper": _of_text(str.upper),
    "tolower": _of_text(str.lower),
    "replace": _of_text(str.replace, 3, 3),
    "strcontains": _of_text(lambda text, part: float(part in text), 2, 2),
    "substr": Function(call=_substr, least=2, most=3),
    "tomillis": Function(call=_milliseconds),
    "ispresent": Function(call=lambda value: value is not None, knows_missing=True),
    "isempty": Function(call=lambda value: value is None or not text_of(value), knows_missing=True),
    "isblank": Function(call=_blank, knows_missing=True),
    "coalesce": Function(
        call=lambda *values: next((value for value in values if value is not None), None), most=MANY, knows_missing=True
    ),
}
