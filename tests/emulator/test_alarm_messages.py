"""What alarms send to their topics, and composite alarms that follow their children."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch, sns
from rehearsal.cloudwatch.statistics import value
from rehearsal.emulator import metric_store
from rehearsal.emulator.alarms import Alarms
from rehearsal.emulator.service_scheduler import Scheduler

from conftest import Clock
from emulator_cloud import Cloud, until

NOON = 1_000_020 - 1_000_020 % 60 + 60.0
TOPIC = f"arn:aws:sns:{get_region()}:{get_account_id()}:pages"
Sent = list[tuple[str, str, dict[str, Any]]]  # topic, subject, message


@pytest.fixture
def clock(scheduler: Scheduler) -> Iterator[Clock]:
    """Ten seconds after noon of a long past day."""
    assert scheduler is not None, "it has installed the extensions"
    yield Clock(NOON + 10)
    cloudwatch.reset()
    sns.reset()


@pytest.fixture
def sent(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Sent:
    """What topics were told. There is one that lets CloudWatch publish."""
    assert clock.now, "after MiniStack was emptied"
    sns._create_topic({"Name": ["pages"]})
    notes: Sent = []

    def fanout(topic: str, _id: str, message: str, subject: str) -> None:
        notes.append((topic, subject, json.loads(message)))

    monkeypatch.setattr(sns, "_fanout", fanout)
    return notes


def allow(service: str, alarm: str = "*") -> None:
    """Give the topic a policy that lets one service publish, for alarms of these names."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sns:Publish",
        "Resource": TOPIC,
        "Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:us-east-1:{get_account_id()}:alarm:{alarm}"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    asked = {"TopicArn": [TOPIC], "AttributeName": ["Policy"], "AttributeValue": [policy]}
    assert sns._set_topic_attributes(asked)[0] == 200


def put(name: str, **changes: object) -> None:
    """Put an alarm on a minute with errors that tells the topic of everything."""
    description = {
        "AlarmName": name,
        "AlarmDescription": "Users see errors. Runbook: https://example.com/errors",
        "Namespace": "N",
        "MetricName": "Errors",
        "Dimensions": [{"Name": "of", "Value": name}],
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 5,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
        "AlarmActions": [TOPIC],
        "OKActions": [TOPIC],
    } | changes
    assert cloudwatch._put_metric_alarm({}, description, False, True)[0] == 200


def put_composite(name: str, rule: str) -> None:
    """Put a composite alarm that tells the topic of everything."""
    asked = {"AlarmName": name, "AlarmRule": rule, "AlarmActions": [TOPIC], "OKActions": [TOPIC]}
    assert cloudwatch._put_composite_alarm({}, asked, False, True)[0] == 200


def errors(name: str, at: float) -> None:
    """Publish more errors than an alarm bears."""
    metric_store.put("N", "Errors", {"of": name}, at, "Count", [value(9)])


def states(sent: Sent) -> list[tuple[str, str, str]]:
    """Name, old and new state of each message."""
    return [(each["AlarmName"], each["OldStateValue"], each["NewStateValue"]) for _, _, each in sent]


def test_a_message_says_what_why_and_where_to_look(clock: Clock, sent: Sent) -> None:
    alarms = Alarms(clock)
    put("errors")
    alarms.look()
    sent.clear()
    errors("errors", NOON + 20)
    clock.now = NOON + 63
    alarms.look()
    ((topic, subject, message),) = sent
    assert (topic, subject) == (TOPIC, 'ALARM: "errors" in US East (N. Virginia)')
    assert message["AlarmDescription"] == "Users see errors. Runbook: https://example.com/errors"
    assert (message["OldStateValue"], message["NewStateValue"]) == ("OK", "ALARM")
    assert "1 out of the last 1 datapoint [9.0]" in message["NewStateReason"]
    assert message["AlarmArn"].endswith(":alarm:errors")
    assert message["AlarmActions"] == [TOPIC]
    assert message["StateChangeTime"].endswith("+0000")
    trigger = message["Trigger"]
    assert (trigger["MetricName"], trigger["Threshold"], trigger["TreatMissingData"]) == ("Errors", 5, "notBreaching")
    assert trigger["Dimensions"] == [{"name": "of", "value": "errors"}]
    clock.now += 180
    alarms.look()
    assert states(sent)[-1] == ("errors", "ALARM", "OK"), "a return to OK is told as well"


