"""How ECS fails a deployment and returns to the last one that completed; the circuit breaker and alarms both do."""

import time
from typing import Any

from ministack.services import ecs

from rehearsal.emulator import deployment_events
from rehearsal.emulator.service_events import event

# ECS goes on listing a deployment that it rolls back as IN_PROGRESS for some time (a minute was seen) beside the
# primary that says "rolling back"; what waits for FAILED must not take that for another deployment.
FAILED_IS_SHOWN_AFTER_SECONDS = 2.0
# What was noted about a deployment while it was being rolled out, and does not hold for its next time.
NOTES = ("_baking_since", "_watched", "_told")


def last_completed(service: dict[str, Any], primary: dict[str, Any]) -> dict[str, Any] | None:
    """The latest deployment, other than the primary, that completed."""
    return next(
        (d for d in service.get("deployments", []) if d is not primary and d["rolloutState"] == "COMPLETED"), None
    )


def fail(
    service: dict[str, Any], deployment: dict[str, Any], *, reason: str, said: str, returning: str | None
) -> dict[str, Any] | None:
    """Fail the primary deployment; the caller holds the lock of the deployments.

    `reason` becomes its rolloutStateReason, `said` its event. With `returning` (a rolloutStateReason with the field
    `id`) the last completed deployment is the primary again, IN_PROGRESS under its own id, as AWS documents it; it is
    returned. Without one there is nothing to return to: the deployment stays FAILED.
    """
    before = deployment.get("rolloutStateReason", "")
    deployment |= {"rolloutState": "FAILED", "rolloutStateReason": reason, "updatedAt": ecs._iso()}
    deployment_events.tell(service, deployment)
    event(service, f"(deployment {deployment['id']}) deployment failed: {said}.")
    target = last_completed(service, deployment) if returning else None
    if target is None or returning is None:
        return None
    deployment |= {"status": "ACTIVE", "desiredCount": 0, "_failed_at": time.monotonic(), "_reason_before": before}
    target |= {
        "status": "PRIMARY",
        "desiredCount": service.get("desiredCount", 0),
        "rolloutState": "IN_PROGRESS",
        "rolloutStateReason": returning.format(id=target["id"]),
        "updatedAt": ecs._iso(),
        "failedTasks": 0,
    }
    for note in NOTES:
        target.pop(note, None)
    service["deployments"].sort(key=lambda d: d["status"] != "PRIMARY")
    service["taskDefinition"] = target["taskDefinition"]
    event(service, f"rolling back to deployment {target['id']}.")
    return target


def as_listed(deployment: dict[str, Any]) -> dict[str, Any]:
    """The deployment as DescribeServices lists it now: one that has just been rolled back is IN_PROGRESS still."""
    if time.monotonic() - deployment.get("_failed_at", 0.0) >= FAILED_IS_SHOWN_AFTER_SECONDS:
        return deployment
    return deployment | {"rolloutState": "IN_PROGRESS", "rolloutStateReason": deployment["_reason_before"]}
