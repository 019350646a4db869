"""Why a release is not live: one cause, in one sentence, with what to do about it, from all that ECS shows.

How it ended (ECS rolled it back, it never got there in time) and why (its tasks crash, a secret is missing) are two
things: the sentence says both, and the cause is named by the second where it is known.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ops.container_logs import task_id
from ops.symptoms import Kind, Symptom, most_telling, symptom_of_event, symptom_of_task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_ecs.type_defs import TaskTypeDef

    from ops.stack import Stack


class Ending(enum.Enum):
    """How a release that should be live ended up not to be."""

    BREAKER = "rolled back by the circuit breaker"
    ALARM = "rolled back by an alarm"
    ROLLED_BACK = "rolled back by ECS"
    BY_HAND = "rolled back by hand"
    DENIED = "denied"
    REPLACED = "replaced by another deployment"
    GIVEN_UP = "given up by the circuit breaker"
    GIVEN_UP_BY_ALARM = "given up because of an alarm"
    UNSTEADY = "run by ECS, but not for long"
    TIMEOUT = "timeout"
    GONE = "the service is gone"


ROLLED_BACK = {Ending.BREAKER, Ending.ALARM, Ending.ROLLED_BACK, Ending.BY_HAND}
# Its tasks, if any failed, are not what ended it.
_REASON_ENOUGH = {
    Ending.ALARM,
    Ending.GIVEN_UP_BY_ALARM,
    Ending.BY_HAND,
    Ending.DENIED,
    Ending.REPLACED,
    Ending.GONE,
}


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What was seen of one release that is not live."""

    ending: Ending
    detail: str = ""
    """More on the ending: what was missing at the timeout, who rolled back by hand, which alarms."""
    stopped: Sequence[TaskTypeDef] = ()
    """Its stopped tasks, the newest first."""
    alive: Sequence[TaskTypeDef] = ()
    events: Sequence[str] = ()
    """The service's events since the rollout began, the oldest first."""


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Why a release is not live."""

    kind: str
    """The cause's name, one of a fixed few: `tasks crash`, `rolled back by an alarm`, `timeout`."""
    ending: Ending
    sentence: str
    """The whole of it: `rolled back by the circuit breaker, because its tasks crash: exit code 3`."""
    remedy: str
    task_arn: str
    """The stopped task that shows it, or empty."""

    @property
    def rolled_back(self) -> bool:
        """Whether the service went back to what ran before."""
        return self.ending in ROLLED_BACK


_DUE_TO = re.compile(r"due to \(reason (.+)\)\.?$")
_BECAUSE = {
    Kind.SECRET: "a secret or key is missing",
    Kind.IMAGE: "its image cannot be pulled",
    Kind.CANNOT_START: "its tasks cannot start",
    Kind.CRASH: "its tasks crash",
    Kind.CAPACITY: "there was no capacity for its tasks",
    Kind.UNHEALTHY: "its tasks never got healthy",
}


def diagnose(facts: Facts, stack: Stack) -> Cause:
    """Name the one cause that tells most."""
    symptom = None if facts.ending in _REASON_ENOUGH else _symptom(facts)
    sentence = f"{facts.ending.value}{f': {facts.detail}' if facts.detail else ''}"
    if symptom:
        text = f": {symptom.text}" if symptom.text else ""
        if facts.ending is Ending.TIMEOUT:
            sentence = f"{symptom.kind.value}{text}; {sentence}"
        else:
            sentence += f", because {_BECAUSE[symptom.kind]}{text}"
    return Cause(
        kind=symptom.kind.value if symptom else facts.ending.value,
        ending=facts.ending,
        sentence=sentence,
        remedy=_of_symptom(symptom.kind, stack) if symptom else _of_ending(facts.ending, stack),
        task_arn=symptom.task_arn if symptom else "",
    )


def _symptom(facts: Facts) -> Symptom | None:
    seen = [symptom for task in facts.stopped if (symptom := symptom_of_task(task))]
    if seen:
        return _with_the_checks_answer(most_telling(seen), facts.events)
    told = [symptom for event in reversed(facts.events) if (symptom := symptom_of_event(event))]
    if told:
        return most_telling(told)
    if any(task.get("healthStatus") == "UNHEALTHY" for task in facts.alive):
        return Symptom(kind=Kind.UNHEALTHY, text="they run, and their health checks fail")
    return None


def _with_the_checks_answer(symptom: Symptom | None, events: Sequence[str]) -> Symptom | None:
    """Add what the load balancer saw, which ECS tells in an event about the task and not in the task's own reason."""
    if symptom is None or symptom.kind is not Kind.UNHEALTHY:
        return symptom
    about_it = (event for event in events if f"(task {task_id(symptom.task_arn)})" in event)
    answer = next((found.group(1) for event in about_it if (found := _DUE_TO.search(event))), "")
    return replace(symptom, text=f"{symptom.text}: {answer}") if answer else symptom


def _of_symptom(kind: Kind, stack: Stack) -> str:
    return {
        Kind.SECRET: (
            f"Put the value in (`python -m ops seed {stack.options}` makes those that can be made), or give the "
            "execution role the permission to read it and its KMS key."
        ),
        Kind.IMAGE: (
            "Push the image this digest names to the repository in the task definition, or give the execution role "
            "the permission to pull it; private subnets need a way to ECR and S3."
        ),
        Kind.CANNOT_START: "What ECS says above is what it lacks: a log group, a role it may assume, a network.",
        Kind.CRASH: "The last log lines below say why. Fix it and deploy the new release.",
        Kind.CAPACITY: (
            "Wait and deploy again, or use subnets in other zones or with free addresses; for limits, see Fargate in "
            "Service Quotas."
        ),
        Kind.UNHEALTHY: (
            "A task must answer /healthz with 200 within `healthGraceSeconds` of its start. The last log lines below "
            "show what it did; raise `healthGraceSeconds` if it only starts slowly."
        ),
    }[kind]


def _of_ending(ending: Ending, stack: Stack) -> str:
    logs = f"python -m ops logs {stack.options} --since 30m"
    return {
        Ending.ALARM: f"It served, and users saw errors: `{logs} --level ERROR` shows them. Fix it and deploy again.",
        Ending.GIVEN_UP_BY_ALARM: f"Users saw errors: `{logs} --level ERROR` shows them. Fix it and deploy again.",
        Ending.BY_HAND: f"That was somebody's decision: `python -m ops releases {stack.options}` says whose, and why.",
        Ending.DENIED: (
            f"Deploy a fixed release. If it was a mistake, `python -m ops allow DIGEST {stack.options}`, and deploy it "
            "again."
        ),
        Ending.REPLACED: "Was there a second update? Whoever started it gets a verdict on it; run yours after it.",
        Ending.TIMEOUT: (
            f"ECS goes on trying: `python -m ops status {stack.options}` shows where it stands, and "
            f"`python -m ops verify {stack.options}` waits again."
        ),
        Ending.GONE: "Was the stack destroyed meanwhile? Deploy it again with `pulumi up`.",
    }.get(ending, f"ECS's events below and `{logs}` show what is known. Fix it and deploy again.")
