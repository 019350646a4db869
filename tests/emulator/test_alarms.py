"""Alarms and metrics inside the emulator, in this process and by a clock that the tests turn."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch
from rehearsal.cloudwatch.alarm import Metric
from rehearsal.cloudwatch.statistics import statistic, value
from rehearsal.emulator import metric_store
from rehearsal.emulator.alarms import Alarms
from rehearsal.emulator.balancer_metrics import Answer, BalancerMetrics
from rehearsal.emulator.service_scheduler import Scheduler

from conftest import Clock

NOON = 1_000_020 - 1_000_020 % 60 + 60.0
BALANCER = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/web/50dc6c495c0c9188"
GROUP = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/73e2d6bc24d8a067"
OF_BALANCER = frozenset({("LoadBalancer", "app/web/50dc6c495c0c9188")})
OF_GROUP = OF_BALANCER | {("TargetGroup", "targetgroup/web/73e2d6bc24d8a067")}
TENANT = (get_account_id(), get_region())


@pytest.fixture
def clock() -> Clock:
    """Ten seconds after noon of a long past day."""
    return Clock(NOON + 10)


@pytest.fixture
def alarms(scheduler: Scheduler, clock: Clock) -> Iterator[Alarms]:
    """An evaluator, with MiniStack's own out of the way."""
    assert scheduler is not None, "it has installed the extensions"
    yield Alarms(clock)
    cloudwatch.reset()


def put(name: str, **changes: object) -> Any:
    """Put an alarm on one datapoint of at least 5 errors in a minute, of `a`."""
    description = {
        "AlarmName": name,
        "Namespace": "N",
        "MetricName": "Errors",
        "Dimensions": [{"Name": "of", "Value": "a"}],
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 5,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
    } | changes
    asked = {key: given for key, given in description.items() if given is not None}
    return cloudwatch._put_metric_alarm({}, asked, False, True)


def errors(number: float, at: float, of: str = "a") -> None:
    """Publish errors of one kind."""
    metric_store.put("N", "Errors", {"of": of}, at, "Count", [value(number)])


def state(name: str) -> str:
    """The alarm's state as DescribeAlarms tells it."""
    return str(described(name)["StateValue"])


def described(name: str) -> dict[str, Any]:
    """The alarm as DescribeAlarms answers it."""
    body = json.loads(cloudwatch._describe_alarms({}, {"AlarmNames": [name]}, False, True)[2])
    return dict(body["MetricAlarms"][0])


def test_an_alarm_goes_off_after_the_minute_and_clears_again(alarms: Alarms, clock: Clock) -> None:
    put("errors")
    alarms.look()
    assert state("errors") == "OK", "a new alarm is evaluated at once"
    errors(9, clock.now + 5)
    clock.now += 51
    alarms.look()
    assert state("errors") == "OK", "CloudWatch evaluates whole minutes"
    clock.now += 3
    alarms.look()
    assert state("errors") == "ALARM", "9 of at most 4 errors"
    assert "1 out of the last 1 datapoint [9.0] was greater than or equal to" in described("errors")["StateReason"]
    clock.now += 180
    alarms.look()
    assert state("errors") == "OK", "the datapoint has left the evaluation range"
    history = [json.loads(one["HistoryData"])["newState"]["stateValue"] for one in cloudwatch._history_entries()]
    assert history[-2:] == ["ALARM", "OK"], "by MiniStack's own way, which also notifies"


def test_a_changed_alarm_is_evaluated_at_once_by_its_new_rule(alarms: Alarms, clock: Clock) -> None:
    errors(9, clock.now - 30)
    put("errors")
    alarms.look()
    assert state("errors") == "ALARM"
    put("errors", Threshold=20)
    alarms.look()
    assert state("errors") == "OK", "in the same minute"
    cloudwatch._delete_alarms({}, {"AlarmNames": ["errors"]}, False, True)
    alarms.look()
    put("errors")
    alarms.look()
    assert state("errors") == "ALARM", "another alarm by the same name"


def test_other_dimensions_are_another_metric(alarms: Alarms, clock: Clock) -> None:
    put("errors")
    errors(9, clock.now - 30, of="b")
    alarms.look()
    assert state("errors") == "OK", "MiniStack by itself takes them together"


def test_a_state_that_was_set_lasts_until_the_next_evaluation(alarms: Alarms, clock: Clock) -> None:
    put("errors")
    alarms.look()
    change = {"AlarmName": "errors", "StateValue": "ALARM", "StateReason": "a drill"}
    cloudwatch._set_alarm_state({}, change, False, True)
    clock.now += 40
    alarms.look()
    assert state("errors") == "ALARM", "an operator tests what hangs on it"
    clock.now += 13
    alarms.look()
    assert state("errors") == "OK", "the metric has the last word"


