"""The ECS service scheduler: one thread that looks at every service and does what `deployments.decide` says.

MiniStack starts and stops tasks from whichever API call or container comes by, and calls a deployment complete a
second after its containers started.
"""

import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import ecs

from rehearsal.emulator import circuit_breaker, deployment_events, task_health
from rehearsal.emulator.deployment_alarms import DeploymentAlarms, is_baking
from rehearsal.emulator.deployments import Decision, ServiceView, TaskView, decide
from rehearsal.emulator.patching import Extension
from rehearsal.emulator.repeating import LoopFailedError, repeat
from rehearsal.emulator.rollback import last_completed
from rehearsal.emulator.service_events import event
from rehearsal.emulator.target_health import TargetRegistry
from rehearsal.emulator.task_stop import Stopper

logger = logging.getLogger("rehearsal.services")

EXTENSION = Extension(
    name="rolling deployments",
    rule=(
        "A deployment completes when all desired tasks of the new revision run, pass their container checks and are "
        "healthy in their target groups; old tasks leave within minimumHealthyPercent and maximumPercent; unhealthy "
        "tasks are stopped after the grace period and, as crashed ones, replaced with a growing pause"
    ),
    source="Amazon ECS rolling deployments; Service load balancing considerations; Amazon ECS service throttle logic",
)
TICK_SECONDS = 0.5
Task = dict[str, Any]
Service = dict[str, Any]
Deployment = dict[str, Any]


class Scheduler:
    """Keeps every service at its desired count."""

    def __init__(
        self,
        docker_client: Any,
        registry: TargetRegistry,
        stopper: Stopper,
        longest_grace: float | None = None,
        alarms: DeploymentAlarms | None = None,
    ) -> None:
        self._docker = docker_client
        self._longest_grace = longest_grace
        self._registry = registry
        self._stopper = stopper
        self.lock = threading.RLock()  # of every service's deployments: what reads and then changes them holds it
        self._wake = threading.Event()
        self.breaker = circuit_breaker.CircuitBreaker(self.lock)
        self._alarms = alarms or DeploymentAlarms(bake_seconds=0)

    def wake(self, *_arguments: Any, **_options: Any) -> None:
        """Look at the services now rather than at the next tick."""
        self._wake.set()

    def run(self, closing: threading.Event, on_failure: Callable[[LoopFailedError], None]) -> None:
        """Look at all services until the emulator closes."""
        repeat("service scheduler", lambda: self.look(closing), closing, on_failure)

    def look(self, closing: threading.Event) -> None:
        """Wait for the next tick, then tend every service. Raises, once all had their turn, what went wrong."""
        self._wake.wait(TICK_SECONDS)
        self._wake.clear()
        errors: list[Exception] = []
        for (account, region, key), service in list(ecs._services._data.items()):
            if closing.is_set():
                return
            try:
                with request_scope(account, region):
                    self.tend(key.split("/", 1)[0], service)
            except Exception as error:  # noqa: BLE001 - raised below: one broken service must not stop the others
                error.add_note(f"while tending service {key}")
                errors.append(error)
        if errors:
            raise ExceptionGroup("services could not be tended", errors)

    def tend(self, cluster: str, service: Service) -> None:
        """Bring one service a step nearer to what it should be."""
        if service.get("status") != "ACTIVE":
            return
        tasks = {task["taskArn"]: task for task in live_tasks(service)}
        health = {
            arn: task_health.of_task(self._docker, self._registry, service, task, self._longest_grace)
            for arn, task in tasks.items()
        }
        with self.lock:
            primary = self._primary(service)
            if primary is None:
                return
            if primary["rolloutState"] == "IN_PROGRESS" and not primary.get("rolloutStateReason"):
                primary["rolloutStateReason"] = f"ECS deployment {primary['id']} in progress."
            deployment_events.begun(service, primary)
            for arn, task in tasks.items():
                if health[arn].healthy and not task.get("_was_healthy"):
                    task["_was_healthy"] = task["_startup_stable"] = True
                    self.breaker.task_is_healthy(service, task)
            views = [
                TaskView(
                    arn=arn,
                    deployment=task.get("_deployment_id") or "",
                    healthy=health[arn].healthy,
                    doomed=health[arn].failure,
                    created=str(task.get("createdAt", "")),
                )
                for arn, task in tasks.items()
            ]
            decision = decide(service_view(service, primary), views)
            self._apply(cluster, service, primary, tasks, decision)
        ecs._refresh_service_state(cluster, f"service:{service['serviceName']}")

    def _primary(self, service: Service) -> Deployment | None:
        """The primary deployment, after its alarms have had their say."""
        primary: Deployment | None = ecs._primary_deployment(service)
        if primary is None:
            return None
        self._alarms.begun(service, primary)
        if not self._alarms.failed(service, primary):
            return primary
        self.breaker.forget_pause(service)
        primary = ecs._primary_deployment(service)
        if primary is not None:
            self._alarms.begun(service, primary)
        return primary

    def _apply(
        self, cluster: str, service: Service, primary: Deployment, tasks: dict[str, Task], decision: Decision
    ) -> None:
        stopped = []
        for arn, reason in decision.stop.items():
            if self._stopper.request(arn, tasks[arn], reason, "ServiceSchedulerInitiated"):
                stopped.append(arn)
                if reason.startswith("Task failed"):
                    event(service, f"(task {_short(arn)}) {_unhealthy(reason)}")
                    self.breaker.task_failed(tasks[arn])
        if stopped:
            event(service, f"has stopped {len(stopped)} running tasks: {_names(stopped)}.")
        if time.monotonic() >= self.breaker.paused_until(service):
            for deployment, count in decision.start.items():
                self._start(cluster, service, deployment, count)
        if decision.complete and self._alarms.baked(service, primary):
            complete(service, primary)

    def _start(self, cluster: str, service: Service, deployment_id: str, count: int) -> None:
        deployment = next((d for d in service["deployments"] if d["id"] == deployment_id), None)
        # A breaker that tripped in this very round has made another deployment the primary.
        if deployment is None or deployment["rolloutState"] == "FAILED":
            return
        status, _headers, body = ecs._run_task(
            {
                "cluster": cluster,
                "taskDefinition": deployment["taskDefinition"],
                "count": count,
                "group": f"service:{service['serviceName']}",
                "startedBy": deployment_id,
                "launchType": None if service.get("capacityProviderStrategy") else service.get("launchType"),
                "capacityProviderStrategy": service.get("capacityProviderStrategy"),
                "platformVersion": service.get("platformVersion", ""),
                "networkConfiguration": service.get("networkConfiguration", {}),
                "enableExecuteCommand": service.get("enableExecuteCommand", False),
                "tags": propagated_tags(service, deployment),
                "_deploymentId": deployment_id,
            }
        )
        answer = json.loads(body)
        if status != 200:  # noqa: PLR2004
            event(service, f"was unable to place a task. Reason: {answer.get('message', answer)}.")
            return
        event(service, f"has started {count} tasks: {_names([t['taskArn'] for t in answer['tasks']])}.")


