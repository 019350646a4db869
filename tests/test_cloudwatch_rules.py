"""What CloudWatch's rules say of ranks, of the clock in metric math, and of how long an alarm may look back."""

from __future__ import annotations

import pytest

from rehearsal.cloudwatch import metric_math
from rehearsal.cloudwatch.alarm import DAY, HOUR, MINUTE, CannotEvaluateError, read
from rehearsal.cloudwatch.metric_math import MathError
from rehearsal.cloudwatch.statistics import Datum, is_known, needs_values, statistic, value

ANSWERS = [value(0.1, count=90), value(0.5, count=6), value(2.0, count=4)]
# 1 November 2026, 22:58:00 UTC and after.
LATE_EVENING = 1_793_573_880


@pytest.mark.parametrize(
    ("rank", "percent"),
    [("PR(:0.5)", 96.0), ("PR(0.1:0.5)", 6.0), ("PR(0.1:)", 10.0), ("PR(:0.09)", 0.0), ("PR(0:2)", 100.0)],
)
def test_a_rank_is_the_percentage_above_the_lower_and_up_to_the_upper_bound(rank: str, percent: float) -> None:
    assert statistic(rank, ANSWERS) == percent, "exclusive on the lower bound and inclusive on the upper bound"


def test_a_rank_needs_single_values_of_at_least_zero() -> None:
    assert statistic("PR(:1)", []) is None
    assert statistic("PR(:1)", [Datum(count=2, total=3, minimum=1, maximum=2)]) is None
    assert statistic("PR(:1)", [value(-1), value(1)]) is None


@pytest.mark.parametrize("name", ["PR(:)", "PR()", "PR(1)", "PR(a:b)", "PR(:1%)", "TC(:1)", "p101", "sum"])
def test_what_is_no_statistic_here_is_not_known(name: str) -> None:
    assert not is_known(name)
    with pytest.raises(ValueError, match="not known"):
        statistic(name, ANSWERS)


def test_percentiles_and_ranks_are_of_single_values() -> None:
    assert [name for name in ("Sum", "Maximum", "p95", "PR(:1)", "PR(0.1:)") if needs_values(name)] == [
        "p95",
        "PR(:1)",
        "PR(0.1:)",
    ]


def test_the_clock_of_a_series_is_that_of_its_periods_in_utc() -> None:
    times = [LATE_EVENING + step * MINUTE for step in range(4)]
    metrics: dict[str, metric_math.Value] = {"m1": dict.fromkeys(times, 1.0), "gap": {times[3]: 1.0}}
    found = {
        expression: list(metric_math.evaluate(expression, metrics, times).values())
        for expression in ("MINUTE(m1)", "HOUR(m1)", "EPOCH(m1)", "MINUTE(gap)", "IF(MINUTE(m1) < 1, 1, 0)")
    }
    assert found == {
        "MINUTE(m1)": [58, 59, 0, 1],
        "HOUR(m1)": [22, 22, 23, 23],
        "EPOCH(m1)": times,
        "MINUTE(gap)": [1],
        "IF(MINUTE(m1) < 1, 1, 0)": [0, 0, 1, 0],
    }, "a heartbeat without a pulse must not beat: where a series has no datapoint there is no time"


def test_a_number_has_no_clock() -> None:
    with pytest.raises(MathError, match="MINUTE"):
        metric_math.evaluate("MINUTE(5)", {}, [0])


@pytest.mark.parametrize(
    ("expression", "alone"),
    [
        ("m1 + m2", True),
        ("SUM([m1, m2])", True),
        ("MAX( [m1, m2])", True),
        ("IF(MINUTE(m1) < 10, FILL(m2, 0))", True),
        ("FILL(m1, REPEAT)", False),
        ("m1 - AVG(m1)", False),
        ("max(m1)", False),
    ],
)
def test_an_expression_is_known_to_need_the_datapoints_around(expression: str, alone: bool) -> None:
    assert metric_math.is_pointwise(expression) is alone


def alarm(period: int, periods: int = 1) -> dict[str, object]:
    return {
        "Namespace": "N",
        "MetricName": "E",
        "Statistic": "Sum",
        "Period": period,
        "EvaluationPeriods": periods,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanThreshold",
    }


@pytest.mark.parametrize(
    ("period", "periods"), [(10, 1), (60, 1440), (300, 288), (HOUR, 168), (DAY, 1), (DAY, 7), (6 * HOUR, 4)]
)
def test_an_alarm_looks_at_up_to_a_day_or_by_the_hour_at_a_week(period: int, periods: int) -> None:
    assert read(alarm(period, periods)).period == period


@pytest.mark.parametrize(
    ("period", "periods", "said"),
    [
        (60, 1441, "longer than 86400 seconds"),
        (300, 289, "longer than 86400 seconds"),
        (HOUR, 169, "longer than 604800 seconds"),
        (DAY, 8, "longer than 604800 seconds"),
        (90, 1, "not 90 seconds"),
        (15, 1, "not 15 seconds"),
        (1, 1, "not 1 seconds"),
    ],
)
def test_an_alarm_that_looks_longer_is_refused_as_aws_does(period: int, periods: int, said: str) -> None:
    with pytest.raises(CannotEvaluateError, match=said):
        read(alarm(period, periods))


def test_an_alarm_on_more_than_a_day_is_evaluated_on_whole_hours() -> None:
    assert read(alarm(DAY, 1)).window_end(2 * HOUR + 119) == 2 * HOUR + MINUTE, "a day is no multi-day alarm"
    assert read(alarm(DAY, 2)).window_end(3 * HOUR - 1) == 2 * HOUR
