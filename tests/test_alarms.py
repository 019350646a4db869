"""infra/observability/alarms.py: the table's rows as the whole program registers them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from infra.observability.alarm import AlarmRule, CompositeRule, Severity
from infra.observability.alarm_table import alarm_rules, composite_rules
from infra.observability.names import namespace
from tests.deployed import deployed
from tests.recorder import ACCOUNT, REGION, ROOT, Recorder
from tests.test_settings import settings

ALARM, COMPOSITE = "aws:cloudwatch/metricAlarm:MetricAlarm", "aws:cloudwatch/compositeAlarm:CompositeAlarm"
FILTER = "aws:cloudwatch/logMetricFilter:LogMetricFilter"
TOPICS = {Severity.PAGE: "pages", Severity.TICKET: "tickets", Severity.HEARTBEAT: "heartbeat"}
EXPRESSION = "expression"


def prod() -> Recorder:
    return deployed("prod")


def made(rule: AlarmRule | CompositeRule) -> dict[str, Any]:
    type_ = ALARM if isinstance(rule, AlarmRule) else COMPOSITE
    return prod().only(type_, f"pactum-prod-{rule.label}").inputs


def everything() -> list[AlarmRule | CompositeRule]:
    found = settings("prod")
    return [*alarm_rules(found), *composite_rules(found)]


def metrics(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    return [query["metric"] for query in alarm["metricQueries"] if "metric" in query]


def test_every_row_of_the_table_is_an_alarm_and_nothing_else_is() -> None:
    expected = {f"pactum-prod-{rule.label}" for rule in everything()}
    assert {one.name for one in (*prod().of_type(ALARM), *prod().of_type(COMPOSITE))} == expected


def test_alarms_tell_of_beginning_and_end_to_whom_their_severity_says() -> None:
    for rule in everything():
        topic = TOPICS.get(rule.told.severity)
        told = [f"arn:aws:sns:{REGION}:{ACCOUNT}:pactum-prod-{topic}"] if topic else []
        inputs = made(rule)
        assert inputs.get("alarmActions", []) == told, rule.label
        assert inputs.get("okActions", []) == told, "who was told of a problem is told of its end"
        assert inputs["actionsEnabled"] is True, rule.label


def test_a_row_becomes_what_cloudwatch_takes() -> None:
    for rule in alarm_rules(settings("prod")):
        inputs = made(rule)
        assert (inputs["evaluationPeriods"], inputs["datapointsToAlarm"]) == (rule.periods, rule.datapoints)
        assert (inputs["comparisonOperator"], inputs["threshold"]) == (rule.comparison, rule.threshold)
        assert inputs["treatMissingData"] == rule.missing.value
        assert inputs["alarmDescription"].startswith(rule.told.summary)
        assert [(one["namespace"], one["metricName"], one["stat"]) for one in metrics(inputs)] == [
            (metric.namespace, metric.name, metric.statistic) for metric in rule.metrics
        ]
        assert {one["period"] for one in metrics(inputs)} == {rule.period_seconds}
        (returned,) = [query for query in inputs["metricQueries"] if query["returnData"]]
        assert returned.get(EXPRESSION, "") == rule.expression, "an alarm looks at one time series"


@pytest.mark.parametrize(
    ("label", "dimensions"),
    [
        ("balancer-errors", {"LoadBalancer": "loadbalancer/pactum-prod-web/0123456789abcdef"}),
        (
            "target-errors",
            {
                "LoadBalancer": "loadbalancer/pactum-prod-web/0123456789abcdef",
                "TargetGroup": "targetgroup/pactum-prod-web/0123456789abcdef",
            },
        ),
        ("database-cpu", {"DBInstanceIdentifier": "pactum-prod-database"}),
        ("jobs-not-started", {"QueueName": "pactum-prod-jobs-not-started"}),
        ("certificate-expiry", {"CertificateArn": f"arn:aws:acm:{REGION}:{ACCOUNT}:pactum-prod-certificate"}),
    ],
)
def test_a_metric_is_that_of_the_stacks_own_resource(label: str, dimensions: dict[str, str]) -> None:
    (metric,) = metrics(prod().only(ALARM, f"pactum-prod-{label}").inputs)
    assert metric["dimensions"] == dimensions, "a dimension too many, or another value, finds no data"


def test_a_certificate_that_exists_is_looked_at_too() -> None:
    arn = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/0a1b"
    recorder = deployed(domainName="pactum.example.com", certificateArn=arn)
    (metric,) = metrics(recorder.only(ALARM, "pactum-staging-certificate-expiry").inputs)
    assert metric["dimensions"] == {"CertificateArn": arn}


def test_a_pair_is_an_alarm_on_its_windows_by_their_names() -> None:
    pair = prod().only(COMPOSITE, "pactum-prod-latency-burn-medium")
    assert pair.inputs["alarmRule"] == 'ALARM("pactum-prod-latency-6h") AND ALARM("pactum-prod-latency-30m")'
    assert prod().waits(pair, prod().only(ALARM, "pactum-prod-latency-30m")), "CloudWatch refuses unknown alarms"


def test_what_rolls_back_is_there_before_the_service_and_the_others_after_the_verdict() -> None:
    timeline = prod().timeline
    service = timeline.index("aws:ecs/service:Service pactum-prod-web")
    assert timeline.index(f"{ALARM} pactum-prod-release-errors") < service
    others = [timeline.index(f"{one.type} {one.name}") for one in (*prod().of_type(ALARM), *prod().of_type(COMPOSITE))]
    others.remove(timeline.index(f"{ALARM} pactum-prod-release-errors"))
    assert min(others) > timeline.index("ops verify"), "a stack that was never there would page for it"


def test_alarms_stay_as_they_are_when_a_release_is_refused() -> None:
    refused = deployed(refuse=("command:local:run", "ops verify"))
    assert refused.error is not None
    assert [alarm.name for alarm in refused.of_type(ALARM)] == ["pactum-staging-release-errors"]


def test_somebody_publishes_each_metric_of_our_own_that_an_alarm_looks_at() -> None:
    found = settings("prod")
    counted = {one.inputs["metricTransformation"]["name"] for one in prod().of_type(FILTER)}
    spaces = {one.inputs["metricTransformation"]["namespace"] for one in prod().of_type(FILTER)}
    assert spaces == {namespace(found)}
    ours = [metric for rule in alarm_rules(found) for metric in rule.metrics if metric.namespace == namespace(found)]
    watch = "".join(file.read_text() for file in (ROOT / "ops" / "watch").glob("*.py"))
    gauges = set(re.findall(r'Measure\(\s*name="(\w+)"', watch))
    assert "Watched" in gauges
    assert {metric.name for metric in ours} == counted | gauges, "an alarm on what nobody publishes is never raised"
