"""infra/observability/objectives.py: burn rates, computed by the same metric math that CloudWatch is given."""

from __future__ import annotations

import pytest

from infra.observability.alarm import AlarmRule, Severity
from infra.observability.objectives import PAIRS, burn_rules, objectives, window_rules
from rehearsal.cloudwatch import metric_math
from rehearsal.cloudwatch.statistics import is_known
from tests.test_settings import settings

MONTH_SECONDS = 30 * 24 * 3600


def windows(**changes: object) -> dict[str, AlarmRule]:
    return {rule.label: rule for rule in window_rules(settings("prod", **changes))}


def share(rule: AlarmRule, *values: float | None) -> float:
    """What a window's expression says of one period; None is a metric without data."""
    series: dict[str, metric_math.Value] = {
        f"m{number}": {} if value is None else {0: float(value)} for number, value in enumerate(values)
    }
    return metric_math.evaluate(rule.expression, series, [0])[0]


def unavailable(
    rule: AlarmRule, *, requests: float | None, target: float | None = None, **balancer: float | None
) -> float:
    return share(rule, target, balancer.get("b502"), balancer.get("b503"), balancer.get("b504"), requests)


def test_pairs_are_those_of_the_workbook() -> None:
    """A month's budget: what share of it is gone when the long window is full of it."""
    gone = {pair.name: pair.rate * pair.long_seconds / MONTH_SECONDS for pair in PAIRS}
    assert gone == pytest.approx({"fast": 0.02, "medium": 0.05, "slow": 0.1})
    assert [pair.long_seconds // pair.short_seconds for pair in PAIRS] == [12, 12, 12]


def test_a_pair_is_told_of_and_its_windows_are_not() -> None:
    found = settings("prod")
    known = {rule.label: rule for rule in window_rules(found)}
    told = {rule.label: rule for rule in burn_rules(found)}
    assert {label: rule.told.severity for label, rule in told.items()} == {
        "availability-burn-fast": Severity.PAGE,
        "availability-burn-medium": Severity.PAGE,
        "availability-burn-slow": Severity.TICKET,
        "latency-burn-fast": Severity.PAGE,
        "latency-burn-medium": Severity.PAGE,
        "latency-burn-slow": Severity.TICKET,
    }
    assert told["availability-burn-fast"].all_of == ("availability-1h", "availability-5m")
    assert told["latency-burn-slow"].all_of == ("latency-24h", "latency-2h")
    assert {label for rule in told.values() for label in rule.all_of} == set(known)
    assert {rule.told.severity for rule in known.values()} == {Severity.NOBODY}


def test_a_window_is_one_datapoint_of_its_own_length() -> None:
    for rule in windows().values():
        assert (rule.datapoints, rule.periods) == (1, 1)
    found = windows()
    seconds = [found[f"availability-{each}"].period_seconds for each in ("5m", "30m", "1h", "2h", "6h", "24h")]
    assert seconds == [300, 1800, 3600, 7200, 21600, 86400]


def test_thresholds_are_the_budget_times_the_rate() -> None:
    found = windows(availabilityObjectivePercent="99.9", latencyObjectivePercent="99")
    pairs = {"1h": 14.4, "5m": 14.4, "6h": 6, "30m": 6, "24h": 3, "2h": 3}
    for window, rate in pairs.items():
        assert found[f"availability-{window}"].threshold == pytest.approx(rate * 0.1)
        assert found[f"latency-{window}"].threshold == pytest.approx(rate * 1)


def test_an_objective_so_low_that_the_rate_cannot_be_reached_is_broken_by_a_total_outage() -> None:
    fast = windows(availabilityObjectivePercent="90")["availability-5m"]
    assert fast.threshold == 100
    assert fast.comparison == "GreaterThanOrEqualToThreshold"
    assert unavailable(fast, requests=None, b503=1000) >= fast.threshold
    assert unavailable(fast, requests=1000, target=990) < fast.threshold


@pytest.mark.parametrize(
    ("counted", "percent"),
    [
        ({"requests": 1000}, 0),
        ({"requests": 1000, "target": 20}, 2),
        ({"requests": 1000, "b502": 20}, 2),
        ({"requests": 1000, "b504": 1000}, 100),
        # No task to be had: the balancer counts no request at all.
        ({"requests": None, "b503": 1000}, 100),
        ({"requests": 500, "b503": 500}, 50),
        ({"requests": 1000, "target": 5, "b502": 3, "b504": 2}, 1),
    ],
)
def test_bad_answers_are_a_share_of_all_requests(counted: dict[str, float | None], percent: float) -> None:
    rule = windows()["availability-1h"]
    requests = counted.pop("requests")
    target = counted.pop("target", None)
    assert unavailable(rule, requests=requests, target=target, **counted) == pytest.approx(percent)


@pytest.mark.parametrize(("window", "floor"), [("5m", 25), ("1h", 300), ("6h", 1800), ("24h", 7200)])
def test_too_few_requests_say_nothing(window: str, floor: int) -> None:
    rules = windows(objectiveRequestsPerHour=300)
    availability, latency = rules[f"availability-{window}"], rules[f"latency-{window}"]
    assert unavailable(availability, requests=floor - 1, target=floor - 1) == 0, "one error at night is no incident"
    assert unavailable(availability, requests=floor, target=floor) == 100
    assert (share(latency, 0, floor - 1), share(latency, 0, floor)) == (0, 100)


def test_a_window_without_any_data_is_no_breach() -> None:
    for rule in windows().values():
        assert share(rule, *(None for _ in rule.metrics)) == 0, rule.label


def test_slow_requests_are_what_the_percentile_rank_leaves() -> None:
    rule = windows(latencyObjectiveMilliseconds=1500)["latency-1h"]
    rank, requests = rule.metrics
    assert (rank.name, rank.statistic) == ("TargetResponseTime", "PR(:1.5)")
    assert is_known(rank.statistic)
    assert (requests.name, requests.statistic) == ("RequestCount", "Sum")
    assert share(rule, 97.5, 1000) == pytest.approx(2.5)


def test_requests_that_nobody_answered_are_not_slow() -> None:
    rule = windows()["latency-1h"]
    assert share(rule, None, 1000) == 0, "availability tells of them"
    assert "100 - FILL(m0, 100)" in rule.expression, "whether CloudWatch takes a missing rank for 0 is not documented"


@pytest.mark.parametrize(
    ("milliseconds", "statistic"), [(50, "PR(:0.05)"), (1234, "PR(:1.234)"), (59999, "PR(:59.999)"), (60000, "PR(:60)")]
)
def test_milliseconds_become_seconds_as_cloudwatch_writes_them(milliseconds: int, statistic: str) -> None:
    (_, latency) = objectives(settings("prod", latencyObjectiveMilliseconds=milliseconds))
    assert latency.metrics[0].statistic == statistic


def test_a_message_says_what_was_promised_and_how_long_the_budget_lasts() -> None:
    (fast,) = [rule for rule in burn_rules(settings("prod")) if rule.label == "availability-burn-fast"]
    assert fast.told.summary == (
        "Too many requests are answered by 5xx; 99.9 % must not be."
        " At this rate (14.4 times what is allowed) a month's budget of bad requests lasts 2.1 days."
    )
    assert fast.told.runbook == "availability-burn"
