"""As much of Groovy as a Jenkinsfile without logic needs: calls with blocks, assignments, literals. Else an error."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from tests.pipelines.model import UnreadableError

_TOKEN = re.compile(
    r"(?P<space>[ \t]+|//[^\n]*)|(?P<end>[\n;])|(?P<text>'[^'\\\n]*'|\"[^\"\\\n]*\")|(?P<number>\d+)"
    r"|(?P<word>[A-Za-z_][\w.]*)|(?P<mark>==|[{}()\[\],:=?])"
)


@dataclass(frozen=True)
class Text:
    """A text; `filled` where Groovy puts variables into it."""

    value: str
    filled: bool


@dataclass(frozen=True)
class Word:
    """A name, such as params.ACTION."""

    value: str


Value = object


@dataclass(frozen=True)
class Call:
    """`name(values, key: value) { body }`, with or without the parentheses; of an assignment the name ends in `=`."""

    name: str
    values: tuple[Value, ...]
    named: tuple[tuple[str, Value], ...]
    body: tuple[Call, ...] | None


@cache
def parse(text: str) -> tuple[Call, ...]:
    """Return the calls of a file.

    Raises:
        UnreadableError: something else is in it.

    """
    tokens: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if not found:
            line = text.count("\n", 0, at) + 1
            raise UnreadableError(f"Jenkinsfile, line {line}: `{text[at : at + 20]}` is not understood here")
        if found.lastgroup not in {"space", None}:
            tokens.append((str(found.lastgroup), found.group()))
        at = found.end()
    parser = _Parser([*tokens, ("end", "\n")])
    calls = parser.calls(until=None)
    return tuple(calls)


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens, self._at = tokens, 0

    def calls(self, until: str | None) -> list[Call]:
        found: list[Call] = []
        while True:
            while self._is("\n") or self._is(";"):
                self._at += 1
            if self._at == len(self._tokens) and until is None:
                return found
            if until and self._is(until):
                self._at += 1
                return found
            found.append(self._call())

    def _call(self) -> Call:
        name = self._take("word")
        if self._is("="):
            self._at += 1
            return Call(f"{name}=", (self._value(),), (), None)
        values: list[Value] = []
        named: list[tuple[str, Value]] = []
        if self._is("("):
            self._at += 1
            self._arguments(values, named, ")")
            self._expect(")")
        elif not self._ends():
            self._arguments(values, named, "{")
        body = None
        if self._is("{"):
            self._at += 1
            body = tuple(self.calls(until="}"))
        if not self._ends():
            raise UnreadableError(f"Jenkinsfile: after {name}, {self._peek()[1]!r} is not understood here")
        return Call(name, tuple(values), tuple(named), body)

    def _arguments(self, values: list[Value], named: list[tuple[str, Value]], until: str) -> None:
        while not self._is(until) and not (until == "{" and self._ends()):
            if self._peek()[0] == "word" and self._peek(1)[1] == ":":
                key = self._take("word")
                self._at += 1
                named.append((key, self._value()))
            else:
                values.append(self._value())
            if not self._is(","):
                return
            self._at += 1

    def _value(self) -> Value:
        kind, text = self._peek()
        if kind == "text":
            self._at += 1
            return self._chosen(Text(text[1:-1], text[0] == '"' and "$" in text))
        if kind == "number":
            self._at += 1
            return int(text)
        if text == "[":
            self._at += 1
            items: list[Value] = []
            self._arguments(items, [], "]")
            self._expect("]")
            return tuple(items)
        if kind == "word":
            if self._peek(1)[1] == "(":
                return self._call()
            self._at += 1
            return self._chosen(Word(text))
        raise UnreadableError(f"Jenkinsfile: {text!r} is not understood here")

    def _chosen(self, left: Value) -> Value:
        """`left == right ? one : other`, as the one call `?`: who reads it decides whether it may be there."""
        if not self._is("=="):
            return left
        self._at += 1
        right = self._value()
        self._expect("?")
        one = self._value()
        self._expect(":")
        return Call("?", (left, right, one, self._value()), (), None)

    def _ends(self) -> bool:
        return any(self._is(mark) for mark in ("\n", ";", "}", "{", ")", ","))

    def _peek(self, further: int = 0) -> tuple[str, str]:
        at = self._at + further
        return self._tokens[at] if at < len(self._tokens) else ("end", "")

    def _is(self, text: str) -> bool:
        kind, found = self._peek()
        return found == text and kind != "text"

    def _take(self, kind: str) -> str:
        found, text = self._peek()
        if found != kind:
            raise UnreadableError(f"Jenkinsfile: {text!r} is not understood here")
        self._at += 1
        return text

    def _expect(self, mark: str) -> None:
        if not self._is(mark):
            raise UnreadableError(f"Jenkinsfile: {mark!r} is expected, and not {self._peek()[1]!r}")
        self._at += 1
