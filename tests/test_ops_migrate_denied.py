"""A migration task that was denied its start: tried again while IAM may be late, and only when nothing ran."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import EndpointConnectionError

from tests.ops_fakes.account import RELEASE
from tests.ops_fakes.world import World, run_ops

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

COMMAND = ("migrate", "--stack", "staging", "--subnets", "subnet-a", "--security-groups", "sg-a")
DENIED = (
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable "
    "to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret "
    "arn:aws:secretsmanager:us-east-1:123456789012:secret:pactum from secrets manager: AccessDeniedException: User: "
    "arn:aws:sts::123456789012:assumed-role/execution/f00d is not authorized to perform: secretsmanager:GetSecretValue"
)
NO_LOG_STREAM = (
    "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to "
    "create Cloudwatch log stream: AccessDeniedException: not authorized to perform: logs:CreateLogStream"
)


@pytest.fixture
def world() -> World:
    world = World()
    definition = world.define("migrate", 7)
    world.definitions[definition]["executionRoleArn"] = "arn:aws:iam::123456789012:role/execution"
    return world


def never_starts(world: World, reason: str = DENIED, code: str = "TaskFailedToStart") -> Callable[[Any], None]:
    return lambda task: world.end(task, exit_code=None, reason=reason, code=code)


def succeeds(world: World) -> Callable[[Any], None]:
    return lambda task: world.end(task, exit_code=0)


def one_after_the_other(world: World, ends: Sequence[Callable[[Any], None]]) -> None:
    left = iter(ends)

    def script(task: dict[str, Any]) -> None:
        next(left)(task)

    world.on_run = script


@pytest.mark.parametrize("reason", [DENIED, NO_LOG_STREAM])
def test_a_start_denied_while_a_policy_spreads_is_tried_again(
    world: World, capsys: pytest.CaptureFixture[str], reason: str
) -> None:
    one_after_the_other(world, [never_starts(world, reason), never_starts(world, reason), succeeds(world)])
    seen = run_ops(world, capsys, *COMMAND)
    assert seen.code == 0, seen.err
    assert seen.out.endswith(f"migrated: {RELEASE}\n")
    assert len({asked["clientToken"] for asked in world.asked("RunTask")}) == 3, "the same token starts no new task"
    assert 15 <= world.clock.time < 20, "5 s, then 10 s: IAM needs some seconds"
    assert seen.out.count("no container ran, access was denied: ResourceInitializationError") == 2
    assert "try 2 of 4 in 5 s" in seen.out
    assert "try 3 of 4 in 10 s" in seen.out


def test_a_start_that_stays_denied_fails_in_the_end_and_names_the_role(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.on_run = never_starts(world)
    seen = run_ops(world, capsys, *COMMAND)
    assert seen.code == 1
    assert len(world.asked("RunTask")) == 4
    assert 35 <= world.clock.time < 40
    assert "the migration failed: never started" in seen.err
    assert "not authorized to perform: secretsmanager:GetSecretValue (TaskFailedToStart)" in seen.err
    assert "Access was denied in each of 4 tries, and nothing ran." in seen.err
    assert "execution role (arn:aws:iam::123456789012:role/execution)" in seen.err


def a_container_ran(task: dict[str, Any]) -> None:
    task["containers"].append({"name": "log-router", "lastStatus": "STOPPED", "exitCode": 1})


def it_was_started(task: dict[str, Any]) -> None:
    task["startedAt"] = "2026-11-22T12:00:00Z"


@pytest.mark.parametrize("sign_of_life", [a_container_ran, it_was_started])
def test_a_task_that_may_have_run_is_never_tried_again(
    world: World, capsys: pytest.CaptureFixture[str], sign_of_life: Callable[[Any], None]
) -> None:
    def script(task: dict[str, Any]) -> None:
        world.end(task, exit_code=None, reason=DENIED, code="TaskFailedToStart")
        sign_of_life(task)

    world.on_run = script
    seen = run_ops(world, capsys, *COMMAND)
    assert seen.code == 1
    assert len(world.asked("RunTask")) == 1


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("ResourceInitializationError: unable to pull secrets: ResourceNotFoundException: no AWSCURRENT", None),
        ("ResourceInitializationError: unable to pull secrets: context deadline exceeded", None),
        ("CannotPullContainerError: pull image manifest has been retried: AccessDenied: 403 Forbidden", None),
        (DENIED, "UserInitiated"),
        ("Essential container in task exited: AccessDeniedException", "EssentialContainerExited"),
    ],
)
def test_any_other_reason_fails_at_once(
    world: World, capsys: pytest.CaptureFixture[str], reason: str, code: str | None
) -> None:
    """Time heals none of them, and a person waits."""
    world.on_run = never_starts(world, reason, code or "TaskFailedToStart")
    seen = run_ops(world, capsys, *COMMAND)
    assert seen.code == 1
    assert len(world.asked("RunTask")) == 1
    assert "Access was denied" not in seen.err


def test_a_migration_that_fails_after_a_denied_start_is_not_run_twice(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    one_after_the_other(world, [never_starts(world), lambda task: world.end(task, exit_code=3)])
    seen = run_ops(world, capsys, *COMMAND)
    assert seen.code == 1
    assert len(world.asked("RunTask")) == 2
    assert "the migration failed: exit code 3" in seen.err
    assert "Access was denied" not in seen.err


def test_losing_the_network_at_the_next_try_does_not_speak_of_the_task_before(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    def unplug() -> None:
        raise EndpointConnectionError(endpoint_url="https://ecs")

    world.on_run = never_starts(world)
    world.clock.at(4, lambda: world.before.update(RunTask=unplug))
    seen = run_ops(world, capsys, *COMMAND)
    assert seen.code == 2
    assert "AWS does not answer" in seen.err
    assert "may go on by itself" not in seen.err, "no task is there that could"


def test_the_timeout_holds_for_all_tries_together(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.on_run = never_starts(world)
    seen = run_ops(world, capsys, *COMMAND, "--timeout", "12")
    assert seen.code == 1
    assert len(world.asked("RunTask")) == 2
    assert world.clock.time < 12, "a pause that cannot end in time is not begun"
    assert "Access was denied in each of 2 tries" in seen.err


def test_an_interruption_between_two_tries_stops_nothing_and_says_that_nothing_ran(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    world.on_run = never_starts(world)
    world.clock.at(3, interrupt)
    seen = run_ops(world, capsys, *COMMAND)
    assert seen.code == 130
    assert not world.asked("StopTask")
    assert "between two tries" in seen.err
    assert "nothing was changed" in seen.err
    assert "PostgreSQL rolls back" not in seen.err
