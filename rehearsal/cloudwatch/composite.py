"""The rule of a composite alarm, as PutCompositeAlarm takes it: ALARM("a") AND (OK("b") OR NOT ALARM(c)).

NOT binds before AND, and that before OR. AT_LEAST is not covered: nothing here uses it.
Source: Amazon CloudWatch API Reference, "PutCompositeAlarm".
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

STATES = ("ALARM", "OK", "INSUFFICIENT_DATA")
LONGEST_RULE = 10240
_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[()]|[^\s()"]+)')
_ARN = re.compile(r"arn:[^:]*:cloudwatch:[^:]*:[^:]*:alarm:(.+)")
Holds = Callable[[Mapping[str, str]], bool]


class RuleError(ValueError):
    """A rule that is wrong, or of a kind that is not covered here; the message says which part."""


@dataclass(frozen=True, kw_only=True)
class CompositeAlarm:
    """A rule on the states of other alarms, by their names."""

    alarms: frozenset[str]
    holds: Holds

    def state(self, states: Mapping[str, str]) -> str:
        """Its state when those of `alarms` are these; a composite alarm never lacks data once it was evaluated."""
        return "ALARM" if self.holds(states) else "OK"


def read(rule: str) -> CompositeAlarm:
    """Read a rule; alarms may be named by name or by ARN. Raises RuleError."""
    if len(rule) > LONGEST_RULE:
        raise RuleError(f"a rule has at most {LONGEST_RULE} characters, this one {len(rule)}")
    parser = _Parser(rule)
    return CompositeAlarm(holds=parser.whole(), alarms=frozenset(parser.alarms))


@dataclass
class _Parser:
    rule: str
    alarms: set[str] = field(default_factory=set)
    tokens: list[str] = field(default_factory=list)

    def whole(self) -> Holds:
        self.tokens = self._split()
        holds = self._either()
        if self.tokens:
            raise self._wrong(f"goes on with {self.tokens[0]!r} where it should end")
        return holds

    def _wrong(self, why: str) -> RuleError:
        return RuleError(f"the rule {self.rule!r} {why}")

    def _split(self) -> list[str]:
        tokens, position, text = [], 0, self.rule.rstrip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                raise self._wrong(f"has an open quotation mark at {text[position:].strip()!r}")
            tokens.append(match[1])
            position = match.end()
        return tokens

    def _next(self) -> str:
        if not self.tokens:
            raise self._wrong("ends too early")
        return self.tokens.pop(0)

    def _takes(self, token: str) -> bool:
        if self.tokens[:1] != [token]:
            return False
        self.tokens.pop(0)
        return True

    def _expect(self, token: str) -> None:
        if not self._takes(token):
            raise self._wrong(f"lacks a {token!r}")

    def _either(self) -> Holds:
        parts = [self._both()]
        while self._takes("OR"):
            parts.append(self._both())
        return lambda states: any(holds(states) for holds in parts)

    def _both(self) -> Holds:
        parts = [self._term()]
        while self._takes("AND"):
            parts.append(self._term())
        return lambda states: all(holds(states) for holds in parts)

    def _term(self) -> Holds:
        if self._takes("NOT"):
            inner = self._term()
            return lambda states: not inner(states)
        if self._takes("("):
            inner = self._either()
            self._expect(")")
            return inner
        word = self._next()
        if word in ("TRUE", "FALSE"):
            return lambda _: word == "TRUE"
        if word not in STATES:
            raise self._wrong(f"has {word!r} where a state should be ({', '.join(STATES)}), TRUE or FALSE")
        self._expect("(")
        name = self._name()
        self._expect(")")
        return lambda states: states[name] == word

    def _name(self) -> str:
        word = self._next()
        if word in ("(", ")"):
            raise self._wrong("names no alarm between brackets")
        name = re.sub(r"\\(.)", r"\1", word[1:-1]) if word.startswith('"') else word
        if match := _ARN.fullmatch(name):
            name = match[1]
        self.alarms.add(name)
        return name
