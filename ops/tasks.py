"""One-off ECS tasks: started, watched to their end, and described when that end was not the wanted one."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ops.clock import Deadline
from ops.container_logs import task_id
from ops.errors import CannotAct, OpsError
from ops.transcript import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_ecs.type_defs import (
        ContainerTypeDef,
        ServiceTypeDef,
        TaskDefinitionTypeDef,
        TaskOverrideTypeDef,
        TaskTypeDef,
    )

    from ops.clock import Clock
    from ops.stack import Stack

# A task that was just started may be unknown to DescribeTasks for some seconds.
MISSING_SECONDS = 60
FAILED_TO_START = "TaskFailedToStart"
_ON_ITS_WAY_OUT = {"DEACTIVATING", "STOPPING"}
# ECS quotes the first character of a secret that should have been JSON.
_QUOTED_VALUE = re.compile(r"invalid character '.{0,6}?' ")


@dataclass(frozen=True, kw_only=True)
class TaskNetwork:
    """Where a task's network interface is put."""

    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    public_ip: bool


def find_service(ecs: ECSClient, stack: Stack, name: str | None = None) -> ServiceTypeDef | None:
    """Return a live service of the stack, the one that answers users unless named; None when there is none (yet)."""
    try:
        found = ecs.describe_services(cluster=stack.cluster, services=[name or stack.service])["services"]
    except ecs.exceptions.ClusterNotFoundException:
        return None
    return found[0] if found and found[0].get("status") == "ACTIVE" else None


def live_service(ecs: ECSClient, stack: Stack) -> ServiceTypeDef:
    """Return the stack's live service.

    Raises:
        CannotAct: there is none.

    """
    service = find_service(ecs, stack)
    if service is None:
        raise CannotAct(
            f"there is no service {stack.service} in a cluster {stack.cluster} in this account and region. "
            "Check --stack, --project, the account and the region, or deploy it first (`pulumi up`).",
        )
    return service


def find_task_definition(ecs: ECSClient, name: str) -> TaskDefinitionTypeDef:
    """Return a task definition by ARN, `family:revision`, or family (then its latest active revision).

    Raises:
        CannotAct: there is none of that name.

    """
    try:
        return ecs.describe_task_definition(taskDefinition=name)["taskDefinition"]
    except (ecs.exceptions.ClientException, ecs.exceptions.InvalidParameterException) as error:
        raise CannotAct(
            f"ECS knows no task definition {name!r} in this account and region. "
            "Check --stack, --project and --task-definition, or deploy the stack first (`pulumi up`).",
        ) from error


def network_of(service: ServiceTypeDef) -> TaskNetwork:
    """Return the network a service's tasks are put into.

    Raises:
        CannotAct: the service has none of its own.

    """
    live = service.get("networkConfiguration", {}).get("awsvpcConfiguration")
    if not live:
        raise CannotAct(f"the service {service.get('serviceName')} has no network of its own (awsvpc) to take.")
    groups, public_ip = tuple(live.get("securityGroups", [])), live.get("assignPublicIp") == "ENABLED"
    return TaskNetwork(subnets=tuple(live["subnets"]), security_groups=groups, public_ip=public_ip)


def environment_of(definition: TaskDefinitionTypeDef, container: str) -> dict[str, str]:
    """Return the plain environment of a task definition's container (its secrets are not in it)."""
    for candidate in definition.get("containerDefinitions", []):
        if candidate.get("name") == container:
            return {item.get("name", ""): item.get("value", "") for item in candidate.get("environment", [])}
    return {}


def start(
    ecs: ECSClient,
    *,
    cluster: str,
    definition_arn: str,
    network: TaskNetwork,
    started_by: str,
    overrides: TaskOverrideTypeDef | None = None,
    exec_sessions: bool = False,
) -> str:
    """Start one Fargate task and return its ARN; `exec_sessions`: a person may enter it (ECS Exec).

    Never on Spot, whatever the service uses: a one-off task that is taken away half-way helps nobody.

    Raises:
        OpsError: ECS found no place for it.

    """
    more: dict[str, Any] = {"overrides": overrides} if overrides else {}
    more |= {"enableExecuteCommand": True} if exec_sessions else {}
    answer = ecs.run_task(
        cluster=cluster,
        taskDefinition=definition_arn,
        count=1,
        launchType="FARGATE",
        startedBy=started_by,
        # A repeated request (a lost answer) must not start a second task.
        clientToken=str(uuid.uuid4()),
        networkConfiguration={
            "awsvpcConfiguration": {
                "subnets": list(network.subnets),
                "securityGroups": list(network.security_groups),
                "assignPublicIp": "ENABLED" if network.public_ip else "DISABLED",
            }
        },
        **more,
    )
    if answer["tasks"]:
        return answer["tasks"][0]["taskArn"]
    reasons = "; ".join(
        " ".join(filter(None, (failure.get("reason"), failure.get("detail"), failure.get("arn"))))
        for failure in answer["failures"]
    )
    raise OpsError(
        f"ECS did not start the task: {reasons or 'it gave no reason'}\n"
        "Nothing ran. For lack of capacity or of free addresses, wait and run again, or use other subnets; "
        "for limits, see Fargate in Service Quotas.",
    )


