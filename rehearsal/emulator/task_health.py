"""How well a service's task is, from Docker's health check and the balancer's probes."""

import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from docker.errors import DockerException
from ministack.services import ecs

from rehearsal.emulator.target_health import TargetRegistry

logger = logging.getLogger("rehearsal.tasks")

SETTLING_SECONDS = 1.0  # a task that nothing checks counts as well once it has lived so long
ADDRESS_SECONDS = 10.0  # a task behind a balancer may be without an address so long, or for its grace period
CONTAINER_FAILED = "Task failed container health checks"
TARGET_FAILED = "Task failed ELB health checks in (target-group {group})"
NO_ADDRESS = "Task failed to get a network address"


@dataclass(frozen=True, kw_only=True)
class Health:
    """`healthy`: counts for the deployment. `failure`: why it must go, if it must."""

    healthy: bool
    failure: str = ""


def judge(containers: str, targets: dict[str, str], *, age: float, grace: float) -> Health:
    """Weigh the container checks (NONE, HEALTHY, UNKNOWN, UNHEALTHY) and the state in each target group.

    ECS ignores failing checks for the grace period (seconds) after the task started.
    """
    unchecked = containers == "NONE" and not targets
    well = containers in ("NONE", "HEALTHY") and all(state == "healthy" for state in targets.values())
    if well:
        return Health(healthy=not unchecked or age >= SETTLING_SECONDS)
    if age <= grace:
        return Health(healthy=False)
    if containers == "UNHEALTHY":
        return Health(healthy=False, failure=CONTAINER_FAILED)
    failed = [group for group, state in targets.items() if state == "unhealthy"]
    return Health(healthy=False, failure=TARGET_FAILED.format(group=failed[0]) if failed else "")


def container_status(docker_client: Any, task: dict[str, Any], definitions: list[dict[str, Any]]) -> str:
    """The worst health among the task's checked containers; NONE if none is checked."""
    order = ("NONE", "HEALTHY", "UNKNOWN", "UNHEALTHY")
    worst = "NONE"
    for container_id, definition, container in zip(
        task.get("_docker_ids") or [], definitions, task.get("containers") or [], strict=False
    ):
        if not definition.get("healthCheck"):
            continue
        try:
            state = docker_client.api.inspect_container(container_id)["State"].get("Health") or {}
        except DockerException:
            state = {}
        status = {"healthy": "HEALTHY", "unhealthy": "UNHEALTHY"}.get(state.get("Status", ""), "UNKNOWN")
        container["healthStatus"] = status
        worst = max(worst, status, key=order.index)
    return worst


def address_of(docker_client: Any, task: dict[str, Any]) -> str:
    """The task's address; read again if it could not be read when its container started. Empty if it has none."""
    address = ecs._task_ip(task)
    if not address:
        for container_id in task.get("_docker_ids") or []:
            with suppress(DockerException):
                ecs._record_task_ip(task, docker_client.containers.get(container_id), None)
        address = ecs._task_ip(task)
        if address:
            logger.info("task %s has the address %s, which was not known before", task["taskArn"], address)
    return str(address or "")


def of_task(
    docker_client: Any,
    registry: TargetRegistry,
    service: dict[str, Any],
    task: dict[str, Any],
    longest_grace: float | None,
) -> Health:
    """Judge one task now; `longest_grace` (seconds) cuts the service's own grace period."""
    if task.get("lastStatus") != "RUNNING":
        return Health(healthy=False)
    since = task.setdefault("_running_since", time.monotonic())
    task_definition = ecs._task_defs.get(ecs._resolve_td_key(task["taskDefinitionArn"])) or {}
    containers = container_status(docker_client, task, task_definition.get("containerDefinitions", []))
    task["healthStatus"] = "UNKNOWN" if containers == "NONE" else containers
    balancers = [lb for lb in service.get("loadBalancers") or [] if lb.get("targetGroupArn")]
    age, grace = time.monotonic() - since, float(service.get("healthCheckGracePeriodSeconds") or 0)
    if longest_grace is not None:
        grace = min(grace, longest_grace)
    address = address_of(docker_client, task)
    if balancers and not address:
        return Health(healthy=False, failure=NO_ADDRESS if age > max(grace, ADDRESS_SECONDS) else "")
    targets = {
        lb["targetGroupArn"]: registry.state(lb["targetGroupArn"], address, int(lb.get("containerPort") or 80))
        for lb in balancers
    }
    return judge(containers, targets, age=age, grace=grace)
