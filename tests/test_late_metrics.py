"""The program's own alarms when CloudWatch gets the balancer's numbers late: a minute without them reads zero first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rehearsal.cloudwatch import alarm as cloudwatch
from rehearsal.cloudwatch.statistics import Datum, value
from tests.alarm_scenarios.registered import registered

if TYPE_CHECKING:
    from rehearsal.cloudwatch.alarm import Metric

ROLLS_BACK, TELLS_PEOPLE = "release-errors", "target-errors"
MINUTE = 60
REQUESTS = 200.0
# CloudWatch evaluates an alarm on whole minutes, some time after each.
EVALUATED_AFTER = 5
WATCHED_MINUTES = 12


def description(label: str) -> dict[str, Any]:
    """An alarm of the staging stack as PutMetricAlarm gets it."""
    return registered("staging").metric_alarms[label]


def states(description: dict[str, Any], errors_by_minute: dict[int, float], delay: float) -> list[str | None]:
    """The alarm's state minute by minute, when each minute's numbers come `delay` seconds after its end."""
    alarm = cloudwatch.read(description)

    def at(now: float) -> str | None:
        def published(metric: Metric, start: float, end: float) -> list[Datum]:
            if end + delay > now:
                return []
            if metric.name == "RequestCount":
                return [value(1, count=REQUESTS)]
            errors = errors_by_minute.get(int(start) // MINUTE, 0.0)
            # The balancer says nothing where it counted nothing.
            return [value(1, count=errors)] if errors and metric.name == "HTTPCode_Target_5XX_Count" else []

        return alarm.evaluate(alarm.window_end(now), published).state

    return [at(minute * MINUTE + EVALUATED_AFTER) for minute in range(1, WATCHED_MINUTES)]


@pytest.mark.parametrize("delay", [0, 30, 60, 90, 120])
@pytest.mark.parametrize(("name", "bad"), [(ROLLS_BACK, {4: 150.0}), (TELLS_PEOPLE, {4: 150.0, 5: 150.0})])
def test_numbers_that_come_minutes_late_still_raise_the_alarm(name: str, bad: dict[int, float], delay: int) -> None:
    found = states(description(name), bad, delay)
    seen_at = found.index("ALARM") if "ALARM" in found else None
    assert seen_at is not None, "errors that come late never count: each evaluation has a zero as its newest minute"
    known_at = (max(bad) + 1) * MINUTE + delay
    assert (seen_at + 1) * MINUTE <= known_at + MINUTE, "it must be raised at the first evaluation that can know"


@pytest.mark.parametrize("delay", [0, 60, 120])
@pytest.mark.parametrize("name", [ROLLS_BACK, TELLS_PEOPLE])
def test_late_numbers_without_errors_raise_nothing(name: str, delay: int) -> None:
    assert set(states(description(name), {4: 1.0}, delay)) == {"OK"}, "a good release would be rolled back"


def test_an_alarm_on_the_newest_minute_alone_would_miss_late_errors() -> None:
    """The danger that the others guard against is there: otherwise they would prove nothing."""
    newest = description(ROLLS_BACK) | {"EvaluationPeriods": 1, "DatapointsToAlarm": 1}
    assert "ALARM" in states(newest, {4: 150.0, 5: 150.0}, 0)
    assert "ALARM" not in states(newest, {4: 150.0, 5: 150.0}, 60)