def wait_until_stopped(
    ecs: ECSClient,
    *,
    cluster: str,
    task_arn: str,
    clock: Clock,
    deadline: Deadline,
    look: Callable[[TaskTypeDef], None],
) -> TaskTypeDef | None:
    """Poll until the task is STOPPED and return it; None at the deadline. `look` sees every answer.

    Never waits for RUNNING: a task that ends in under a second goes from PENDING to STOPPED unseen.

    Raises:
        OpsError: ECS forgot the task.

    """
    patience = Deadline(clock, MISSING_SECONDS)
    while True:
        answer = ecs.describe_tasks(cluster=cluster, tasks=[task_arn])
        if answer["tasks"]:
            task = answer["tasks"][0]
            look(task)
            if task.get("lastStatus") == "STOPPED":
                return task
        elif patience.passed:
            reason = "; ".join(failure.get("reason", "") for failure in answer["failures"])
            raise OpsError(f"ECS no longer knows task {task_id(task_arn)} ({reason}): its exit code cannot be told.")
        if deadline.passed:
            return None
        deadline.pause()


def container_of(task: TaskTypeDef, name: str) -> ContainerTypeDef:
    """Return a task's container by name; an empty one when ECS does not list it."""
    nothing: ContainerTypeDef = {}
    return next((item for item in task.get("containers", []) if item.get("name") == name), nothing)


def describe_end(task: TaskTypeDef) -> list[str]:
    """Tell why a task stopped, and each container's exit code, one fact a line."""
    stopped = task.get("stoppedReason") or "no reason given"
    code = task.get("stopCode")
    lines = [f"stopped reason: {without_values(stopped)}" + (f" ({code})" if code else "")]
    for container in task.get("containers", []):
        reason = container.get("reason")
        lines.append(f"container {container.get('name')}: {how_it_ended(task, container)}")
        lines[-1] += f": {without_values(reason)}" if reason else ""
    return lines


def without_values(said: str) -> str:
    """Return ECS's words as one printable line, without what they quote of a secret's value."""
    return printable(_QUOTED_VALUE.sub("invalid character ", said))


def started(task: TaskTypeDef, container: ContainerTypeDef) -> bool:
    """Whether a stopped task's container ever ran, as far as ECS can tell."""
    began = task.get("startedAt") is not None and task.get("stopCode") != FAILED_TO_START
    return began or container.get("exitCode") is not None


def denied_before_it_ran(task: TaskTypeDef) -> bool:
    """Whether a task stopped before any container ran, because ECS was denied what it needs to start one.

    Such as the value of a secret, the image, or the log group, all fetched in the name of the execution role.
    """
    reason = task.get("stoppedReason", "")
    denied = "ResourceInitializationError" in reason and "AccessDenied" in reason
    ran = any(started(task, container) for container in task.get("containers", []))
    return denied and task.get("stopCode") == FAILED_TO_START and task.get("startedAt") is None and not ran


def how_it_ended(task: TaskTypeDef, container: ContainerTypeDef) -> str:
    """Tell a container's end in a few words; without an exit code it mostly never started."""
    exit_code = container.get("exitCode")
    if exit_code is not None:
        return f"exit code {exit_code}{_meaning(exit_code)}"
    if task.get("lastStatus") in _ON_ITS_WAY_OUT:
        return "is stopping"
    return "ended without an exit code" if started(task, container) else "never started"


def indented(lines: Iterable[str]) -> str:
    """Lay lines out as a block under a heading."""
    return "\n".join(f"  {printable(line)}" for text in lines for line in (text.splitlines() or [""]))


def _meaning(exit_code: int) -> str:
    known = {137: " (killed: out of memory, or not stopped in time)", 139: " (crashed)", 143: " (told to stop)"}
    return known.get(exit_code, "")
