"""What ECS says about a rollout, read as one of a few states."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ops.diagnosis import Ending
from ops.tasks import without_values
from ops.transcript import printable

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from mypy_boto3_ecs.type_defs import DeploymentTypeDef, ServiceEventTypeDef, ServiceTypeDef

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
    why_primary: str
    """ECS's own words about the primary deployment, whichever it is: there it says what it rolls back to, and why."""
    deployment_id: str
    """What ECS started its tasks by; empty when it lists no deployment of it."""
    running: int
    desired: int
    now_serving: str
    """The task definition of the primary deployment."""
    earlier: str
    """The task definition of another deployment that was completed once and is still listed, or none."""
    alarms: tuple[str, ...]
    """The alarms by which ECS judges the service's deployments."""


def read_rollout(service: ServiceTypeDef, definition_arn: str) -> Rollout:
    """Read where the rollout of a task definition stands."""
    deployments = service.get("deployments", [])
    nothing: DeploymentTypeDef = {}
    primary = next((item for item in deployments if item.get("status") == "PRIMARY"), nothing)
    primary_arn = primary.get("taskDefinition", "")
    own = primary if primary_arn == definition_arn else _newest_of(deployments, definition_arn)
    alarms = service.get("deploymentConfiguration", {}).get("alarms")
    return Rollout(
        state=_state(primary, own),
        reason=printable((own or primary).get("rolloutStateReason", "")),
        why_primary=printable(primary.get("rolloutStateReason", "")),
        deployment_id=(own or {}).get("id", ""),
        running=(own or {}).get("runningCount", 0),
        desired=(own or {}).get("desiredCount", service.get("desiredCount", 0)),
        now_serving=primary_arn,
        earlier=next((item.get("taskDefinition", "") for item in deployments if _may_be_returned_to(item)), ""),
        alarms=tuple(alarms["alarmNames"]) if alarms and alarms["enable"] else (),
    )


def who_ended_it(texts: Sequence[str]) -> Ending:
    """Tell from ECS's words, the most telling first, what made it roll a deployment back."""
    for text in map(str.lower, texts):
        if "alarm" in text:
            return Ending.ALARM
        if "circuit breaker" in text or "failed to start" in text:
            return Ending.BREAKER
    return Ending.ROLLED_BACK


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
        # The breaker and the alarms mark the deployment FAILED before they put another in its place; on its way back
        # ECS may list it as in progress still, and tells at the primary what it does.
        returns = "rolling back" in primary.get("rolloutStateReason", "").lower()
        return State.ROLLED_BACK if rollout == "FAILED" or returns else State.REPLACED
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
        lines = [without_values(item.get("message", "")) for item in fresh]
        self._shown += lines
        self._newest = [without_values(item.get("message", "")) for item in reversed(events[:_EVENTS_SHOWN])]
        return lines

    @property
    def shown(self) -> list[str]:
        """All that were handed out, the oldest first."""
        return list(self._shown)

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
