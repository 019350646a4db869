"""The words of a query: fields, texts, numbers, signs, and regular expressions where one is expected."""

import re
from collections.abc import Callable

_COMMENT = re.compile(r"^[ \t]*#.*$", re.MULTILINE)
_SPACE = re.compile(r"\s*")
_FIELD = re.compile(r"[@A-Za-z_][\w@.]*", re.ASCII)
_NUMBER = re.compile(r"\d+(\.\d+)?")
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"|' + r"'((?:[^'\\]|\\.)*)'", re.DOTALL)
_QUOTED_FIELD = re.compile(r"`([^`]+)`")
_REGEX = re.compile(r"/((?:[^/\\\n]|\\.)+)/")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_SIGN = re.compile(r"!=|<=|>=|=~|[=<>()\[\],|+*/^%-]")
_ANYTHING = re.compile(r"\w+|\S", re.ASCII)
_CASELESS = re.compile(r"(\^?)\(\?i\)(.*)", re.DOTALL)


class QueryError(ValueError):
    """A query that is wrong, or asks for what is not covered here; the message names it.

    `start` and `end` are where in the query, as CloudWatch counts them.
    """

    def __init__(self, message: str, start: int = 0, end: int = 0) -> None:
        super().__init__(message)
        self.start, self.end = start, end


class Words:
    """Reads a query from its beginning to its end. Lines that begin with # are comments."""

    def __init__(self, text: str) -> None:
        self._text = _COMMENT.sub(lambda match: " " * len(match[0]), text)
        self._at = 0
        self._skip()

    @property
    def at(self) -> int:
        """Where the next word begins."""
        return self._at

    def since(self, start: int) -> str:
        """What was read since then, as it is written."""
        return self._text[start : self._at].rstrip()

    def unexpected(self, hint: str = "") -> QueryError:
        """Make the error that the next word must not stand here, in CloudWatch's words."""
        found = _ANYTHING.match(self._text, self._at)
        word = found[0] if found else "<EOF>"
        before = self._text[: self._at]
        line, column = before.count("\n") + 1, self._at - (before.rfind("\n") + 1)
        message = f"unexpected symbol found {word} at line {line} and position {column}"
        return QueryError(f"{message}{hint and f': {hint}'}", self._at, self._at + len(word) * bool(found))

    def sign(self, *signs: str) -> str:
        """Take one of these signs if it is next; empty if none is."""
        found = _SIGN.match(self._text, self._at)
        return self._take(found)[0] if found and found[0] in signs else ""

    def follows(self, sign: str) -> bool:
        """Whether this sign is next."""
        return self._text.startswith(sign, self._at)

    def expect(self, sign: str) -> None:
        """Take this sign, which must be next."""
        if not self.sign(sign):
            raise self.unexpected(f"{sign!r} is missing")

    def keyword(self, *words: str) -> str:
        """Take one of these words if it is next, in capitals or not; empty if none is."""
        found = _FIELD.match(self._text, self._at)
        return self._take(found)[0].lower() if found and found[0].lower() in words else ""

    def field(self) -> str:
        """Take the name of a field, empty if none is next: other than letters, digits, @, . and _ need `backticks`."""
        if found := _QUOTED_FIELD.match(self._text, self._at):
            return self._take(found)[1]
        found = _FIELD.match(self._text, self._at)
        return self._take(found)[0] if found else ""

    def function(self) -> str:
        """Take the name of a function and the bracket after it; empty if none is next."""
        found = re.compile(r"([A-Za-z_]+)\s*\(", re.ASCII).match(self._text, self._at)
        return self._take(found)[1] if found else ""

    def number(self) -> float | None:
        """Take a number, without a sign before it."""
        found = _NUMBER.match(self._text, self._at)
        return float(self._take(found)[0]) if found else None

    def period(self) -> str:
        """Take a time such as 5m."""
        found = re.compile(r"\d+[a-z]+").match(self._text, self._at)
        if not found:
            raise self.unexpected("a time such as 5m is missing")
        return self._take(found)[0]

    def text(self) -> str | None:
        """Take a text between quotation marks."""
        found = _TEXT.match(self._text, self._at)
        if not found:
            return None
        written = found[1] if found[1] is not None else found[2]
        if odd := next((escape[0] for escape in _ESCAPE.finditer(written) if escape[1] not in "\"'\\"), ""):
            raise self.unexpected(f"what {odd} means in a text is not covered here")
        self._take(found)
        return _ESCAPE.sub(r"\1", written)

    def regex(self) -> re.Pattern[str] | None:
        """Take a regular expression between slashes."""
        found = _REGEX.match(self._text, self._at)
        if not found:
            return None
        body, flags = found[1].replace("\\/", "/"), re.ASCII
        if caseless := _CASELESS.fullmatch(body):
            body, flags = caseless[1] + caseless[2], re.ASCII | re.IGNORECASE
        try:
            if "(?P" in body:
                raise self.unexpected("groups are named (?<name>...)")
            pattern = re.compile(re.sub(r"\(\?<(?![=!])", "(?P<", body), flags)
        except re.error as error:
            raise self.unexpected(f"this regular expression is not covered here: {error}") from error
        self._take(found)
        return pattern

    def listed(self, read: Callable[[], None]) -> None:
        """Read one after the other, with commas between them."""
        read()
        while self.sign(","):
            read()

    @property
    def ended(self) -> bool:
        """Whether nothing follows."""
        return self._at >= len(self._text)

    def _take(self, found: re.Match[str]) -> re.Match[str]:
        self._at = found.end()
        self._skip()
        return found

    def _skip(self) -> None:
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at
