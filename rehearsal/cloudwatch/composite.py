"""The rule of a composite alarm, as PutCompositeAlarm takes it: ALARM("a") AND (OK("b") OR NOT ALARM(c)).

NOT binds before AND, and that before OR. AT_LEAST is not covered: nothing here uses it.
Source: Amazon CloudWatch API Reference, "PutCompositeAlarm".
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from rehearsal.cloudwatch.conditions import Conditions

STATES = ("ALARM", "OK", "INSUFFICIENT_DATA")
LONGEST_RULE = 10240
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
class _Parser(Conditions[Mapping[str, str]]):
    TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[()]|[^\s()"]+)')
    AND, OR, KIND, UNREADABLE, ERROR = "AND", "OR", "rule", "has an open quotation mark", RuleError

    alarms: set[str] = field(default_factory=set)

    def condition(self) -> Holds:
        if self.takes("NOT"):
            inner = self.part()
            return lambda states: not inner(states)
        word = self.next()
        if word in ("TRUE", "FALSE"):
            return lambda _: word == "TRUE"
        if word not in STATES:
            raise self.wrong(f"has {word!r} where a state should be ({', '.join(STATES)}), TRUE or FALSE")
        self.expect("(")
        name = self._name()
        self.expect(")")
        return lambda states: states[name] == word

    def _name(self) -> str:
        word = self.next()
        if word in ("(", ")"):
            raise self.wrong("names no alarm between brackets")
        name = re.sub(r"\\(.)", r"\1", word[1:-1]) if word.startswith('"') else word
        if match := _ARN.fullmatch(name):
            name = match[1]
        self.alarms.add(name)
        return name
