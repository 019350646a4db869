"""What people are told by a stack's alarms: a queue that is subscribed to the topics, as an address of theirs is."""

import json
import re
import time
from dataclasses import dataclass, field
from typing import Any

from rehearsal.drills.drill import DrillError, expect
from rehearsal.place import PROJECT_ROOT
from rehearsal.realisers.tools import Tools

QUEUE = "drill-inbox"
MOST_MESSAGES = 10  # of one ReceiveMessage
_RUNBOOK = re.compile(r"^Runbook: .*?([\w-]+\.md)$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message of an alarm; `at` is when it was there, by the monotonic clock."""

    alarm: str
    state: str
    description: str
    reason: str
    at: float


@dataclass(kw_only=True)
class Inbox:
    """A queue with all that the topics of a stack's alarms were told since it was opened."""

    tools: Tools
    messages: list[Message] = field(default_factory=list)
    _url: str = ""

    def open(self) -> None:
        """Subscribe to every topic that an alarm tells anything."""
        sqs, sns = self.tools.client("sqs"), self.tools.client("sns")
        self._url = sqs.create_queue(QueueName=QUEUE)["QueueUrl"]
        wanted = {"QueueUrl": self._url, "AttributeNames": ["QueueArn"]}
        queue = sqs.get_queue_attributes(**wanted)["Attributes"]["QueueArn"]
        topics = {topic for alarm in self.alarms() for topic in alarm["AlarmActions"]}
        expect(topics, "no alarm of the stack tells anybody anything")
        for topic in sorted(topics):
            sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)

    def alarms(self) -> list[dict[str, Any]]:
        """All alarms of the stack, as describe_alarms answers them."""
        described = self.tools.client("cloudwatch").get_paginator("describe_alarms")
        # Without types AWS answers with metric alarms only.
        pages = described.paginate(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        return [alarm for page in pages for alarm in [*page["MetricAlarms"], *page["CompositeAlarms"]]]

    def alarm(self, label: str) -> dict[str, Any]:
        """The alarm of a label, such as `slow-p95`. DrillError when there is none, or more than one."""
        pattern = re.compile(rf".+-{re.escape(label)}(-[0-9a-f]+)?")
        found = [alarm for alarm in self.alarms() if pattern.fullmatch(alarm["AlarmName"])]
        expect(len(found) == 1, f"{len(found)} alarms are called {label}")
        return found[0]

    def read(self) -> None:
        """Take in what has come."""
        sqs = self.tools.client("sqs")
        while received := sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=MOST_MESSAGES).get("Messages"):
            for each in received:
                self.messages.append(_message(each["Body"]))
                sqs.delete_message(QueueUrl=self._url, ReceiptHandle=each["ReceiptHandle"])

    def told(self, alarm: str, state: str) -> Message | None:
        """The first message that an alarm has come into a state, if there is one by now."""
        self.read()
        return next((each for each in self.messages if (each.alarm, each.state) == (alarm, state)), None)


def _message(body: str) -> Message:
    told = json.loads(json.loads(body)["Message"])
    return Message(
        alarm=told["AlarmName"],
        state=told["NewStateValue"],
        description=told["AlarmDescription"] or "",
        reason=told["NewStateReason"],
        at=time.monotonic(),
    )


def says_what_to_do(message: Message) -> None:
    """A message says what happened, why it was sent, where to look first, and which page tells more.

    DrillError names what it lacks.
    """
    summary, *rest = message.description.splitlines() or [""]
    lacking = [word for word in ("Look first: ", "Runbook: ", "Dashboard: ") if not any(word in line for line in rest)]
    expect(summary and not lacking, f"the message of {message.alarm} lacks {lacking or 'a summary'}: {message}")
    expect("Threshold Crossed" in message.reason, f"the message of {message.alarm} does not say why: {message.reason}")
    runbook = _RUNBOOK.search(message.description)
    if runbook is None or not (PROJECT_ROOT / "docs/runbooks" / runbook[1]).is_file():
        raise DrillError(f"the runbook of {message.alarm} is not in docs/runbooks: {message.description}")
