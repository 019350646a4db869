"""Replaying alarms over a recorded series: quick, and minute by minute what the evaluator says by itself."""

from __future__ import annotations

import random
from time import perf_counter
from typing import Any

import pytest

from rehearsal.cloudwatch import alarm as cloudwatch
from rehearsal.cloudwatch.alarm import DAY, HOUR, MINUTE, Metric
from rehearsal.cloudwatch.composite import read as read_rule
from rehearsal.cloudwatch.recording import Recording, identity
from rehearsal.cloudwatch.replay import Change, Replay
from rehearsal.cloudwatch.statistics import Datum, statistic, value

BEGIN = 1_700_006_400  # a whole hour
ERRORS, REQUESTS, SECONDS = (identity("N", name, {"of": "a"}) for name in ("Errors", "Requests", "Seconds"))
STATISTICS = ("Sum", "SampleCount", "Average", "Minimum", "Maximum", "p50", "p99.9", "PR(:0.5)", "PR(0.2:)")


def recorded(minutes: int, seed: int) -> Recording:
    """Requests, some of which are slow, some errors, and gaps; the same for a seed."""
    chance, found = random.Random(seed), Recording(begin=BEGIN, minutes=minutes)  # noqa: S311 - a made-up series
    for minute in range(minutes):
        if chance.random() < 0.15:
            continue
        found.put(REQUESTS, minute, value(1, count=chance.randrange(1, 40)))
        found.put(SECONDS, minute, *(value(chance.choice((0.1, 0.2, 0.5, 2.0))) for _ in range(chance.randrange(4))))
        if chance.random() < 0.3:
            found.put(ERRORS, minute, value(chance.randrange(5)), value(1))
    return found


def query(name: str, metric: tuple[str, str, Any], period: int, stat: str) -> dict[str, Any]:
    dimensions = [{"Name": key, "Value": text} for key, text in metric[2]]
    named = {"Namespace": metric[0], "MetricName": metric[1], "Dimensions": dimensions}
    return {"Id": name, "ReturnData": False, "MetricStat": {"Metric": named, "Period": period, "Stat": stat}}


def alarm(expression: str, *, period: int = MINUTE, stat: str = "Sum", **changes: object) -> cloudwatch.Alarm:
    """An alarm on an expression of m0 (errors), m1 (requests) and m2 (seconds)."""
    description = {
        "Metrics": [
            query("m0", ERRORS, period, "Sum"),
            query("m1", REQUESTS, period, "Sum"),
            query("m2", SECONDS, period, stat),
            {"Id": "e", "Expression": expression, "ReturnData": True},
        ],
        "EvaluationPeriods": 3,
        "DatapointsToAlarm": 2,
        "Threshold": 10,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
    }
    return cloudwatch.read(description | changes)


@pytest.mark.parametrize("stat", STATISTICS)
@pytest.mark.parametrize("minutes", [1, 5, 6, 7, 60, 200])
def test_a_window_has_the_statistics_of_all_its_data(stat: str, minutes: int) -> None:
    recording = recorded(240, seed=minutes)
    for metric in (ERRORS, REQUESTS, SECONDS):
        asked = Metric(
            namespace=metric[0], name=metric[1], dimensions=metric[2], period=minutes * MINUTE, statistic=stat
        )
        for first in range(-3, 240, 7):
            window = range(max(first, 0), min(first + minutes, 240))
            expected = [datum for minute in window for datum in recording._tracks[metric].data[minute]]
            start = BEGIN + first * MINUTE
            found = statistic(stat, recording(asked, start, start + minutes * MINUTE))
            assert found == pytest.approx(statistic(stat, expected)), f"{metric[1]} from minute {first}"


def test_values_and_statistic_sets_mix_as_in_a_short_window() -> None:
    recording = Recording(begin=BEGIN, minutes=20)
    recording.put(SECONDS, 3, value(0.5, count=4))
    recording.put(SECONDS, 4, Datum(count=2, total=3, minimum=1, maximum=2))
    asked = Metric(namespace="N", name="Seconds", dimensions=SECONDS[2], period=600, statistic="p50")
    assert statistic("p50", recording(asked, BEGIN, BEGIN + 600)) is None, "CloudWatch has no percentile of sets"
    later = BEGIN + 600
    assert recording(asked, later, later + 600) == [], "an empty window has no datum, which is not a zero"


def test_what_is_published_after_a_look_counts_in_the_next() -> None:
    recording = Recording(begin=BEGIN, minutes=20)
    asked = Metric(namespace="N", name="Errors", dimensions=ERRORS[2], period=1200, statistic="Sum")
    sums = []
    for minute in (0, 9):
        recording.put(ERRORS, minute, value(5))
        sums.append(statistic("Sum", recording(asked, BEGIN, BEGIN + 1200)))
    assert sums == [5, 10]
    other = Metric(namespace="N", name="Errors", dimensions=frozenset(), period=1200, statistic="Sum")
    assert recording(other, BEGIN, BEGIN + 1200) == [], "other dimensions are another metric"


