"""Metric math: the part of CloudWatch's expressions that alarms here use.

Numbers, metrics by their id, + - * / and comparisons, AND, OR, brackets, and FILL, IF, MAX, MIN, SUM, AVG, ABS, and
MINUTE, HOUR and EPOCH (UTC) of where a series has datapoints.
Source: Amazon CloudWatch User Guide, "Using math expressions with CloudWatch metrics". A missing datapoint is 0, as
it says, to arithmetic, to comparisons of two time series, to AVG, and to IF where its condition is true.
"""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

Series = dict[int, float]  # value by the beginning of its period; a missing datapoint has no entry
Value = float | Series | list["float | Series"]
Numbers = Callable[[float, float], float]

_TOKEN = re.compile(r"\s*(?:(\d+\.?\d*|\.\d+)|([A-Za-z]\w*)|(==|!=|<=|>=|&&|\|\||[-+*/()<>,\[\]]))")
_COMPARISONS: dict[str, Numbers] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_REDUCERS: dict[str, Callable[[Sequence[float]], float]] = {
    "MAX": max,
    "MIN": min,
    "SUM": sum,
}
_CLOCKS: dict[str, Callable[[int], float]] = {
    "MINUTE": lambda time: float(time // 60 % 60),
    "HOUR": lambda time: float(time // 3600 % 24),
    "EPOCH": float,
}
# What makes one number of a whole series, or looks back in it: its value at one time depends on others.
_LOOKS_AROUND = re.compile(r"\b(MAX|MIN|SUM|AVG)\s*\((?!\s*\[)|\bREPEAT\b", re.IGNORECASE)


class MathError(ValueError):
    """An expression that is wrong, or that this part of metric math does not cover."""


def evaluate(expression: str, metrics: Mapping[str, Value], times: Sequence[int]) -> Series:
    """Compute an expression for the periods that begin at `times`. Raises MathError."""
    result = _Parser(expression=expression, metrics=metrics, times=times).whole()
    if isinstance(result, list):
        raise MathError(f"{expression!r} yields several time series; an alarm needs one")
    return result if isinstance(result, dict) else dict.fromkeys(times, result)


def names(expression: str) -> set[str]:
    """The words of an expression: ids of queries, and names of functions. Raises MathError."""
    return {word for word in _tokens(expression) if word[0].isalpha()}


def is_pointwise(expression: str) -> bool:
    """Whether its value at a time depends on its metrics at that time only: then many times can be computed at once."""
    return _LOOKS_AROUND.search(expression) is None


@dataclass
class _Parser:
    expression: str
    metrics: Mapping[str, Value]
    times: Sequence[int]
    tokens: list[str] = field(default_factory=list)

    def whole(self) -> Value:
        self.tokens = _tokens(self.expression)
        result = self._either()
        if self.tokens:
            raise MathError(f"{self.expression!r} goes on with {self.tokens[0]!r} where it should end")
        return result

    def _next(self) -> str:
        if not self.tokens:
            raise MathError(f"{self.expression!r} ends too early")
        return self.tokens.pop(0)

    def _takes(self, *words: str) -> str:
        if self.tokens and self.tokens[0].upper() in words:
            return self.tokens.pop(0).upper()
        return ""

    def _expect(self, word: str) -> None:
        if self._next() != word:
            raise MathError(f"{self.expression!r} lacks a {word!r}")

    def _either(self) -> Value:
        left = self._both()
        while self._takes("OR", "||"):
            left = _combine(lambda a, b: float(bool(a) or bool(b)), left, self._both())
        return left

    def _both(self) -> Value:
        left = self._comparison()
        while self._takes("AND", "&&"):
            left = _combine(lambda a, b: float(bool(a) and bool(b)), left, self._comparison())
        return left

    def _comparison(self) -> Value:
        left = self._sum()
        if word := self._takes(*_COMPARISONS):
            compare = _COMPARISONS[word]
            return _combine(lambda a, b: float(compare(a, b)), left, self._sum())
        return left

    def _sum(self) -> Value:
        left = self._product()
        while word := self._takes("+", "-"):
            left = _combine(operator.add if word == "+" else operator.sub, left, self._product())
        return left

    def _product(self) -> Value:
        left = self._sign()
        while word := self._takes("*", "/"):
            left = _combine(operator.mul if word == "*" else operator.truediv, left, self._sign())
        return left

    def _sign(self) -> Value:
        if self._takes("-"):
            return _combine(operator.mul, -1.0, self._sign())
        return self._term()

    def _term(self) -> Value:
        word = self._next()
        if word == "(":
            inner = self._either()
            self._expect(")")
            return inner
        if word == "[":
            return [_single(one) for one in self._list("]")]
        if word[0].isdigit() or word[0] == ".":
            return float(word)
        if self._takes("("):
            return self._function(word.upper())
        if word in self.metrics:
            return self.metrics[word]
        raise MathError(f"{self.expression!r} uses {word!r}, which is no id of the alarm's queries")

    def _list(self, end: str) -> list[Value]:
        found = [self._either()]
        while self._takes(","):
            found.append(self._either())
        self._expect(end)
        return found

    def _function(self, name: str) -> Value:
        if name == "FILL":
            return self._fill()
        arguments = self._list(")")
        if name == "IF" and len(arguments) in (2, 3):
            return self._if(*(_single(one) for one in arguments))
        if name == "ABS" and len(arguments) == 1:
            return _combine(lambda a, _: abs(a), _single(arguments[0]), 0.0)
        if name in _CLOCKS and len(arguments) == 1 and isinstance(arguments[0], dict):
            return {time: _CLOCKS[name](time) for time in arguments[0]}
        if name == "AVG" and len(arguments) == 1:
            return self._average(arguments[0])
        if name in _REDUCERS and len(arguments) == 1:
            return self._reduce(_REDUCERS[name], arguments[0])
        raise MathError(f"{self.expression!r} uses {name} in a way that is not covered here")

    def _fill(self) -> Value:
        metric = _single(self._either())
        self._expect(",")
        repeat = self._takes("REPEAT")
        filler = 0.0 if repeat else _single(self._either())
        self._expect(")")
        given = metric if isinstance(metric, dict) else dict.fromkeys(self.times, metric)
        filled: Series = {}
        last: float | None = None
        for time in sorted({*self.times, *given}):
            last = given.get(time, last if repeat else _at(filler, time))
            if last is not None:
                filled[time] = last
        return filled

    def _if(self, condition: "float | Series", yes: "float | Series", no: "float | Series | None" = None) -> Value:
        if not isinstance(condition, dict):
            chosen = yes if condition else no
            return {} if chosen is None else chosen
        result: Series = {}
        for time, holds in condition.items():
            number = (_at(yes, time) or 0.0) if holds else _at({} if no is None else no, time)
            if number is not None:
                result[time] = number
        return result

    def _average(self, argument: Value) -> Value:
        """The mean of a series (a number), or of an array at each time that one of them has; missing ones are 0."""
        total, parts = self._reduce(sum, argument), float(len(argument) if isinstance(argument, list) else 1)
        if isinstance(argument, dict):
            parts = float(len({*self.times, *argument}))
        return _combine(operator.truediv, total, parts)

    def _reduce(self, reducer: Callable[[Sequence[float]], float], argument: Value) -> Value:
        if isinstance(argument, dict):  # of one series: a number
            return reducer(list(argument.values())) if argument else {}
        if isinstance(argument, float):
            return argument
        result: Series = {}
        for time in self.times:
            numbers = [number for one in argument if (number := _at(one, time)) is not None]
            if numbers:
                result[time] = reducer(numbers)
        return result


def _tokens(expression: str) -> list[str]:
    tokens, position = [], 0
    text = expression.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise MathError(f"{expression!r} has something that is not covered here at {text[position:]!r}")
        tokens.append(match[0].strip())
        position = match.end()
    return tokens


def _single(found: Value) -> "float | Series":
    if isinstance(found, list):
        raise MathError("an array of time series stands where one is needed")
    return found


def _at(found: "float | Series", time: int) -> float | None:
    return found.get(time) if isinstance(found, dict) else found


def _combine(compute: Numbers, left: Value, right: Value) -> Value:
    """Number by number, at each time that one of the two has; the other is 0 then. A division by zero leaves none."""
    first, second = _single(left), _single(right)
    if not isinstance(first, dict) and not isinstance(second, dict):
        return float(compute(first, second)) if not (compute is operator.truediv and second == 0) else {}
    times = sorted({time for one in (first, second) if isinstance(one, dict) for time in one})
    pairs = {time: (_at(first, time) or 0.0, _at(second, time) or 0.0) for time in times}
    return {
        time: float(compute(a, b)) for time, (a, b) in pairs.items() if not (compute is operator.truediv and b == 0)
    }
