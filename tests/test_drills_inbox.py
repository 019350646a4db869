"""What a drill takes for a message that reached people: all of its parts, or it is red."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import pytest

from rehearsal.drills.drill import DrillError
from rehearsal.drills.inbox import Inbox, Message, says_what_to_do

if TYPE_CHECKING:
    from rehearsal.realisers.tools import Tools

DESCRIPTION = (
    "A request failed.\nLook first: python -m ops status --stack staging\n"
    "Runbook: https://example.com/docs/runbooks/exceptions.md\nDashboard: pactum-staging, service"
)
GOOD = Message(alarm="a", state="ALARM", description=DESCRIPTION, reason="Threshold Crossed: 1 out of 1", at=1.0)


class _Cloud:
    """Topics, queues and alarms of an account: what is told a topic is in the queue that subscribes to it."""

    def __init__(self, *alarms: str) -> None:
        self.waiting: list[dict[str, str]] = []
        self.subscribed: list[str] = []
        self.names = alarms

    def client(self, _: str) -> _Cloud:
        return self

    def create_queue(self, **_: str) -> dict[str, str]:
        return {"QueueUrl": "url"}

    def get_queue_attributes(self, **_: object) -> dict[str, Any]:
        return {"Attributes": {"QueueArn": "queue"}}

    def subscribe(self, **subscription: str) -> None:
        assert (subscription["Protocol"], subscription["Endpoint"]) == ("sqs", "queue")
        self.subscribed.append(subscription["TopicArn"])

    def get_paginator(self, _: str) -> _Cloud:
        return self

    def paginate(self, **asked: list[str]) -> list[dict[str, Any]]:
        assert asked == {"AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}, "by itself AWS tells of metric alarms only"
        metric = [{"AlarmName": name, "AlarmActions": ["pages"]} for name in self.names]
        composite = [{"AlarmName": "pactum-staging-burn", "AlarmActions": ["tickets"]}]
        return [{"MetricAlarms": metric, "CompositeAlarms": []}, {"MetricAlarms": [], "CompositeAlarms": composite}]

    def tell(self, name: str, state: str) -> None:
        told = {
            "AlarmName": name,
            "NewStateValue": state,
            "AlarmDescription": DESCRIPTION,
            "NewStateReason": "Threshold Crossed",
        }
        self.waiting.append({"Body": json.dumps({"Message": json.dumps(told)}), "ReceiptHandle": name})

    def receive_message(self, **_: object) -> dict[str, Any]:
        return {"Messages": self.waiting[:1]} if self.waiting else {}

    def delete_message(self, **_: str) -> None:
        self.waiting.pop(0)


def inbox(cloud: Any) -> Inbox:
    tools: Tools = cloud
    return Inbox(tools=tools)


def test_it_is_subscribed_to_every_topic_and_finds_what_was_told() -> None:
    cloud = _Cloud("pactum-staging-slow-p95-0a1b2c3", "pactum-staging-errors")
    box = inbox(cloud)
    box.open()
    assert cloud.subscribed == ["pages", "tickets"], "composite alarms have topics too"
    cloud.tell("other", "ALARM")
    cloud.tell("errors", "ALARM")
    cloud.tell("errors", "OK")
    alarm, over = box.told("errors", "ALARM"), box.told("errors", "OK")
    assert alarm
    assert over
    assert (alarm.description, alarm.reason) == (DESCRIPTION, "Threshold Crossed")
    assert alarm.at <= over.at
    assert box.told("slow", "ALARM") is None
    assert cloud.waiting == [], "all that came was read"


def test_an_alarm_is_found_by_its_label_with_what_pulumi_puts_behind_it() -> None:
    box = inbox(_Cloud("pactum-staging-slow-p95-0a1b2c3", "pactum-staging-target-errors", "pactum-staging-errors"))
    assert box.alarm("slow-p95")["AlarmName"] == "pactum-staging-slow-p95-0a1b2c3"
    with pytest.raises(DrillError, match="2 alarms are called errors"):
        box.alarm("errors")
    with pytest.raises(DrillError, match="0 alarms are called slow-p99"):
        box.alarm("slow-p99")


def test_a_message_that_says_everything_is_good() -> None:
    says_what_to_do(GOOD)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"description": DESCRIPTION.replace("Look first", "Look")}, "lacks"),
        ({"description": DESCRIPTION.replace("Runbook", "Book")}, "lacks"),
        ({"description": ""}, "lacks"),
        ({"description": DESCRIPTION.replace("exceptions.md", "nowhere.md")}, "not in docs/runbooks"),
        ({"reason": "somebody said so"}, "does not say why"),
    ],
)
def test_a_message_that_lacks_something_is_red(change: dict[str, Any], words: str) -> None:
    with pytest.raises(DrillError, match=words):
        says_what_to_do(dataclasses.replace(GOOD, **change))
