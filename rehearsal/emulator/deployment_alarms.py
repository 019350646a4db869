"""Deployment alarms: an alarm that goes off fails the rollout, and a rollout ends only after its bake time."""

import time
from collections.abc import Callable
from typing import Any

from ministack.services import ecs

from rehearsal.emulator.alarms import in_alarm
from rehearsal.emulator.patching import Extension
from rehearsal.emulator.rollback import fail

EXTENSION = Extension(
    name="deployment alarms and bake time",
    rule=(
        "While a deployment is IN_PROGRESS, an alarm of the service's in ALARM fails it and, with rollback on, returns "
        "to the last completed one; when an alarm is in ALARM already as it begins, its alarms are ignored; it stays "
        "IN_PROGRESS for a bake time after the old tasks have gone"
    ),
    source="How CloudWatch alarms detect Amazon ECS deployment failures",
)
# AWS documents these fields and not their words; the events were seen by others in accounts of theirs.
FAILED = "ECS deployment failed: alarm detected."
ROLLING_BACK = "ECS deployment failed: alarm detected: rolling back to deploymentId {id}."


class DeploymentAlarms:
    """Watches the primary deployments of services that have alarms. `bake_seconds` is ours; ECS computes its own."""

    def __init__(self, bake_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._bake_seconds = bake_seconds
        self._clock = clock

    def begun(self, service: dict[str, Any], primary: dict[str, Any]) -> None:
        """Note, as a deployment begins, whether it is watched: not with an alarm that is in ALARM already."""
        if primary["rolloutState"] == "IN_PROGRESS" and "_watched" not in primary:
            alarms = _settings(service)
            primary["_watched"] = bool(alarms) and not in_alarm(alarms["alarmNames"])

    def failed(self, service: dict[str, Any], primary: dict[str, Any]) -> bool:
        """Fail the primary deployment if one of its alarms is in ALARM; the caller holds the deployments' lock."""
        alarms = _settings(service)
        if primary["rolloutState"] != "IN_PROGRESS" or not alarms or not primary.get("_watched"):
            return False
        if not _has_run(service, primary) or not in_alarm(alarms["alarmNames"]):
            return False
        fail(
            service,
            primary,
            reason=FAILED,
            said="alarm detected",
            returning=ROLLING_BACK if alarms.get("rollback") else None,
        )
        return True

    def baked(self, service: dict[str, Any], primary: dict[str, Any]) -> bool:
        """Whether a deployment that is all there may end. The first time it is asked, its bake time begins."""
        if not _settings(service) or not primary.get("_watched"):
            return True
        since = primary.setdefault("_baking_since", self._clock())
        return self._clock() - float(since) >= self._bake_seconds


def is_baking(deployment: dict[str, Any]) -> bool:
    """Whether all its tasks were healthy, and alone, once already."""
    return "_baking_since" in deployment


def _has_run(service: dict[str, Any], deployment: dict[str, Any]) -> bool:
    """Whether a task of the deployment runs: from then on ECS watches the alarms."""
    return is_baking(deployment) or any(
        task.get("_deployment_id") == deployment["id"] and task.get("lastStatus") == "RUNNING"
        for task in list(ecs._tasks.values())
        if task.get("clusterArn") == service.get("clusterArn")
    )


def _settings(service: dict[str, Any]) -> dict[str, Any]:
    """The service's deployment alarms; empty when they are not enabled."""
    found = (service.get("deploymentConfiguration") or {}).get("alarms") or {}
    return found if found.get("enable") and found.get("alarmNames") else {}
