"""The one cause named for a release that is not live, from ECS's own words."""

from __future__ import annotations

from typing import Any

import pytest

from ops.diagnosis import Cause, Ending, Facts, diagnose
from ops.stack import Stack

STACK = Stack(project="pactum", name="staging")
SECRETS = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
ASM = f"{SECRETS}unable to retrieve secret from asm: service call has been retried 1 time(s): "
ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:pactum-staging-app-AbCdEf"
UNPLACED = "(service web) was unable to place a task. Reason: "
UNHEALTHY = "(service web) (task a) (port 8000) is unhealthy in (target-group x) due to (reason Health checks failed)"
ESSENTIAL = "Essential container in task exited"


def stopped(reason: str = "", code: str = "", exit_code: int | None = None, why: str = "", name: str = "a") -> Any:
    """Describe one stopped task, as ECS does."""
    container: dict[str, Any] = {"name": "web"}
    container |= {"exitCode": exit_code} if exit_code is not None else {}
    container |= {"reason": why} if why else {}
    task: dict[str, Any] = {"taskArn": f"task/{name}", "stoppedReason": reason, "containers": [container]}
    return task | ({"stopCode": code} if code else {})


def cause_of(*tasks: Any, ending: Ending = Ending.BREAKER, events: tuple[str, ...] = (), detail: str = "") -> Cause:
    return diagnose(Facts(ending=ending, stopped=tasks, events=events, detail=detail), STACK)


@pytest.mark.parametrize(
    ("task", "kind", "said"),
    [
        (stopped(ESSENTIAL, "EssentialContainerExited", 3), "tasks crash", "its tasks crash: exit code 3"),
        (stopped(ESSENTIAL, "EssentialContainerExited", 0), "tasks crash", "exit code 0: its command came to an end"),
        (
            stopped(ESSENTIAL, "EssentialContainerExited", 137, "OutOfMemoryError: Container killed"),
            "tasks crash",
            "it used more memory than the task has",
        ),
        (
            stopped(
                "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref "
                "1.dkr.ecr.us-east-1.amazonaws.com/x@sha256:0: not found",
                "TaskFailedToStart",
            ),
            "image cannot be pulled",
            "its image cannot be pulled: the registry does not have it: CannotPullContainerError",
        ),
        (
            stopped(
                f"{SECRETS}unable to retrieve ecr registry auth: service call has been retried 3 time(s): "
                "RequestError: send request failed caused by: dial tcp 1.2.3.4:443: i/o timeout"
            ),
            "image cannot be pulled",
            "the registry cannot be reached",
        ),
        (
            stopped(f"{SECRETS}unable to retrieve ecr registry auth: AccessDeniedException: not authorized"),
            "image cannot be pulled",
            "the execution role may not pull it",
        ),
        (
            stopped(
                "ResourceInitializationError: unable to pull secrets or registry auth: The task cannot pull registry "
                "auth from Amazon ECR: There is a connection issue between the task and Amazon ECR. Check your task "
                "network configuration."
            ),
            "image cannot be pulled",
            "the registry cannot be reached",
        ),
        (
            stopped(f'{SECRETS}Post "https://api.ecr.us-east-1.amazonaws.com/": dial tcp 1.2.3.4:443: i/o timeout'),
            "image cannot be pulled",
            "the registry cannot be reached",
        ),
        (
            stopped(f"{ASM}retrieved secret from Secrets Manager did not contain json key SECRET_KEY"),
            "secret or key missing",
            "a secret or key is missing: a secret has no key SECRET_KEY",
        ),
        (
            stopped(
                f"{ASM}failed to fetch secret {ARN} from secrets manager: ResourceNotFoundException: Secrets "
                "Manager can't find the specified secret."
            ),
            "secret or key missing",
            "secret pactum-staging-app-AbCdEf does not exist or has no value yet",
        ),
        (
            stopped(
                f"{ASM}failed to fetch secret {ARN} from secrets manager: AccessDeniedException: not authorized to "
                f"perform: secretsmanager:GetSecretValue on resource: {ARN}"
            ),
            "secret or key missing",
            "the execution role may not read secret pactum-staging-app-AbCdEf",
        ),
        (
            stopped(f"{ASM}failed to fetch secret {ARN}: RequestCanceled: context deadline exceeded"),
            "secret or key missing",
            "Secrets Manager cannot be reached from the tasks' subnets",
        ),
        (
            stopped(
                "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 "
                "times: ResourceNotFoundException: The specified log group does not exist."
            ),
            "tasks cannot start",
            "its tasks cannot start: ResourceInitializationError: failed to validate logger args",
        ),
        *(
            (stopped(text, "TaskFailedToStart"), "tasks cannot start", f"its tasks cannot start: {text}")
            for text in (
                "Timeout waiting for network interface provisioning to complete.",
                "DockerTimeoutError: Could not transition to started; timed out after waiting 3m0s",
                "Error retrieving security group information for [sg-1]",
            )
        ),
        (
            stopped(
                "Unexpected EC2 error while attempting to Create Network Interface: InsufficientFreeAddressesInSubnet"
            ),
            "capacity",
            "there was no capacity for its tasks",
        ),
        (
            stopped("Task failed ELB health checks in (target-group arn:aws:x)", "ServiceSchedulerInitiated", 137),
            "never healthy",
            "its tasks never got healthy: Task failed ELB health checks in (target-group",
        ),
        (stopped("Task failed container health checks"), "never healthy", "Task failed container health checks"),
    ],
)
def test_a_stopped_task_tells_what_it_died_of(task: Any, kind: str, said: str) -> None:
    cause = cause_of(task)
    assert cause.kind == kind
    assert cause.sentence.startswith("rolled back by the circuit breaker, because ")
    assert said in cause.sentence
    assert cause.task_arn == "task/a", "its log is the one to show"
    assert cause.remedy


