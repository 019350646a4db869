"""ECS tells EventBridge how each deployment of a service goes. MiniStack tells nothing."""

from typing import Any

from ministack.services import ecs

from rehearsal.emulator import aws_events
from rehearsal.emulator.patching import Extension

EXTENSION = Extension(
    name="events of deployments",
    rule=(
        "SERVICE_DEPLOYMENT_IN_PROGRESS (also of a rollback), _COMPLETED and, as an ERROR, _FAILED are events 'ECS "
        "Deployment State Change' of the service, with the deployment's id and reason"
    ),
    source="Amazon ECS service deployment state change events",
)
KIND = "ECS Deployment State Change"


def begun(service: dict[str, Any], deployment: dict[str, Any]) -> None:
    """Tell, once, that a deployment is in progress; the caller holds the deployments' lock."""
    if deployment["rolloutState"] == "IN_PROGRESS" and "_told" not in deployment:
        deployment["_told"] = True
        tell(service, deployment)


def tell(service: dict[str, Any], deployment: dict[str, Any]) -> None:
    """Tell of the deployment's present state."""
    state = deployment["rolloutState"]
    detail = {
        "eventType": "ERROR" if state == "FAILED" else "INFO",
        "eventName": f"SERVICE_DEPLOYMENT_{state}",
        "deploymentId": deployment["id"],
        "updatedAt": deployment.get("updatedAt") or ecs._iso(),
        "reason": deployment.get("rolloutStateReason", ""),
    }
    aws_events.tell("aws.ecs", KIND, service["serviceArn"], detail)
