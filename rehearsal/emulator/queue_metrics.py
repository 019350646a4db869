"""What SQS reports of its queues: how many messages wait in them."""

import time

from ministack.core.responses import request_scope
from ministack.services import sqs

from rehearsal.cloudwatch.statistics import value
from rehearsal.emulator import metric_store
from rehearsal.emulator.patching import Extension

EXTENSION = Extension(
    name="queue metrics",
    rule="ApproximateNumberOfMessagesVisible per queue each minute: of an empty one, a zero",
    source="Available CloudWatch metrics for Amazon SQS",
)
METRIC = "ApproximateNumberOfMessagesVisible"


def publish(minute: int) -> None:
    """Publish how many messages each queue has that nobody is working on."""
    for (account, region, _url), queue in list(sqs._queues._data.items()):
        waiting = sum(message["visible_at"] <= time.time() for message in list(queue["messages"]))
        with request_scope(account, region):
            metric_store.put("AWS/SQS", METRIC, {"QueueName": queue["name"]}, minute, "Count", [value(waiting)])