def test_metric_math_is_kept_and_evaluated(alarms: Alarms, clock: Clock) -> None:
    stat = {"Metric": {"Namespace": "N", "MetricName": "Errors", "Dimensions": [{"Name": "of", "Value": "a"}]}}
    queries = [
        {"Id": "m1", "MetricStat": stat | {"Period": 60, "Stat": "Sum"}, "ReturnData": False},
        {"Id": "e1", "Expression": "FILL(m1, 0) * 2"},
    ]
    put("errors", Metrics=queries, MetricName=None, Namespace=None, Statistic=None, Period=None, Dimensions=None)
    errors(3, clock.now - 30)
    alarms.look()
    assert described("errors")["Metrics"] == queries, "MiniStack by itself forgets them"
    assert state("errors") == "ALARM", "3 * 2 >= 5"


def test_an_alarm_that_could_never_go_off_here_is_refused(alarms: Alarms) -> None:
    answer = put("errors", ComparisonOperator="LessThanLowerOrGreaterThanUpperThreshold")
    assert answer[0] == 400, "a drill would wait for it in vain"
    assert b"The rehearsal cannot evaluate this alarm" in answer[2], "and not AWS"
    alarms.look()
    assert "errors" not in cloudwatch._alarms, "nothing is half made"


def count(metrics: BalancerMetrics, status: int, seconds: float | None, group: str = GROUP) -> None:
    """Have the balancer answer once."""
    metrics.count(Answer(tenant=TENANT, balancer=BALANCER, target_group=group, status=status, target_seconds=seconds))


def read(name: str, dimensions: frozenset[tuple[str, str]], how: str = "Sum") -> float | None:
    """A metric's statistic for the minute that began at noon."""
    metric = Metric(namespace="AWS/ApplicationELB", name=name, dimensions=dimensions, period=60, statistic=how)
    return statistic(how, metric_store.between(metric, NOON, NOON + 60))


@pytest.mark.usefixtures("alarms")
def test_a_balancer_reports_each_minute_what_its_targets_and_what_it_itself_answered(clock: Clock) -> None:
    metrics = BalancerMetrics(clock=clock)
    for status, seconds, group in (
        (200, 0.1, GROUP),
        (200, 0.3, GROUP),
        (302, 0.1, GROUP),
        (500, 0.1, GROUP),
        (502, None, GROUP),
        (503, None, ""),
        (404, 0.1, GROUP),
    ):
        count(metrics, status, seconds, group)
    clock.now += 49
    metrics.publish()
    assert read("RequestCount", OF_BALANCER) is None, "the minute is not over"
    clock.now += 1
    metrics.publish()
    for dimensions in (OF_BALANCER, OF_GROUP):
        found = {hundreds: read(f"HTTPCode_Target_{hundreds}XX_Count", dimensions) for hundreds in (2, 3, 4, 5)}
        assert found == {2: 2.0, 3: 1.0, 4: 1.0, 5: 1.0}, "what the targets answered"
        assert read("RequestCount", dimensions) == 6, "requests for which a target was chosen"
        assert read("TargetResponseTime", dimensions, "Maximum") == 0.3, "in seconds"
        assert read("TargetResponseTime", dimensions, "SampleCount") == 5, "of those that a target answered"
    assert read("HTTPCode_ELB_5XX_Count", OF_BALANCER) == 2, "what the balancer answered for want of a target's answer"
    assert read("HTTPCode_ELB_502_Count", OF_BALANCER) == 1, "a target that refused the connection"
    assert read("HTTPCode_ELB_5XX_Count", OF_GROUP) is None, "AWS has it per balancer only"


@pytest.mark.usefixtures("alarms")
def test_what_was_not_counted_is_not_reported(clock: Clock) -> None:
    metrics = BalancerMetrics(clock=clock)
    count(metrics, 200, 0.1)
    clock.now += 60
    metrics.publish()
    assert read("HTTPCode_Target_5XX_Count", OF_BALANCER) is None, "missing data, which alarms must be able to treat"


def test_late_metrics_come_under_the_minute_that_they_are_of(alarms: Alarms, clock: Clock) -> None:
    metrics = BalancerMetrics(90, clock)
    metric = {"Namespace": "AWS/ApplicationELB", "MetricName": "HTTPCode_Target_5XX_Count"}
    of = [{"Name": name, "Value": given} for name, given in OF_BALANCER]
    queries = [
        {
            "Id": "m1",
            "MetricStat": {"Metric": metric | {"Dimensions": of}, "Period": 60, "Stat": "Sum"},
            "ReturnData": False,
        },
        {"Id": "e1", "Expression": "FILL(m1, 0)"},
    ]
    of_one_metric = dict.fromkeys(("MetricName", "Namespace", "Statistic", "Period", "Dimensions"))
    put("errors", Metrics=queries, EvaluationPeriods=3, DatapointsToAlarm=1, **of_one_metric)
    for _ in range(9):
        count(metrics, 500, 0.1)

    def at(seconds: float) -> str:
        clock.now = NOON + seconds
        metrics.publish()
        alarms.look()
        return state("errors")

    assert at(62) == "OK", "FILL has supplied the minute's number"
    assert at(149.9) == "OK"
    assert read("HTTPCode_Target_5XX_Count", OF_BALANCER) is None, "the balancer has not published it yet"
    assert at(150) == "OK", "CloudWatch evaluates once a minute"
    assert read("HTTPCode_Target_5XX_Count", OF_BALANCER) == 9, "late, and of its own minute"
    assert at(182) == "ALARM", "one of the last three minutes was bad"
