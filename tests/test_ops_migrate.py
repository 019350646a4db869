"""Migrating: the exit code of the one-off task is the answer, however the task ends."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from ops.errors import Terminated
from tests.ops_fakes.account import RELEASE, Refused
from tests.ops_fakes.world import World, run_ops

NETWORK = ("--subnets", "subnet-a,subnet-b", "--security-groups", "sg-a")
COMMAND = ("migrate", "--stack", "staging", *NETWORK)
STREAM = ("/pactum/staging/migrate", "migrate/migrate/f00d")


@pytest.fixture
def world() -> World:
    world = World()
    world.define("migrate", 7)
    return world


def ends(world: World, *, exit_code: int | None, after: float = 0.0, lines: int = 3, **how: str) -> None:
    """Let the next task write some lines and end."""

    def script(task: dict[str, Any]) -> None:
        def end() -> None:
            world.logs[STREAM] += [f"line {number}" for number in range(lines)]
            world.end(task, exit_code=exit_code, **how)

        world.clock.at(after, end)

    world.on_run = script


def test_a_task_that_is_stopped_before_it_was_ever_seen_running_is_a_success(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    ends(world, exit_code=0, after=0.1)
    seen = run_ops(world, capsys, *COMMAND)
    assert seen.code == 0, seen.err
    assert "RUNNING" not in seen.out
    assert seen.out.endswith(f"migrated: {RELEASE}\n")


def test_the_task_is_started_once_on_fargate_in_the_network_that_was_given(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    ends(world, exit_code=0)
    run_ops(world, capsys, *COMMAND, "--assign-public-ip")
    (asked,) = world.asked("RunTask")
    assert asked["cluster"] == "pactum-staging"
    assert asked["taskDefinition"].endswith("task-definition/pactum-staging-migrate:7")
    assert asked["launchType"] == "FARGATE", "a migration must not be taken away by Spot"
    assert asked["clientToken"], "a repeated request must not start a second migration"
    assert asked["startedBy"] == "ops-migrate"
    assert asked["networkConfiguration"]["awsvpcConfiguration"] == {
        "subnets": ["subnet-a", "subnet-b"],
        "securityGroups": ["sg-a"],
        "assignPublicIp": "ENABLED",
    }


def test_the_network_is_the_live_services_when_none_is_given(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.serve(world.deployment(world.define("web", 1), "COMPLETED"))
    ends(world, exit_code=0)
    seen = run_ops(world, capsys, "migrate", "--stack", "staging")
    assert seen.code == 0, seen.err
    network = world.asked("RunTask")[0]["networkConfiguration"]["awsvpcConfiguration"]
    assert network == {"subnets": ["subnet-live"], "securityGroups": ["sg-live"], "assignPublicIp": "DISABLED"}


def test_without_a_service_and_without_a_network_nothing_is_started(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = run_ops(world, capsys, "migrate", "--stack", "staging")
    assert seen.code == 2
    assert "--subnets and --security-groups" in seen.err
    assert not world.asked("RunTask")


def test_each_log_line_is_shown_once_and_in_order(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    def script(task: dict[str, Any]) -> None:
        task["lastStatus"] = "RUNNING"
        for number in range(5):
            world.clock.at(1.0 + number, functools.partial(world.logs[STREAM].append, f"line {number}"))
        world.clock.at(6.0, lambda: world.end(task, exit_code=0))
        world.clock.at(6.4, lambda: world.logs[STREAM].append("a line that came late"))

    world.on_run = script
    seen = run_ops(world, capsys, *COMMAND)
    shown = [line.removeprefix("  migrate | ") for line in seen.out.splitlines() if line.startswith("  migrate | ")]
    assert shown == [*(f"line {number}" for number in range(5)), "a line that came late"]


def test_a_failing_migration_says_why_and_shows_its_last_twenty_lines(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    ends(world, exit_code=3, after=2, lines=30)
    seen = run_ops(world, capsys, *COMMAND)
    assert seen.code == 1
    assert "the migration failed: exit code 3" in seen.err
    assert "Essential container in task exited (EssentialContainerExited)" in seen.err
    assert [f"line {n}" for n in range(10, 30)] == [
        line.strip() for line in seen.err.splitlines() if line.strip().startswith("line ")
    ]
    assert "log group /pactum/staging/migrate, stream migrate/migrate/f00d" in seen.err


def test_a_task_without_an_exit_code_never_started(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    reason = "ResourceInitializationError: unable to pull secrets"
    ends(world, exit_code=None, lines=0, reason=reason, code="TaskFailedToStart")
    seen = run_ops(world, capsys, *COMMAND)
    assert seen.code == 1, "no exit code must never be taken for zero"
    assert "the migration failed: never started" in seen.err
    assert f"{reason} (TaskFailedToStart)" in seen.err


def test_a_task_that_ran_and_left_no_exit_code_is_no_success(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """As when the machine under it is lost."""

    def script(task: dict[str, Any]) -> None:
        world.end(task, exit_code=None, reason="Host EC2 terminated.", code="TerminationNotice")
        task["startedAt"] = world.clock.date()

    world.on_run = script
    seen = run_ops(world, capsys, *COMMAND)
    assert seen.code == 1
    assert "the migration failed: ended without an exit code" in seen.err, "it did start, so data may have changed"


def test_only_the_migrate_containers_exit_code_counts(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    def script(task: dict[str, Any]) -> None:
        world.end(task, exit_code=1)
        task["containers"].insert(0, {"name": "log-router", "lastStatus": "STOPPED", "exitCode": 0})

    world.on_run = script
    assert run_ops(world, capsys, *COMMAND).code == 1


def test_a_task_ecs_cannot_place_is_a_failure_with_ecs_reason(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.run_failures = [{"reason": "Capacity is unavailable at this time.", "detail": "us-east-1a"}]
    seen = run_ops(world, capsys, *COMMAND)
    assert seen.code == 1
    assert "Capacity is unavailable at this time. us-east-1a" in seen.err
    assert "Nothing ran" in seen.err


def test_a_task_that_describe_tasks_does_not_know_yet_is_waited_for(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    def script(task: dict[str, Any]) -> None:
        world.end(task, exit_code=0)
        hidden = world.tasks.copy()
        world.tasks.clear()
        world.clock.at(5, lambda: world.tasks.update(hidden))

    world.on_run = script
    assert run_ops(world, capsys, *COMMAND).code == 0, "ECS is eventually consistent about new tasks"


def test_the_timeout_stops_the_task_and_says_so(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.on_run = lambda task: task.update(lastStatus="RUNNING")
    seen = run_ops(world, capsys, *COMMAND, "--timeout", "60")
    assert seen.code == 1
    assert [asked["task"] for asked in world.asked("StopTask")] == list(world.tasks)
    assert "had not ended after 60 s" in seen.err
    assert "was stopped" in seen.err
    assert 60 <= world.clock.time < 75, "the timeout is a promise"


@pytest.mark.parametrize(("interruption", "code"), [(KeyboardInterrupt, 130), (Terminated, 143)])
def test_an_interruption_stops_the_task_and_says_what_that_means(
    world: World, capsys: pytest.CaptureFixture[str], interruption: type[KeyboardInterrupt], code: int
) -> None:
    def interrupt() -> None:
        raise interruption

    def script(task: dict[str, Any]) -> None:
        task["lastStatus"] = "RUNNING"
        world.clock.at(3, interrupt)

    world.on_run = script
    seen = run_ops(world, capsys, *COMMAND)
    assert seen.code == code
    assert world.asked("StopTask"), "a migration must not go on unwatched"
    assert "PostgreSQL rolls back" in seen.err


def test_a_task_that_cannot_be_stopped_is_named_with_the_command_that_stops_it(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    def denied() -> None:
        raise Refused("AccessDeniedException", "not authorized to perform ecs:StopTask")

    world.before["StopTask"] = denied
    seen = run_ops(world, capsys, *COMMAND, "--timeout", "5")
    assert seen.code == 1
    assert "may still run" in seen.err
    assert "aws ecs stop-task --cluster pactum-staging" in seen.err


def test_losing_the_network_half_way_names_the_task_that_goes_on(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    def unplug() -> None:
        raise EndpointConnectionError(endpoint_url="https://ecs")

    world.before["DescribeTasks"] = unplug
    seen = run_ops(world, capsys, *COMMAND)
    assert seen.code == 1
    assert "lost sight of the migration task f00d" in seen.err


def test_a_log_that_may_not_be_read_does_not_fail_a_good_migration(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    def denied() -> None:
        raise Refused("AccessDeniedException", "not authorized to perform logs:GetLogEvents")

    world.before["GetLogEvents"] = denied
    ends(world, exit_code=0, after=2)
    assert run_ops(world, capsys, *COMMAND).code == 0


def test_a_migration_that_runs_already_is_mentioned(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    definition = next(iter(world.definitions))
    world.task("beef", definition)
    ends(world, exit_code=0)
    seen = run_ops(world, capsys, *COMMAND)
    assert seen.code == 0, seen.err
    assert "another migration task runs already (beef)" in seen.out


def test_an_unknown_task_definition_is_named(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    seen = run_ops(world, capsys, *COMMAND, "--task-definition", "pactum-staging-migrate:99")
    assert seen.code == 2
    assert "'pactum-staging-migrate:99'" in seen.err
