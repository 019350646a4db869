"""Expressions of a query: what they are of a line.

A condition on a field that a line does not have does not hold. Whether its opposite does (`!=`, `not`), AWS's
documentation leaves open: such a query ends with an error as soon as it meets such a line.
Source: Amazon CloudWatch Logs User Guide, "filter" and "Boolean, comparison, numeric, datetime, and other functions".
"""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from rehearsal.cloudwatch.conditions import ORDERS
from rehearsal.cloudwatch.insights.functions import FUNCTIONS, number
from rehearsal.cloudwatch.insights.values import Moment, Row, Value, field_of, number_of, text_of
from rehearsal.cloudwatch.insights.words import QueryError, Words

Expression = Callable[[Row], Value]

_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
    "^": operator.pow,
}
_SYSTEM = ("@timestamp", "@message", "@log", "@logStream", "@ptr")
_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_PERIOD = re.compile(r"(\d+)([a-z]+)")


@dataclass
class Expressions:
    """Reads expressions. `known` are the fields that there are, once `stats` has made them; `made` the query's own."""

    words: Words
    known: set[str] | None = None
    made: set[str] = field(default_factory=set)

    def make(self, name: str) -> None:
        """Note a field that the query makes, which CloudWatch refuses to have made twice."""
        if name in self.made:
            raise QueryError(f"the field {name} is made twice", self.words.at, self.words.at)
        self.made.add(name)
        if self.known is not None:
            self.known.add(name)

    def named(self) -> str:
        """Read the name of a field that there is."""
        start, name = self.words.at, self.words.field()
        if not name:
            raise self.words.unexpected("a field's name is missing")
        if self.known is not None and name not in self.known:
            raise QueryError(f"Unknown symbols found in or after stats: {name}", start, start + len(name))
        if name.startswith("@") and not name.startswith("@@") and name not in {*_SYSTEM, *self.made}:
            raise QueryError(f"the field {name} is not covered here", start, start + len(name))
        return name

    def alias(self) -> str:
        """Read `as NAME`, if it is next; empty if not."""
        if not self.words.keyword("as"):
            return ""
        name = self.words.field()
        if not name:
            raise self.words.unexpected("a name is missing after `as`")
        return name

    def read(self) -> Expression:
        """Read an expression or a condition; `and` binds before `or`, `not` before both."""
        parts = [self._both()]
        while self.words.keyword("or"):
            parts.append(self._both())
        return _joined(parts, decides=True) if len(parts) > 1 else parts[0]

    def _both(self) -> Expression:
        parts = [self._opposite()]
        while self.words.keyword("and"):
            parts.append(self._opposite())
        return _joined(parts, decides=False) if len(parts) > 1 else parts[0]

    def _opposite(self) -> Expression:
        if not self.words.keyword("not"):
            return self._comparison()
        inner = self._opposite()
        return lambda row: not _known(_condition(inner(row)), "not")

    def _comparison(self) -> Expression:
        left = self._sum()
        if sign := self.words.sign("=", "!=", *ORDERS):
            return _comparison(sign, left, self._sum())
        if self.words.sign("=~"):
            return _matching(left, self._pattern())
        opposite = bool(self.words.keyword("not"))
        if self.words.keyword("like"):
            holds = _matching(left, self._pattern())
        elif self.words.keyword("in"):
            holds = self._among(left)
        elif opposite:
            raise self.words.unexpected("`like` or `in` is missing after `not`")
        else:
            return left
        return (lambda row: not _known(holds(row), "not")) if opposite else holds

    def _pattern(self) -> Callable[[str], bool]:
        if pattern := self.words.regex():
            return lambda text: pattern.search(text) is not None
        part = self.words.text()
        if part is None:
            raise self.words.unexpected("a text or a /regular expression/ is missing")
        return lambda text: part in text

    def _among(self, left: Expression) -> Expression:
        options: list[Expression] = []
        self.words.expect("[")
        self.words.listed(lambda: options.append(self._sum()))
        self.words.expect("]")
        return _joined([_comparison("=", left, option) for option in options], decides=True)

    def _sum(self) -> Expression:
        return self._calculated(("+", "-"), lambda: self._calculated(("*", "/", "%"), self._power))

    def _power(self) -> Expression:
        return self._calculated(("^",), self._atom)

    def _calculated(self, signs: tuple[str, ...], read: Callable[[], Expression]) -> Expression:
        result = read()
        while sign := self.words.sign(*signs):
            result = _calculation(sign, result, read())
        return result

    def _atom(self) -> Expression:
        if self.words.sign("("):
            inner = self.read()
            self.words.expect(")")
            return inner
        if self.words.sign("-"):
            return _calculation("-", lambda _: 0, self._atom())
        if (found := self.words.number()) is not None:
            return lambda _: found
        if (text := self.words.text()) is not None:
            return lambda _: text
        start = self.words.at
        if name := self.words.function():
            return self._call(name, start)
        name = self.named()
        return lambda row: field_of(row, name)

    def _call(self, name: str, start: int) -> Expression:
        if name.lower() == "bin":
            return self._bin()
        function = FUNCTIONS.get(name.lower())
        if function is None:
            raise QueryError(f"the function {name} is not covered here", start, start + len(name))
        given: list[Expression] = []
        self.words.listed(lambda: given.append(self.read()))
        self.words.expect(")")
        if not function.least <= len(given) <= function.most:
            raise QueryError(f"{name} does not take {len(given)} values", start, self.words.at)

        def call(row: Row) -> Value:
            values = [argument(row) for argument in given]
            return function.call(*(values if function.knows_missing else [_known(value, name) for value in values]))

        return call

    def _bin(self) -> Expression:
        start, written = self.words.at, self.words.period()
        found = _PERIOD.fullmatch(written)
        if not found or found[2] not in _UNITS or int(found[1]) == 0:
            raise QueryError(f"bin({written}) is not covered here: {', '.join(_UNITS)}", start, self.words.at)
        self.words.expect(")")
        period = int(found[1]) * _UNITS[found[2]]

        def begins(row: Row) -> Value:
            moment = row.get("@timestamp")
            if not isinstance(moment, Moment):
                raise QueryError("bin meets a row without @timestamp")
            return Moment(moment.milliseconds // period * period)

        return begins


def _known(value: Value, name: str) -> Value:
    if value is None:
        raise QueryError(
            f"{name} meets a line that lacks the field: AWS's documentation does not say what comes of it. Leave such "
            "lines out by `filter ispresent(FIELD)` or `ispresent(FIELD) and ...` before it"
        )
    return value


def _condition(value: Value) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise QueryError(f"{text_of(value)!r} stands where a condition should be")


def _joined(parts: list[Expression], decides: bool) -> Expression:
    def joined(row: Row) -> Value:
        unknown = False
        for part in parts:
            found = _condition(part(row))
            if found is decides:
                return decides
            unknown = unknown or found is None
        return None if unknown else not decides

    return joined


def _matching(left: Expression, matches: Callable[[str], bool]) -> Expression:
    def holds(row: Row) -> Value:
        value = left(row)
        return None if value is None else matches(text_of(value))

    return holds


def _calculation(sign: str, left: Expression, right: Expression) -> Expression:
    def calculated(row: Row) -> Value:
        first, second = (number(_known(part(row), sign), sign) for part in (left, right))
        try:
            return _ARITHMETIC[sign](first, second)
        except ArithmeticError as error:
            raise QueryError(f"{first:g} {sign} {second:g}: {error}") from error

    return calculated


def _comparison(sign: str, left: Expression, right: Expression) -> Expression:
    return lambda row: _compared(sign, left(row), right(row))


def _compared(sign: str, left: Value, right: Value) -> bool | None:
    if left is None or right is None:
        return _known(None, sign) if sign == "!=" else None  # type: ignore[return-value]  # it never returns
    first, second = _comparable(left), _comparable(right)
    if sign in ORDERS:
        if first is None or second is None:
            raise QueryError(
                f"{text_of(left)!r} {sign} {text_of(right)!r}: in which order texts are, AWS's documentation says of "
                "`sort` only"
            )
        return ORDERS[sign](first, second)
    texts = isinstance(left, str) and isinstance(right, str)
    same = text_of(left) == text_of(right) if texts or first is None or second is None else first == second
    return same is (sign == "=")


def _comparable(value: Value) -> float | None:
    return value.milliseconds if isinstance(value, Moment) else number_of(value)
