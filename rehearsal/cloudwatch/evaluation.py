"""The state of a metric alarm: M out of N datapoints, and what missing ones count as.

Source: Amazon CloudWatch User Guide, "Alarm evaluation" and "Configuring how CloudWatch alarms treat missing data".
"""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass

# CloudWatch looks at more datapoints than it needs, in case some are missing. How many is not published; the documented
# examples look at 5 for an alarm on 3.
EXTRA_DATAPOINTS = 2
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_WORDS = {
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "GreaterThanThreshold": "greater than",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}
MISSING_DATA = ("missing", "ignore", "breaching", "notBreaching")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """When an alarm alarms. `missing` is one of MISSING_DATA, `comparison` one of COMPARISONS."""

    periods: int
    datapoints: int
    comparison: str
    threshold: float
    missing: str = "missing"

    @property
    def range(self) -> int:
        """Datapoints that an evaluation looks at."""
        return self.periods + EXTRA_DATAPOINTS

    def breached_by(self, number: float) -> bool:
        """Whether a datapoint is outside of the threshold."""
        return COMPARISONS[self.comparison](number, self.threshold)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The state an alarm must have (None: the one it has) and CloudWatch's words for why."""

    state: str | None
    reason: str = ""


def evaluate(rule: Rule, numbers: Sequence[float | None]) -> Outcome:
    """Evaluate an alarm on its most recent datapoints, oldest first; None is a missing one."""
    recent = list(numbers)[-rule.range :]
    real = [number for number in recent if number is not None]
    if len(real) >= rule.periods:
        return _count(rule, real[-rule.periods :], filled=0)
    filled = rule.periods - len(real)
    if rule.missing in ("breaching", "notBreaching"):
        return _count(rule, real, filled=filled)
    if not real:
        return _unknown(rule, filled)
    breaching = [number for number in real if rule.breached_by(number)]
    if len(breaching) >= rule.datapoints or len(breaching) < len(real):
        return _count(rule, real, filled=filled)
    return _premature(rule, real, age=_age_of_oldest(recent))


def _count(rule: Rule, real: Sequence[float], *, filled: int) -> Outcome:
    breaching = [number for number in real if rule.breached_by(number)]
    bad = len(breaching) + (filled if rule.missing == "breaching" else 0)
    state = "ALARM" if bad >= rule.datapoints else "OK"
    shown = breaching if state == "ALARM" else [number for number in real if not rule.breached_by(number)]
    return Outcome(state=state, reason=_crossed(rule, state, shown or list(real), filled))


def _unknown(rule: Rule, filled: int) -> Outcome:
    if rule.missing == "ignore":
        return Outcome(state=None)
    return Outcome(
        state="INSUFFICIENT_DATA",
        reason=f"Insufficient Data: {_datapoints(filled)} {'was' if filled == 1 else 'were'} unknown.",
    )


def _premature(rule: Rule, real: Sequence[float], *, age: int) -> Outcome:
    """Too few datapoints, each of them breaching: an alarm only when the oldest is old enough.

    "Alarms are designed to always go into ALARM state when the oldest available breaching datapoint [...] is at least
    as old as the value of Datapoints to Alarm, and all other more recent data points are breaching or missing."
    """
    if rule.missing == "ignore":
        return Outcome(state=None)
    if age >= rule.datapoints:
        return Outcome(state="ALARM", reason=_crossed(rule, "ALARM", real, rule.periods - len(real)))
    return _unknown(rule, rule.periods - len(real))


def _age_of_oldest(recent: Sequence[float | None]) -> int:
    """How many datapoints ago the oldest real one was; the most recent one is 1 old."""
    return len(recent) - next(index for index, number in enumerate(recent) if number is not None)


def _crossed(rule: Rule, state: str, shown: Sequence[float], filled: int) -> str:
    word = _WORDS[rule.comparison]
    negation = "" if state == "ALARM" else "not "
    if not shown:
        good = "Breaching" if rule.missing == "breaching" else "NonBreaching"
        return (
            f"Threshold Crossed: no datapoints were received for {filled} period{'' if filled == 1 else 's'} and "
            f"{filled} missing datapoint{' was' if filled == 1 else 's were'} treated as [{good}]."
        )
    numbers = ", ".join(str(float(number)) for number in shown)
    verb = "was" if len(shown) == 1 else "were"
    return (
        f"Threshold Crossed: {len(shown)} out of the last {_datapoints(rule.periods)} [{numbers}] {verb} {negation}"
        f"{word} the threshold ({rule.threshold})."
    )


def _datapoints(number: int) -> str:
    return f"{number} datapoint{'' if number == 1 else 's'}"