def service_view(service: Service, primary: Deployment) -> ServiceView:
    """What the decision needs to know of a service."""
    configuration = service.get("deploymentConfiguration") or {}
    # A task lost while the new revision bakes is replaced by one of its own.
    fallback = None if is_baking(primary) else last_completed(service, primary)
    return ServiceView(
        desired=int(service.get("desiredCount") or 0),
        primary=primary["id"],
        state=primary["rolloutState"],
        fallback=fallback["id"] if fallback else "",
        minimum_percent=int(configuration.get("minimumHealthyPercent", 100)),
        maximum_percent=int(configuration.get("maximumPercent", 200)),
    )


def live_tasks(service: Service) -> list[Task]:
    """The service's tasks that nobody stops."""
    group = f"service:{service['serviceName']}"
    return [
        task
        for task in list(ecs._tasks.values())
        if task.get("group") == group
        and task.get("clusterArn") == service.get("clusterArn")
        and task.get("desiredStatus") == "RUNNING"
    ]


def complete(service: Service, primary: Deployment) -> None:
    """The deployment that was decided about is what runs now, unless an update or the breaker has replaced it since.

    A failed deployment stays described until a later one has completed.
    """
    if ecs._primary_deployment(service) is not primary or primary["rolloutState"] != "IN_PROGRESS":
        return
    primary |= {
        "rolloutState": "COMPLETED",
        "rolloutStateReason": f"ECS deployment {primary['id']} completed.",
        "updatedAt": ecs._iso(),
    }
    service["deployments"] = [
        d
        for d in service["deployments"]
        if d is primary or (d["rolloutState"] == "FAILED" and d["createdAt"] >= primary["createdAt"])
    ]
    deployment_events.tell(service, primary)
    event(service, f"(deployment {primary['id']}) deployment completed.")
    event(service, "has reached a steady state.")


def propagated_tags(service: Service, deployment: Deployment) -> list[dict[str, str]]:
    """Tags that `propagateTags` puts on each task."""
    source = {"SERVICE": service["serviceArn"], "TASK_DEFINITION": deployment["taskDefinition"]}
    return list(ecs._tags.get(source.get(service.get("propagateTags", ""), ""), []))


def _short(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]


def _names(arns: list[str]) -> str:
    return " ".join(f"(task {_short(arn)})" for arn in arns)


def _unhealthy(reason: str) -> str:
    if reason == task_health.NO_ADDRESS:
        return "has no network address."
    if "target-group" in reason:
        return f"is unhealthy in {reason.split(' in ', 1)[1]} due to (reason Health checks failed)."
    return "failed container health checks."