def test_metric_math_is_told_by_its_queries(clock: Clock, sent: Sent) -> None:
    stat = {"Metric": {"Namespace": "N", "MetricName": "Errors"}, "Period": 60, "Stat": "Sum"}
    queries = [{"Id": "m1", "MetricStat": stat, "ReturnData": False}, {"Id": "e1", "Expression": "m1 * 2"}]
    put("math", Metrics=queries)
    Alarms(clock).look()
    assert sent[-1][2]["Trigger"]["Metrics"] == queries
    assert "MetricName" not in sent[-1][2]["Trigger"]


def test_a_topic_that_does_not_let_cloudwatch_publish_is_told_nothing(clock: Clock, sent: Sent) -> None:
    allow("events.amazonaws.com")
    put("errors")
    Alarms(clock).look()
    assert sent == [], "on AWS nobody would ever be paged"
    allow("cloudwatch.amazonaws.com", alarm="others")
    put("errors", Threshold=6)
    cloudwatch._set_alarm_state({}, {"AlarmName": "errors", "StateValue": "ALARM", "StateReason": "x"}, False, True)
    assert sent == []
    allow("cloudwatch.amazonaws.com", alarm="err*")
    cloudwatch._set_alarm_state({}, {"AlarmName": "errors", "StateValue": "OK", "StateReason": "x"}, False, True)
    assert states(sent) == [("errors", "ALARM", "OK")]


def test_an_alarm_without_actions_tells_nobody(clock: Clock, sent: Sent) -> None:
    put("errors", ActionsEnabled=False)
    Alarms(clock).look()
    assert sent == []


def test_a_composite_alarm_follows_its_children(clock: Clock, sent: Sent) -> None:
    alarms = Alarms(clock)
    for name in ("long", "short"):
        put(name, AlarmActions=[], OKActions=[])
    alarms.look()
    put_composite("burn", 'ALARM("long") AND ALARM("short")')
    put_composite("any", "ALARM(burn)")
    sent.clear()
    errors("long", NOON + 20)
    clock.now = NOON + 63
    alarms.look()
    assert sent == [], "one of the two is not enough"
    errors("long", NOON + 70)
    errors("short", NOON + 70)
    clock.now = NOON + 123
    alarms.look()
    assert set(states(sent)) == {("burn", "OK", "ALARM"), ("any", "OK", "ALARM")}, "one above another as well"
    message = next(each for _, _, each in sent if each["AlarmName"] == "burn")
    assert message["AlarmRule"] == 'ALARM("long") AND ALARM("short")'
    children = {child["Arn"].rpartition(":")[2]: child["State"]["Value"] for child in message["TriggeringChildren"]}
    assert children == {"long": "ALARM", "short": "ALARM"}
    assert "Trigger" not in message
    clock.now = NOON + 400
    alarms.look()
    assert set(states(sent)[2:]) == {("burn", "ALARM", "OK"), ("any", "ALARM", "OK")}


@pytest.mark.usefixtures("clock")
def test_a_composite_alarm_that_could_never_go_off_here_is_refused() -> None:
    asked = {"AlarmName": "odd", "AlarmRule": "AT_LEAST(1, ALARM, (a))"}
    answer = cloudwatch._put_composite_alarm({}, asked, False, True)
    assert answer[0] == 400, "a drill would wait for it in vain"
    assert b"The rehearsal cannot evaluate this alarm" in answer[2], "and not AWS"


def test_a_subscribed_queue_receives_the_message(cloud: Cloud) -> None:
    topics, queues = cloud.client("sns"), cloud.client("sqs")
    topic = topics.create_topic(Name="told")["TopicArn"]
    url = queues.create_queue(QueueName="told")["QueueUrl"]
    queue = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topics.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    cloud.cloudwatch.put_metric_alarm(
        AlarmName="queued",
        AlarmDescription="Look first: here",
        Namespace="tests",
        MetricName="Nothing",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="LessThanThreshold",
        TreatMissingData="breaching",
        AlarmActions=[topic],
    )
    (received,) = until(lambda: queues.receive_message(QueueUrl=url).get("Messages"), 10, "the message")
    envelope = json.loads(received["Body"])
    assert envelope["Subject"].startswith('ALARM: "queued"')
    assert json.loads(envelope["Message"])["AlarmDescription"] == "Look first: here"
    cloud.cloudwatch.delete_alarms(AlarmNames=["queued"])
