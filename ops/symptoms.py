"""What a stopped task, or an event of its service, says went wrong: ECS's texts, sorted into a few kinds.

The texts are those of ECS's stopped-task errors and service event messages; anything else is left unsorted rather than
guessed at.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ops.tasks import how_it_ended, without_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_ecs.type_defs import ContainerTypeDef, TaskTypeDef


class Kind(enum.Enum):
    """What keeps a release from serving, the most telling first: where several are seen, the first is the cause."""

    SECRET = "secret or key missing"  # noqa: S105 - a sentence
    IMAGE = "image cannot be pulled"
    CANNOT_START = "tasks cannot start"
    CRASH = "tasks crash"
    CAPACITY = "capacity"
    UNHEALTHY = "never healthy"


@dataclass(frozen=True, kw_only=True)
class Symptom:
    """One thing that was seen to go wrong."""

    kind: Kind
    text: str
    """What was wrong, in a few words: `exit code 3`."""
    task_arn: str = ""
    """The stopped task that shows it; empty for an event."""


_NO_KEY = re.compile(r"did not contain json key ([\w.-]+)", re.IGNORECASE)
_SECRET = re.compile(r"secret:([\w/+=.@-]+)")
_BOTH = "unable to pull secrets or registry auth"
_NETWORK = ("timeout", "deadline exceeded", "requestcanceled", "connection issue", "no such host")
_CAPACITY = (
    "capacity is unavailable",
    "limit on the number of",
    "insufficientfreeaddresses",
    "no container instance met",
    "no container instances were found",
)
# The first is the older text for a registry that gives no login, the others are in the newer one.
_REGISTRY = ("ecr registry auth", "registry auth from amazon ecr", "api.ecr.", "cannotpull", "pull image manifest")
_CANNOT_START = (
    "resourceinitializationerror",
    "cannotstartcontainer",
    "unable to assume the role",
    "timeout waiting for network interface provisioning",
    "dockertimeouterror",
    "error retrieving security group information",
)
_UNHEALTHY = ("failed elb health checks", "failed container health checks", " is unhealthy in (target-group")
_UNPLACED = re.compile(r"was unable to (?:place a task|consistently start tasks)", re.IGNORECASE)
_RESOURCE = re.compile(r"\bRESOURCE:")
# By any other code somebody told the task to stop, and an exit code says nothing of the release.
_OF_ITS_OWN = {"EssentialContainerExited", "TaskFailedToStart", ""}


def symptom_of_task(task: TaskTypeDef) -> Symptom | None:
    """Say what a stopped task died of; None when it was told to stop, or its reason tells nothing."""
    reason = task.get("stoppedReason", "")
    containers = task.get("containers", [])
    said = " ".join([reason, *(item.get("reason", "") for item in containers)])
    arn = task.get("taskArn", "")
    found = _out_of_memory(said, containers) or _classified(said)
    if found:
        return Symptom(kind=found.kind, text=found.text, task_arn=arn)
    crashed = next((item for item in containers if _crashed(task, item)), None)
    if crashed is None:
        return None
    return Symptom(kind=Kind.CRASH, text=_exit(task, crashed), task_arn=arn)


def symptom_of_event(message: str) -> Symptom | None:
    """Say what a service event complains of; None when it does not."""
    found = _classified(message)
    if found or not _UNPLACED.search(message):
        return found
    return Symptom(kind=Kind.CAPACITY, text=without_values(message))


def most_telling(symptoms: Sequence[Symptom]) -> Symptom | None:
    """Return the symptom to name as the cause: by the order of the kinds, the first seen of its kind."""
    order = list(Kind)
    return min(symptoms, key=lambda item: order.index(item.kind), default=None)


def _classified(said: str) -> Symptom | None:
    low = said.lower()
    text = without_values(said.strip())
    if any(part in low for part in _REGISTRY):
        return Symptom(kind=Kind.IMAGE, text=_pull(low, text))
    if _BOTH in low or "retrieved secret from" in low or "retrieve secret" in low:
        return Symptom(kind=Kind.SECRET, text=_secret(said, low, text))
    if _RESOURCE.search(said) or any(part in low for part in _CAPACITY):
        return Symptom(kind=Kind.CAPACITY, text=text)
    if any(part in low for part in _CANNOT_START):
        return Symptom(kind=Kind.CANNOT_START, text=text)
    if any(part in low for part in _UNHEALTHY):
        return Symptom(kind=Kind.UNHEALTHY, text=text)
    return None


def _pull(low: str, text: str) -> str:
    if any(part in low for part in _NETWORK):
        return f"the registry cannot be reached: {text}"
    if "accessdenied" in low or "403 forbidden" in low or "not authorized" in low:
        return f"the execution role may not pull it: {text}"
    if "not found" in low or "manifest unknown" in low or "notfound" in low:
        return f"the registry does not have it: {text}"
    return text


def _secret(said: str, low: str, text: str) -> str:
    key, name = _NO_KEY.search(said), _SECRET.search(said)
    which = f"secret {name.group(1)}" if name else "a secret"
    if key:
        return f"{which} has no key {key.group(1)}"
    if "accessdenied" in low or "not authorized" in low:
        return f"the execution role may not read {which}: {text}"
    if "resourcenotfound" in low or "can't find the specified secret" in low or "parameternotfound" in low:
        return f"{which} does not exist or has no value yet: {text}"
    if "invalid character" in low:
        return f"{which} should hold JSON, and does not"
    if any(part in low for part in _NETWORK):
        return f"Secrets Manager cannot be reached from the tasks' subnets: {text}"
    return text


def _out_of_memory(said: str, containers: Sequence[ContainerTypeDef]) -> Symptom | None:
    if "outofmemory" not in said.lower():
        return None
    name = next((item.get("name", "") for item in containers if "OutOfMemory" in item.get("reason", "")), "")
    which = f"container {name} " if name else ""
    return Symptom(kind=Kind.CRASH, text=f"{which}was killed: it used more memory than the task has")


def _crashed(task: TaskTypeDef, container: ContainerTypeDef) -> bool:
    code, exit_code = task.get("stopCode", ""), container.get("exitCode")
    if exit_code is None or code not in _OF_ITS_OWN:
        return False
    return exit_code != 0 or code == "EssentialContainerExited"


def _exit(task: TaskTypeDef, container: ContainerTypeDef) -> str:
    how = how_it_ended(task, container)
    others = len(task.get("containers", [])) > 1
    which = f"container {container.get('name')}: " if others else ""
    if container.get("exitCode") == 0:
        return f"{which}{how}: its command came to an end, and a server's must not"
    reason = task.get("stoppedReason")
    return f"{which}{how}" + (f" ({without_values(reason)})" if reason else "")
