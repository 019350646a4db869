"""What ECS says about a rollout, read as one of a few states."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ops.container_logs import WITH_A_FAILURE, last_lines, log_stream, task_id
from ops.tasks import container_of, describe_end, indented, started
from ops.transcript import printable

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_ecs.type_defs import (
        DeploymentTypeDef,
        ServiceEventTypeDef,
        ServiceTypeDef,
        TaskDefinitionTypeDef,
        TaskTypeDef,
    )

    from ops.aws import Aws
    from ops.clock import Clock
    from ops.stack import Stack

_DESCRIBE_AT_ONCE = 100
_TASKS_SHOWN = 3
_EVENTS_SHOWN = 5


class State(enum.Enum):
    """Where the rollout of one task definition stands."""

    ABSENT = "no deployment of it is there"
    ROLLING = "it is being rolled out"
    COMPLETED = "its rollout is complete"
    FAILED = "its rollout failed, and ECS has returned to no earlier deployment yet"
    ROLLED_BACK = "it was rolled back"
    REPLACED = "another deployment took its place"


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """The rollout of one task definition, as one answer of ECS shows it."""

    state: State
    reason: str
    """ECS's own words, or none."""
    running: int
    desired: int
    now_serving: str
    """The task definition of the primary deployment."""
    earlier: str
    """The task definition of another deployment that was completed once and is still listed, or none."""


def read_rollout(service: ServiceTypeDef, definition_arn: str) -> Rollout:
    """Read where the rollout of a task definition stands."""
    deployments = service.get("deployments", [])
    nothing: DeploymentTypeDef = {}
    primary = next((item for item in deployments if item.get("status") == "PRIMARY"), nothing)
    primary_arn = primary.get("taskDefinition", "")
    own = primary if primary_arn == definition_arn else _newest_of(deployments, definition_arn)
    return Rollout(
        state=_state(primary, own),
        reason=printable((own or primary).get("rolloutStateReason", "")),
        running=(own or {}).get("runningCount", 0),
        desired=(own or {}).get("desiredCount", service.get("desiredCount", 0)),
        now_serving=primary_arn,
        earlier=next((item.get("taskDefinition", "") for item in deployments if _may_be_returned_to(item)), ""),
    )


def _may_be_returned_to(deployment: DeploymentTypeDef) -> bool:
    return deployment.get("status") != "PRIMARY" and deployment.get("rolloutState") == "COMPLETED"


def _newest_of(deployments: Sequence[DeploymentTypeDef], definition_arn: str) -> DeploymentTypeDef | None:
    # ECS lists the newest first.
    return next((item for item in deployments if item.get("taskDefinition") == definition_arn), None)


def _state(primary: DeploymentTypeDef, own: DeploymentTypeDef | None) -> State:
    if own is None:
        return State.ABSENT
    rollout = own.get("rolloutState")
    if own is not primary:
        # The breaker and the alarms mark the deployment FAILED before they put another in its place.
        return State.ROLLED_BACK if rollout == "FAILED" else State.REPLACED
    if rollout == "FAILED":
        return State.FAILED
    return State.COMPLETED if rollout == "COMPLETED" else State.ROLLING