@pytest.mark.parametrize(
    "task",
    [
        stopped("Scaling activity initiated by (deployment ecs-svc/1)", "ServiceSchedulerInitiated", 143),
        stopped("Task stopped by user", "UserInitiated", 137),
        stopped("Fargate Spot interruption", "SpotInterruption", 1),
    ],
)
def test_a_task_that_was_told_to_stop_is_no_cause(task: Any) -> None:
    cause = cause_of(task)
    assert (cause.kind, cause.sentence) == ("rolled back by the circuit breaker", "rolled back by the circuit breaker")


def test_of_several_symptoms_the_most_telling_is_the_cause() -> None:
    unhealthy = stopped("Task failed ELB health checks in (target-group x)", "ServiceSchedulerInitiated", name="slow")
    crashed = stopped(ESSENTIAL, "EssentialContainerExited", 3, name="crashed")
    denied = stopped(f"{ASM}did not contain json key X", "TaskFailedToStart", name="denied")
    assert cause_of(unhealthy, crashed).task_arn == "task/crashed"
    assert cause_of(unhealthy, crashed, denied).task_arn == "task/denied"


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (f"{UNPLACED}Capacity is unavailable at this time. Please try again later.", "capacity"),
        (f"{UNPLACED}You've reached the limit on the number of vCPUs you can run concurrently", "capacity"),
        (f"{UNPLACED}{ASM}did not contain json key X.", "secret or key missing"),
        (UNHEALTHY, "never healthy"),
        ("(service web) failed to launch a task with (error ECS was unable to assume the role)", "tasks cannot start"),
    ],
)
def test_an_event_names_the_cause_where_no_task_does(event: str, kind: str) -> None:
    assert cause_of(events=(event, "(service web) has started 2 tasks")).kind == kind
    crash = stopped(ESSENTIAL, "EssentialContainerExited", 3)
    assert cause_of(crash, events=(event,)).kind == "tasks crash", "a task knows better than the service's events"


def test_a_permission_refused_on_a_resource_is_not_taken_for_a_lack_of_capacity() -> None:
    text = "CannotStartContainerError: not authorized to perform: logs:CreateLogStream on resource: arn:aws:logs:x"
    assert cause_of(stopped(text)).kind == "tasks cannot start"


@pytest.mark.parametrize("ending", [Ending.ALARM, Ending.BY_HAND, Ending.REPLACED])
def test_what_ended_it_by_itself_is_not_blamed_on_a_task_that_crashed_on_the_way(ending: Ending) -> None:
    cause = cause_of(stopped(ESSENTIAL, "EssentialContainerExited", 3), ending=ending, detail="errors")
    assert (cause.kind, cause.sentence) == (ending.value, f"{ending.value}: errors")


def test_a_timeout_names_what_kept_it_and_what_was_missing() -> None:
    detail = "not live after 60 s (--timeout): 0 of 2 tasks run"
    unhealthy = stopped("Task failed container health checks")
    assert cause_of(ending=Ending.TIMEOUT, detail=detail).sentence == f"timeout: {detail}"
    known = cause_of(unhealthy, ending=Ending.TIMEOUT, detail=detail)
    assert known.kind == "never healthy"
    assert known.sentence == f"never healthy: Task failed container health checks; timeout: {detail}"


def test_the_character_of_a_secret_that_ecs_quotes_is_not_passed_on() -> None:
    cause = cause_of(stopped(f"{ASM}invalid character 'h' looking for beginning of value"))
    assert "should hold JSON, and does not" in cause.sentence
    assert "'h'" not in cause.sentence


def test_what_the_health_check_was_answered_is_told_too() -> None:
    """ECS tells it in an event, and not in the stopped task's reason."""
    task = stopped("Task failed ELB health checks in (target-group x)", "ServiceSchedulerInitiated")
    codes = "Health checks failed with these codes: [503]"
    event = f"(service web) (task a) (port 8000) is unhealthy in (target-group x) due to (reason {codes})."
    assert cause_of(task, events=(event,)).sentence.endswith(f"in (target-group x): {codes}")
    other = event.replace("(task a)", "(task of-the-old-release)").replace("503", "502")
    assert "502" not in cause_of(task, events=(other,)).sentence
