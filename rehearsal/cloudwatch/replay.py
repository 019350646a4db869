"""What alarms would have done: their states minute by minute over published data, metric alarms and composite ones.

An alarm whose value for a period depends on that period only is computed for all minutes at once, and its rule once for
each pattern of breaching, fine and missing datapoints; the outcome is that of `Alarm.evaluate` at every minute.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rehearsal.cloudwatch.alarm import MINUTE, Alarm, Metric, Source
from rehearsal.cloudwatch.composite import CompositeAlarm
from rehearsal.cloudwatch.evaluation import evaluate
from rehearsal.cloudwatch.statistics import Datum

NEW = "INSUFFICIENT_DATA"


class Change(NamedTuple):
    """The moment of an evaluation that changed an alarm's state, and the new one."""

    at: int
    state: str


@dataclass(frozen=True, kw_only=True)
class Replay:
    """From when to when alarms are evaluated, in seconds since 1970 and on whole minutes; the first is after a minute.

    `late` is how many seconds after its end CloudWatch knows a minute's numbers: whole minutes.
    """

    source: Source
    begin: int
    end: int
    late: int = 0

    @property
    def moments(self) -> range:
        """When alarms are evaluated."""
        return range(self.begin + MINUTE, self.end + 1, MINUTE)

    def changes(self, alarms: Mapping[str, Alarm], composites: Mapping[str, CompositeAlarm]) -> dict[str, list[Change]]:
        """How each alarm's state changed, by name. Raises KeyError for a composite of alarms that are not given."""
        states = {name: self.states(alarm) for name, alarm in alarms.items()}
        for name, composite in composites.items():
            children = {child: states[child] for child in composite.alarms}
            states[name] = [
                composite.state(dict(zip(children, row, strict=True))) for row in zip(*children.values(), strict=True)
            ]
        return {name: self._changes(found) for name, found in states.items()}

    def states(self, alarm: Alarm) -> list[str]:
        """The state of a metric alarm after each evaluation; a new one lacks data.

        Raises ValueError for an alarm on periods that are shorter than a minute.
        """
        if alarm.period < MINUTE:
            raise ValueError(f"an alarm on periods of {alarm.period} seconds is not replayed: moments are minutes here")
        found = self._at_once(alarm) if alarm.is_pointwise else self._one_by_one(alarm)
        states, state = [], NEW
        for moment, outcome in zip(self.moments, found, strict=True):
            if moment % alarm.step == 0:  # those that are looked at by the hour keep their state between
                state = outcome or state
            states.append(state)
        return states

    def _changes(self, states: Sequence[str]) -> list[Change]:
        before = [NEW, *states[:-1]]
        rows = zip(self.moments, before, states, strict=True)
        return [Change(moment, state) for moment, last, state in rows if state != last]

    def _one_by_one(self, alarm: Alarm) -> list[str | None]:
        return [alarm.evaluate(moment, self._known_at(moment)).state for moment in self.moments]

    def _known_at(self, moment: int) -> Source:
        def known(metric: Metric, start: float, end: float) -> Sequence[Datum]:
            return self.source(metric, start, min(end, moment - self.late))

        return known

    def _at_once(self, alarm: Alarm) -> list[str | None]:
        rule, period = alarm.rule, alarm.period
        begins = range(self.begin + MINUTE - period * rule.range, self.end - period + 1, MINUTE)
        known: dict[int, list[float | None]] = {}
        numbers, marks = [], []
        for back in range(rule.range, 0, -1):
            # The newest windows lack what is not known yet: with so many seconds at their end, others nothing.
            hidden = max(0, self.late - (back - 1) * period)
            if hidden not in known:
                known[hidden] = self._without(alarm, hidden, begins)
            first = period * (rule.range - back) // MINUTE
            numbers.append(known[hidden][first : first + len(self.moments)])
            marks.append([None if number is None else rule.breached_by(number) for number in numbers[-1]])
        outcomes: dict[tuple[bool | None, ...], str | None] = {}
        for pattern, row in zip(zip(*marks, strict=True), zip(*numbers, strict=True), strict=True):
            if pattern not in outcomes:
                outcomes[pattern] = evaluate(rule, row).state
        return [outcomes[pattern] for pattern in zip(*marks, strict=True)]

    def _without(self, alarm: Alarm, seconds: int, begins: Sequence[int]) -> list[float | None]:
        """An alarm's value for each period, without the last so many seconds of the period."""

        def known(metric: Metric, start: float, end: float) -> Sequence[Datum]:
            return self.source(metric, start, end - seconds)

        values = alarm.values(begins, known if seconds else self.source)
        return [values.get(begin) for begin in begins]
