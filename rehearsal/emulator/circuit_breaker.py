"""The deployment circuit breaker: counts failed tasks of the primary deployment, fails it, and rolls back."""

import threading
import time
from typing import Any

from ministack.services import ecs

from rehearsal.emulator.patching import Extension
from rehearsal.emulator.rollback import fail
from rehearsal.emulator.service_events import event

EXTENSION = Extension(
    name="deployment circuit breaker",
    rule=(
        "Half the desired count of failed tasks, at least 3 and at most 200, fails the deployment; with rollback on, "
        "the last completed deployment becomes the primary again; without one, the deployment stays FAILED"
    ),
    source="How the Amazon ECS deployment circuit breaker detects failures",
)
FIRST_PAUSE_SECONDS = 0.5
ROLLING_BACK = "ECS deployment circuit breaker: rolling back to deploymentId {id}."
LONGEST_PAUSE_SECONDS = 10.0  # ECS pauses up to minutes; a rehearsal has not got them


def pause_after(failures: int) -> float:
    """Seconds to wait before the next start after so many failures in a row."""
    return float(min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** max(0, failures - 1)))


class CircuitBreaker:
    """Failures in a row by deployment, for the pause between starts, and the counts that fail a deployment."""

    def __init__(self, lock: threading.RLock) -> None:
        self._lock = lock
        self._in_a_row: dict[str, int] = {}
        self._paused_until: dict[str, float] = {}

    def paused_until(self, service: dict[str, Any]) -> float:
        """When (monotonic) the service may start tasks again."""
        return self._paused_until.get(service["serviceArn"], 0.0)

    def task_is_healthy(self, service: dict[str, Any], task: dict[str, Any]) -> None:
        """A task got healthy: the count of its deployment starts anew."""
        with self._lock:
            deployment = ecs._deployment_for_task(service, task)
            self._in_a_row.pop(deployment["id"] if deployment else "", None)
            breaker = _settings(service)
            if deployment and deployment["rolloutState"] == "IN_PROGRESS" and breaker.get("resetOnHealthyTask", True):
                deployment["failedTasks"] = 0

    def task_failed(self, task: dict[str, Any], digest_resolution_failed: bool = False) -> None:
        """A task ended by itself, could not start or failed its health checks."""
        cluster = ecs._cluster_name_from_arn(task.get("clusterArn", ""))
        name = str(task.get("group", "")).removeprefix("service:")
        service = ecs._services.get(f"{cluster}/{name}") if name != task.get("group") else None
        if not service or service.get("status") != "ACTIVE":
            return
        with self._lock:
            deployment = ecs._deployment_for_task(service, task)
            self._pause(service, task, deployment)
            if task.get("stopCode") == "TaskFailedToStart":
                event(service, f"was unable to place a task. Reason: {task.get('stoppedReason')}.")
            primary = ecs._primary_deployment(service)
            if deployment is None or deployment is not primary or deployment["rolloutState"] != "IN_PROGRESS":
                return
            deployment["failedTasks"] = int(deployment.get("failedTasks", 0)) + 1
            threshold = ecs._circuit_breaker_threshold(service)
            if _settings(service).get("enable") and (
                digest_resolution_failed or deployment["failedTasks"] >= threshold
            ):
                self._trip(service, deployment)

    def _pause(self, service: dict[str, Any], task: dict[str, Any], deployment: dict[str, Any] | None) -> None:
        """Only tasks that never got healthy slow the next start down: replacing one that worked is urgent."""
        if deployment is None or task.get("_was_healthy"):
            return
        failures = self._in_a_row[deployment["id"]] = self._in_a_row.get(deployment["id"], 0) + 1
        self._paused_until[service["serviceArn"]] = time.monotonic() + pause_after(failures)

    def _trip(self, service: dict[str, Any], deployment: dict[str, Any]) -> None:
        returned = fail(
            service,
            deployment,
            reason="ECS deployment circuit breaker: tasks failed to start.",
            said="tasks failed to start",
            returning=ROLLING_BACK if _settings(service).get("rollback") else None,
        )
        if returned is not None:
            self.forget_pause(service)

    def forget_pause(self, service: dict[str, Any]) -> None:
        """Start tasks again at once: those of another deployment than the one that failed."""
        self._paused_until.pop(service["serviceArn"], None)


def _settings(service: dict[str, Any]) -> dict[str, Any]:
    found = (service.get("deploymentConfiguration") or {}).get("deploymentCircuitBreaker")
    return found or {}
