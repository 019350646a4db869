"""JSON filter patterns of CloudWatch Logs: { $.level = "ERROR" && ($.status >= 500 || $.exception IS NULL) }.

A selector that meets an array or an object, or nothing at all, has no value, and no comparison with it holds, `!=`
included; `NOT EXISTS` alone asks whether it is there. (`EXISTS` and `IS NOT` are not of CloudWatch's language.)
"""

import json
import re
from collections.abc import Callable

from rehearsal.cloudwatch.conditions import ORDERS, Conditions

Test = Callable[[object], bool]
Selector = Callable[[object], object]
Chooser = Callable[[str], str | None]

_SELECTOR = re.compile(r"\$((?:\.[\w-]+|\.?\[\d+\]|\.?\['[^']+'\])+)", re.ASCII)
_STEP = re.compile(r"\.([\w-]+)|\.?\[(\d+)\]|\.?\['([^']+)'\]", re.ASCII)
_WORD = re.compile(r"[\w.*+-]+", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_CONSTANTS = {"NULL": None, "TRUE": True, "FALSE": False}
_MISSING = object()


class FilterPatternError(ValueError):
    """A filter pattern that is wrong, or of a kind that is not covered here; the message says what."""


def read_pattern(text: str) -> Callable[[str], bool]:
    """Read a pattern in curly brackets. Raises FilterPatternError."""
    test = _Parser(text).whole()

    def holds(message: str) -> bool:
        document = _parsed(message)
        return document is not _MISSING and test(document)

    return holds


def read_selector(text: str) -> Chooser:
    """Read a selector; what it chooses is a text or a number, as text. Raises FilterPatternError."""
    choose = _selector(text)

    return lambda message: _as_text(choose(_parsed(message)))


def _parsed(message: str) -> object:
    try:
        return json.loads(message)
    except ValueError:
        return _MISSING


def _selector(text: str) -> Selector:
    match = _SELECTOR.fullmatch(text)
    if match is None:
        raise FilterPatternError(
            f"{text!r} is no selector that is covered here: $.name.of.nested[0] or $.['name.with.dots'], without *"
        )
    steps = [name or quoted or int(index) for name, index, quoted in _STEP.findall(match[1])]

    def choose(document: object) -> object:
        for step in steps:
            document = _inside(document, step)
        return document

    return choose


def _inside(document: object, step: str | int) -> object:
    if isinstance(document, dict):
        return document.get(step, _MISSING)
    if isinstance(document, list) and isinstance(step, int) and step < len(document):
        return document[step]
    return _MISSING


def _as_number(found: object) -> float | None:
    return None if isinstance(found, bool) or not isinstance(found, int | float) else found


def _as_text(found: object) -> str | None:
    if isinstance(found, str):
        return found
    return None if _as_number(found) is None else json.dumps(found)


class _Parser(Conditions[object]):
    TOKEN = re.compile(
        r"""\s*(&&|\|\||[()]|!=|<=|>=|[=<>]|"(?:[^"\\]|\\.)*"|\$[^\s=!<>&|()]*|[^\s=!<>&|()"$]+)""", re.ASCII
    )
    AND, OR, KIND = "&&", "||", "filter pattern"
    UNREADABLE, ERROR = "has something that is not covered here", FilterPatternError

    def inner(self) -> str:
        text = self.text.strip()
        if not (text.startswith("{") and text.endswith("}")):
            raise self.wrong("lacks a '}' at its end")
        return text[1:-1]

    def condition(self) -> Test:
        choose, word = _selector(self.next()), self.next()
        if word == "IS":
            return self._is(choose)
        if word == "NOT" and self.takes("EXISTS"):
            return lambda document: choose(document) is _MISSING
        if word in ORDERS:
            return self._order(choose, ORDERS[word])
        if word in ("=", "!="):
            return self._equality(choose, equal=word == "=")
        hint = ' (CloudWatch has no EXISTS: = "*" says that there is a value)' if word == "EXISTS" else ""
        raise self.wrong(f"has {word!r} where a comparison should be{hint}")

    def _is(self, choose: Selector) -> Test:
        word = self.next()
        if word not in _CONSTANTS:
            raise self.wrong(f"has IS {word}; CloudWatch knows IS NULL, IS TRUE and IS FALSE")
        wanted = _CONSTANTS[word]
        return lambda document: choose(document) is wanted

    def _order(self, choose: Selector, compare: Callable[[float, float], bool]) -> Test:
        word = self.next()
        if not _NUMBER.fullmatch(word):
            raise self.wrong(f"compares with {word!r}, which is no number")
        limit = float(word)
        return lambda document: (found := _as_number(choose(document))) is not None and compare(found, limit)

    def _equality(self, choose: Selector, *, equal: bool) -> Test:
        word = self.next()
        if _NUMBER.fullmatch(word):
            number = float(word)
            return lambda document: (found := _as_number(choose(document))) is not None and (found == number) is equal
        if word.startswith('"'):
            word = re.sub(r"\\(.)", r"\1", word[1:-1])
        elif not _WORD.fullmatch(word):
            raise self.wrong(f"compares with {word!r}: put it in double quotes; %regular expressions% are not covered")
        wanted = re.compile(".*".join(re.escape(part) for part in word.split("*")), re.DOTALL)

        def same(document: object) -> bool:
            found = _as_text(choose(document))
            return found is not None and (wanted.fullmatch(found) is not None) is equal

        return same
