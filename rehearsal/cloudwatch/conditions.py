"""Conditions that AND, OR and brackets join, as rules of composite alarms and filter patterns of logs have them."""

import operator
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, Generic, TypeVar

Subject = TypeVar("Subject")
ORDERS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
"""Comparisons of numbers, by their signs."""


@dataclass
class Conditions(ABC, Generic[Subject]):
    """Reads `text`; AND binds before OR. What a condition is by itself, and what its words are, is a subclass's."""

    TOKEN: ClassVar[re.Pattern[str]]
    """A word, in its first group."""
    AND: ClassVar[str]
    OR: ClassVar[str]
    KIND: ClassVar[str]
    UNREADABLE: ClassVar[str]
    """What is wrong where no word begins."""
    ERROR: ClassVar[type[ValueError]]

    text: str
    tokens: list[str] = field(default_factory=list)

    @abstractmethod
    def condition(self) -> Callable[[Subject], bool]:
        """Read one condition from where the reading stands."""

    def whole(self) -> Callable[[Subject], bool]:
        """Read all of it. Raises ERROR."""
        self.tokens = self._split(self.inner().rstrip())
        holds = self._either()
        if self.tokens:
            raise self.wrong(f"goes on with {self.tokens[0]!r} where it should end")
        return holds

    def inner(self) -> str:
        """Return what is to be read of the text."""
        return self.text

    def wrong(self, why: str) -> ValueError:
        """Make the error that says so."""
        return self.ERROR(f"the {self.KIND} {self.text!r} {why}")

    def next(self) -> str:
        """Take the next word."""
        if not self.tokens:
            raise self.wrong("ends too early")
        return self.tokens.pop(0)

    def takes(self, token: str) -> bool:
        """Take this word if it is the next one."""
        if self.tokens[:1] != [token]:
            return False
        self.tokens.pop(0)
        return True

    def expect(self, token: str) -> None:
        """Take this word, which must be the next one."""
        if not self.takes(token):
            raise self.wrong(f"lacks a {token!r}")

    def part(self) -> Callable[[Subject], bool]:
        """Read one condition, or what stands between brackets."""
        if not self.takes("("):
            return self.condition()
        holds = self._either()
        self.expect(")")
        return holds

    def _either(self) -> Callable[[Subject], bool]:
        parts = [self._both()]
        while self.takes(self.OR):
            parts.append(self._both())
        return lambda subject: any(holds(subject) for holds in parts)

    def _both(self) -> Callable[[Subject], bool]:
        parts = [self.part()]
        while self.takes(self.AND):
            parts.append(self.part())
        return lambda subject: all(holds(subject) for holds in parts)

    def _split(self, text: str) -> list[str]:
        tokens, position = [], 0
        while position < len(text):
            match = self.TOKEN.match(text, position)
            if match is None:
                raise self.wrong(f"{self.UNREADABLE} at {text[position:].strip()!r}")
            tokens.append(match[1])
            position = match.end()
        return tokens
