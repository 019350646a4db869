"""The tasks of one task definition in a service of a stack, and what they show when it does not serve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ops.container_logs import WITH_A_FAILURE, last_lines, log_stream, task_id
from ops.tasks import container_of, describe_end, indented, started

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_ecs.type_defs import TaskDefinitionTypeDef, TaskTypeDef

    from ops.aws import Aws
    from ops.clock import Clock
    from ops.stack import Stack

_DESCRIBE_AT_ONCE = 100
_TASKS_SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class Running:
    """How many tasks of the service are there now."""

    own: int
    """Of the revision, and running."""
    others: int
    """Of other revisions, and not told to stop: they still get their share of the requests."""
    youngest: dt.datetime | None
    """When the last of its own was started; None where ECS does not say."""


class Revision:
    """The tasks of one task definition in a service of a stack, the one that answers users unless named."""

    def __init__(self, aws: Aws, stack: Stack, definition: TaskDefinitionTypeDef, service: str | None = None) -> None:
        self._service = service or stack.service
        self._ecs: ECSClient = aws.ecs
        self._logs = aws.logs
        self._stack = stack
        self._definition = definition
        self.arn = definition["taskDefinitionArn"]

    def running(self) -> Running:
        """Count the service's tasks: the revision's own that run, and those of others that nobody stopped."""
        wanted = self._tasks("RUNNING")
        own = [task for task in wanted if task.get("taskDefinitionArn") == self.arn]
        running = [task for task in own if task.get("lastStatus") == "RUNNING"]
        began = [task["startedAt"] for task in running if "startedAt" in task]
        return Running(own=len(running), others=len(wanted) - len(own), youngest=max(began, default=None))

    def alive(self) -> list[TaskTypeDef]:
        """Return its tasks that are to run."""
        return self._own("RUNNING", "")

    def stopped(self, deployment_id: str) -> list[TaskTypeDef]:
        """Return its stopped tasks, the newest first; of one deployment of it, where ECS tells which are that one's."""
        return sorted(self._own("STOPPED", deployment_id), key=_stopped_at, reverse=True)

    def evidence(
        self, stopped: Sequence[TaskTypeDef], alive: Sequence[TaskTypeDef], events: Sequence[str], clock: Clock
    ) -> str:
        """Tell what is known about why it does not serve: events, stopped tasks, the first one's last lines."""
        parts = [f"last ECS events:\n{indented(events)}"] if events else []
        parts += [
            f"stopped task {task_id(item['taskArn'])}:\n{indented(describe_end(item))}"
            for item in stopped[:_TASKS_SHOWN]
        ]
        if not stopped:
            parts += [f"task {task_id(item['taskArn'])}: {_condition(item)}" for item in alive[:_TASKS_SHOWN]]
        if not stopped and not alive:
            parts.append("ECS shows no task of this revision: it could not place one, or it was an hour ago or more")
        parts += [self._last_lines(task, clock) for task in (*stopped, *alive)[:1]]
        return "\n".join(parts)

    def _last_lines(self, task: TaskTypeDef, clock: Clock) -> str:
        container = _culprit(task, self._stack.container(self._service))
        stream = log_stream(self._definition, container, task["taskArn"])
        # A task that runs is still writing, and a container that never started never wrote: one look is all there is.
        wrote = task.get("lastStatus") == "STOPPED" and started(task, container_of(task, container))
        lines, problem = last_lines(self._logs, stream, clock, WITH_A_FAILURE if wrote else None)
        if not lines:
            return f"no log lines of container {container} in task {task_id(task['taskArn'])}: {problem}"
        where = f"container {container} in task {task_id(task['taskArn'])} ({stream})"
        return f"last {len(lines)} log lines of {where}:\n{indented(lines)}"

    def _own(self, desired_status: str, deployment_id: str) -> list[TaskTypeDef]:
        # An earlier attempt with the same revision failed for reasons of its own.
        by = {deployment_id, None} if deployment_id else None
        return [
            task
            for task in self._tasks(desired_status)
            if task.get("taskDefinitionArn") == self.arn and (by is None or task.get("startedBy") in by)
        ]

    def _tasks(self, desired_status: str) -> list[TaskTypeDef]:
        pages = self._ecs.get_paginator("list_tasks").paginate(
            cluster=self._stack.cluster,
            serviceName=self._service,
            desiredStatus="STOPPED" if desired_status == "STOPPED" else "RUNNING",
        )
        arns = [arn for page in pages for arn in page["taskArns"]]
        found: list[TaskTypeDef] = []
        for start in range(0, len(arns), _DESCRIBE_AT_ONCE):
            chunk = arns[start : start + _DESCRIBE_AT_ONCE]
            found += self._ecs.describe_tasks(cluster=self._stack.cluster, tasks=chunk)["tasks"]
        return found


def _stopped_at(task: TaskTypeDef) -> float:
    moment = task.get("stoppedAt") or task.get("stoppingAt")
    return moment.timestamp() if moment else 0.0


def _condition(task: TaskTypeDef) -> str:
    return f"{task.get('lastStatus')}, health {task.get('healthStatus', 'UNKNOWN')}"


def _culprit(task: TaskTypeDef, usual: str) -> str:
    failed = [item.get("name", usual) for item in task.get("containers", []) if item.get("exitCode") not in {0, None}]
    return usual if usual in failed or not failed else failed[0]
