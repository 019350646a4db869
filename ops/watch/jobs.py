"""When each job last ended well: remembered from what ECS says, and counted from.

It is an item of the release memory's table, and no parameter of SSM: of two events that come in the wrong order it
keeps the later one by a condition, and it goes with the stack. No update writes it, so none forgets it. A job that is
looked at for the first time is counted from then: its schedule may be years older than the watch, or come only after
the verdict of an update that lasts.
"""

from __future__ import annotations

import datetime as dt
import logging
from typing import TYPE_CHECKING, Any

from ops.watch.measure import Measure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ops.watch.assignment import Assignment
    from ops.watch.clients import Clients

logger = logging.getLogger("watch")
KEY = "stack"
# Before a job's name: one may be called like the key.
OF_JOB = "job:"
TASK_ENDED = "ECS Task State Change"


def gauge(assignment: Assignment, clients: Clients, now: dt.datetime, *, by_hand: bool) -> Iterator[Measure]:
    """Seconds since each job last ended well, or since it was given its schedule, or first looked at.

    One that cannot be counted keeps no other from it; its error is raised behind them. A look by hand is no first one.
    """
    if not assignment.jobs:
        return
    counted = _remembered(assignment, clients)
    lost: list[Exception] = []
    for job in assignment.jobs:
        try:
            if job not in counted and not by_hand:
                _keep(assignment, clients, job, now)
                counted[job] = now
            since = _since(assignment, clients, job, counted.get(job), now)
        except Exception as error:
            logger.exception("nothing can be counted of the job %s", job)
            lost.append(error)
            continue
        seconds = max(0.0, (now - since).total_seconds())
        yield Measure(name="SecondsSinceSuccess", value=seconds, unit="Seconds", dimensions={"Job": job})
    if lost:
        raise lost[0]


def remember(assignment: Assignment, clients: Clients, event: Mapping[str, Any]) -> str:
    """Keep what an event says of a job that ended well; return the job, or nothing where it says no such thing."""
    detail = event["detail"]
    job = str(detail.get("group", "")).removeprefix(f"family:{assignment.family('')}")
    codes = [container.get("exitCode") for container in detail["containers"] if container.get("name") == job]
    if detail.get("lastStatus") != "STOPPED" or job not in assignment.jobs or codes != [0]:
        return ""
    ended = dt.datetime.fromisoformat(detail.get("stoppedAt") or event["time"])
    return job if _keep(assignment, clients, job, ended) else ""


def _keep(assignment: Assignment, clients: Clients, job: str, moment: dt.datetime) -> bool:
    """Keep the moment from which a job is counted; False when a later one stands there."""
    try:
        clients.dynamodb.update_item(
            TableName=assignment.table,
            Key={KEY: {"S": assignment.item}},
            UpdateExpression="SET #job = :moment",
            # Events come in any order, and more than once.
            ConditionExpression="attribute_not_exists(#job) OR #job < :moment",
            ExpressionAttributeNames={"#job": f"{OF_JOB}{job}"},
            ExpressionAttributeValues={":moment": {"N": f"{moment.timestamp():.0f}"}},
        )
    except clients.dynamodb.exceptions.ConditionalCheckFailedException:
        return False
    return True


def _remembered(assignment: Assignment, clients: Clients) -> dict[str, dt.datetime]:
    # What was written a moment ago must be seen: the alarm of an overdue job is about to be cleared by it.
    answer = clients.dynamodb.get_item(
        TableName=assignment.table, Key={KEY: {"S": assignment.item}}, ConsistentRead=True
    )
    item = answer.get("Item", {})
    return {
        job: dt.datetime.fromtimestamp(float(value["N"]), dt.UTC)
        for job in assignment.jobs
        if (value := item.get(f"{OF_JOB}{job}"))
    }


def _since(
    assignment: Assignment, clients: Clients, job: str, counted: dt.datetime | None, now: dt.datetime
) -> dt.datetime:
    """The later one: a job that comes back to the stack file after months is not overdue for that."""
    schedules = clients.scheduler
    try:
        made = schedules.get_schedule(GroupName=assignment.name, Name=assignment.family(job))["CreationDate"]
    except schedules.exceptions.ResourceNotFoundException:
        return counted or now
    return max(made, counted) if counted else made