RULES: dict[str, dict[str, Any]] = {
    "share": {"expression": "IF(m1 >= 5, 100 * FILL(m0, 0) / m1, 0)"},
    "gaps breach": {"expression": "m1", "TreatMissingData": "breaching", "ComparisonOperator": "LessThanThreshold"},
    "gaps change nothing": {"expression": "m0 + 8", "TreatMissingData": "ignore", "Threshold": 9},
    "gaps are unknown": {"expression": "m0 + 8", "TreatMissingData": "missing", "Threshold": 9, "EvaluationPeriods": 2},
    "long": {"expression": "100 * m0 / m1", "period": 600, "EvaluationPeriods": 1, "DatapointsToAlarm": 1},
    "median": {"expression": "100 * m2", "stat": "p50", "period": 900, "Threshold": 40},
    "around": {"expression": "m0 - AVG(m0)", "Threshold": 1},
    "looks back": {"expression": "FILL(m1, REPEAT)", "Threshold": 20, "period": 120},
    "clock": {"expression": "IF(MINUTE(m1) < 10, 20, 0)"},
}


@pytest.mark.parametrize("late", [0, 60, 180])
@pytest.mark.parametrize("name", RULES)
def test_a_replay_is_the_evaluation_of_every_minute(name: str, late: int) -> None:
    recording, rule = recorded(300, seed=7), alarm(**RULES[name])
    replay = Replay(source=recording, begin=BEGIN, end=BEGIN + 300 * MINUTE, late=late)
    state, expected = "INSUFFICIENT_DATA", []
    for now in range(BEGIN + MINUTE, BEGIN + 301 * MINUTE, MINUTE):

        def known(metric: Metric, start: float, end: float, now: int = now) -> Any:
            return recording(metric, start, min(end, now - late))

        state = rule.evaluate(now, known).state or state
        expected.append(state)
    assert replay.states(rule) == expected
    assert len(set(expected)) > 1, "a rule that never changes its state shows nothing here"


def test_numbers_that_come_late_are_seen_late() -> None:
    recording = Recording(begin=BEGIN, minutes=30)
    recording.put(ERRORS, 10, value(50))
    one = alarm("FILL(m0, 0)", EvaluationPeriods=5, DatapointsToAlarm=1)
    raised = {}
    for late in (0, 120):
        replay = Replay(source=recording, begin=BEGIN, end=BEGIN + 30 * MINUTE, late=late)
        raised[late] = [moment for moment, state in replay.changes({"a": one}, {})["a"] if state == "ALARM"]
    assert raised == {0: [BEGIN + 11 * MINUTE], 120: [BEGIN + 13 * MINUTE]}


def test_a_composite_alarm_follows_its_alarms() -> None:
    recording = Recording(begin=BEGIN, minutes=20)
    for minute in range(20):
        recording.put(REQUESTS, minute, value(1, count=10))
    recording.put(ERRORS, 5, value(20))
    one = {"EvaluationPeriods": 1, "DatapointsToAlarm": 1}
    alarms = {"now": alarm("FILL(m0, 0)", **one), "lately": alarm("FILL(m0, 0)", period=300, **one)}  # type: ignore[arg-type]
    both = {"both": read_rule('ALARM("now") AND ALARM("lately")'), "either": read_rule("ALARM(now) OR ALARM(lately)")}
    found = Replay(source=recording, begin=BEGIN, end=BEGIN + 20 * MINUTE).changes(alarms, both)
    at = {minute: BEGIN + minute * MINUTE for minute in (1, 6, 7, 11)}
    assert found["both"] == [Change(at[1], "OK"), Change(at[6], "ALARM"), Change(at[7], "OK")]
    assert found["either"] == [Change(at[1], "OK"), Change(at[6], "ALARM"), Change(at[11], "OK")]


def test_an_alarm_on_more_than_a_day_is_looked_at_by_the_hour() -> None:
    recording = Recording(begin=BEGIN, minutes=300)
    recording.put(ERRORS, 10, value(50))
    days = alarm("FILL(m0, 0)", period=DAY, EvaluationPeriods=2, DatapointsToAlarm=1)
    found = Replay(source=recording, begin=BEGIN, end=BEGIN + 300 * MINUTE).changes({"days": days}, {})["days"]
    assert found == [Change(BEGIN + HOUR, "ALARM")], "a multi-day alarm takes up to an hour longer"


def test_an_alarm_on_seconds_is_not_replayed_by_the_minute() -> None:
    replay = Replay(source=recorded(10, seed=1), begin=BEGIN, end=BEGIN + 10 * MINUTE)
    with pytest.raises(ValueError, match="periods of 10 seconds"):
        replay.states(alarm("m0", period=10))


def test_a_month_of_long_windows_takes_seconds() -> None:
    month = 30 * 24 * 60
    recording = Recording(begin=BEGIN, minutes=month)
    for minute in range(month):
        recording.put(REQUESTS, minute, value(1, count=100 + minute % 7))
    started = perf_counter()
    Replay(source=recording, begin=BEGIN, end=BEGIN + month * MINUTE).states(
        alarm("IF(m1 > 100, 100 * FILL(m0, 0) / m1, 0)", period=DAY, EvaluationPeriods=1, DatapointsToAlarm=1)
    )
    assert perf_counter() - started < 10, "a window of a day must not cost a day's minutes at each minute"