class EventFeed:
    """The service's events, each handed out once, oldest first, from the rollout's beginning."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._first = True
        self._shown: list[str] = []
        self._newest: list[str] = []

    def new(self, service: ServiceTypeDef, definition_arn: str) -> list[str]:
        """Return the events that were not handed out before."""
        events = service.get("events", [])
        if self._first:
            self._first = False
            self._seen = {item["id"] for item in events if not _belongs(item, _began(service, definition_arn))}
        fresh = [item for item in reversed(events) if item["id"] not in self._seen]
        self._seen.update(item["id"] for item in fresh)
        lines = [printable(item.get("message", "")) for item in fresh]
        self._shown += lines
        self._newest = [printable(item.get("message", "")) for item in reversed(events[:_EVENTS_SHOWN])]
        return lines

    @property
    def last(self) -> list[str]:
        """The last few events of the rollout; when it was over before we looked, of the service."""
        return self._shown[-_EVENTS_SHOWN:] or self._newest


def _began(service: ServiceTypeDef, definition_arn: str) -> dt.datetime | None:
    own = _newest_of(service.get("deployments", []), definition_arn)
    if own is None or own.get("rolloutState") == "COMPLETED":
        return None
    return own.get("createdAt")


def _belongs(event: ServiceEventTypeDef, began: dt.datetime | None) -> bool:
    return began is not None and event["createdAt"] >= began


class Revision:
    """The tasks of one task definition in a stack's service."""

    def __init__(self, aws: Aws, stack: Stack, definition: TaskDefinitionTypeDef) -> None:
        self._ecs: ECSClient = aws.ecs
        self._logs = aws.logs
        self._stack = stack
        self._definition = definition
        self.arn = definition["taskDefinitionArn"]

    def running(self) -> int:
        """Count its tasks that run."""
        return sum(task.get("lastStatus") == "RUNNING" for task in self._tasks("RUNNING"))

    def evidence(self, events: Sequence[str], clock: Clock) -> str:
        """Tell what is known about why it does not serve: events, stopped tasks, a container's last lines."""
        parts = [f"last ECS events:\n{indented(events)}"] if events else []
        stopped = sorted(self._tasks("STOPPED"), key=_stopped_at, reverse=True)
        parts += [
            f"stopped task {task_id(item['taskArn'])}:\n{indented(describe_end(item))}"
            for item in stopped[:_TASKS_SHOWN]
        ]
        alive = self._tasks("RUNNING")
        if not stopped:
            parts += [f"task {task_id(item['taskArn'])}: {_condition(item)}" for item in alive[:_TASKS_SHOWN]]
        if not stopped and not alive:
            parts.append("ECS shows no task of this revision: it could not place one, or it was an hour ago or more")
        parts += [self._last_lines(task, clock) for task in (*stopped, *alive)[:1]]
        return "\n".join(parts)

    def _last_lines(self, task: TaskTypeDef, clock: Clock) -> str:
        container = _culprit(task, self._stack.container("web"))
        stream = log_stream(self._definition, container, task["taskArn"])
        # A task that runs is still writing, and a container that never started never wrote: one look is all there is.
        wrote = task.get("lastStatus") == "STOPPED" and started(task, container_of(task, container))
        lines, problem = last_lines(self._logs, stream, clock, WITH_A_FAILURE if wrote else None)
        if not lines:
            return f"no log lines of container {container} in task {task_id(task['taskArn'])}: {problem}"
        where = f"container {container} in task {task_id(task['taskArn'])} ({stream})"
        return f"last {len(lines)} log lines of {where}:\n{indented(lines)}"

    def _tasks(self, desired_status: str) -> list[TaskTypeDef]:
        pages = self._ecs.get_paginator("list_tasks").paginate(
            cluster=self._stack.cluster,
            serviceName=self._stack.service,
            desiredStatus="STOPPED" if desired_status == "STOPPED" else "RUNNING",
        )
        arns = [arn for page in pages for arn in page["taskArns"]]
        found: list[TaskTypeDef] = []
        for start in range(0, len(arns), _DESCRIBE_AT_ONCE):
            chunk = arns[start : start + _DESCRIBE_AT_ONCE]
            found += self._ecs.describe_tasks(cluster=self._stack.cluster, tasks=chunk)["tasks"]
        return [task for task in found if task.get("taskDefinitionArn") == self.arn]


def _stopped_at(task: TaskTypeDef) -> float:
    moment = task.get("stoppedAt") or task.get("stoppingAt")
    return moment.timestamp() if moment else 0.0


def _condition(task: TaskTypeDef) -> str:
    return f"{task.get('lastStatus')}, health {task.get('healthStatus', 'UNKNOWN')}"


def _culprit(task: TaskTypeDef, usual: str) -> str:
    failed = [item.get("name", usual) for item in task.get("containers", []) if item.get("exitCode") not in {0, None}]
    return usual if usual in failed or not failed else failed[0]
