"""The lines that tell why something failed reach CloudWatch Logs last, seconds after the container ended."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import pytest

from tests.ops_fakes.account import Refused
from tests.ops_fakes.rollout import Rollout, rolling_out
from tests.ops_fakes.world import World, run_ops

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = ("migrate", "--stack", "staging", "--subnets", "subnet-a", "--security-groups", "sg-a")
MIGRATE_STREAM = ("/pactum/staging/migrate", "migrate/migrate/f00d")
WEB_STREAM = ("/pactum/staging/web", "web/web/bad")


@pytest.fixture
def world() -> World:
    world = World()
    world.define("migrate", 7)
    return world


@pytest.fixture
def rollout() -> Iterator[Rollout]:
    with rolling_out() as rollout:
        yield rollout


def ends_now_and_writes_later(world: World, exit_code: int | None, *moments: float) -> None:
    """Let the next task end at once; a line of its log arrives at each of these moments."""

    def script(task: dict[str, Any]) -> None:
        world.end(task, exit_code=exit_code)
        for moment in moments:
            world.clock.at(moment, functools.partial(world.logs[MIGRATE_STREAM].append, f"line of {moment} s"))

    world.on_run = script


def test_a_traceback_that_comes_seconds_after_other_lines_is_in_a_failed_migrations_error(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    ends_now_and_writes_later(world, 1, 0.4, 3.0, 5.5)
    seen = run_ops(world, capsys, *COMMAND)
    assert seen.code == 1
    assert "last 3 log lines" in seen.err
    assert "line of 5.5 s" in seen.err, "the last lines are the ones that say what went wrong"
    assert world.clock.time < 9, "three quiet seconds are the end"


def test_a_log_that_never_falls_quiet_is_left_after_ten_seconds(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    ends_now_and_writes_later(world, 1, *range(1, 30))
    seen = run_ops(world, capsys, *COMMAND)
    assert seen.code == 1
    assert 10 <= world.clock.time < 11


def test_the_first_line_of_a_failed_migration_is_waited_for(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    ends_now_and_writes_later(world, 1, 8.0)
    seen = run_ops(world, capsys, *COMMAND)
    assert "line of 8.0 s" in seen.err


def test_a_good_migration_is_not_held_up_by_its_log(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    ends_now_and_writes_later(world, 0, 0.1, 8.0)
    seen = run_ops(world, capsys, *COMMAND)
    assert seen.code == 0, seen.err
    assert world.clock.time < 2


@pytest.mark.parametrize("why", ["it never started", "its log may not be read"])
def test_no_lines_are_waited_for_where_none_can_come(
    world: World, capsys: pytest.CaptureFixture[str], why: str
) -> None:
    def denied() -> None:
        raise Refused("AccessDeniedException", "not authorized to perform logs:GetLogEvents")

    if why == "its log may not be read":
        world.before["GetLogEvents"] = denied
    ends_now_and_writes_later(world, None if why == "it never started" else 1)
    assert run_ops(world, capsys, *COMMAND).code == 1
    assert world.clock.time < 1


def test_a_task_that_ran_and_lost_its_exit_code_may_still_have_something_to_say(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    def script(task: dict[str, Any]) -> None:
        world.end(task, exit_code=None, reason="Host terminated.", code="TerminationNotice")
        task["startedAt"] = world.clock.date()
        world.clock.at(2.0, lambda: world.logs[MIGRATE_STREAM].append("Applying shop.0042..."))

    world.on_run = script
    seen = run_ops(world, capsys, *COMMAND)
    assert "Applying shop.0042..." in seen.err


def test_the_late_traceback_of_a_rolled_back_release_is_in_the_verdict(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = rollout.world.clock
    clock.at(20, lambda: rollout.crash(lines=1))
    clock.at(20, rollout.roll_back)
    clock.at(22.5, lambda: rollout.world.logs[WEB_STREAM].append("KeyError: 'SECRET_KEY'"))
    seen = rollout.verify(capsys)
    assert seen.code == 1
    assert "last 2 log lines" in seen.err
    assert "KeyError: 'SECRET_KEY'" in seen.err
    assert clock.time < 28


def test_a_task_that_still_runs_is_not_waited_for_to_fall_silent(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    rollout.world.task("slow", rollout.new)
    rollout.world.logs["/pactum/staging/web", "web/web/slow"].append("waiting for the database")
    seen = rollout.verify(capsys, "--timeout", "30")
    assert "waiting for the database" in seen.err
    assert rollout.world.clock.time == 30, "the timeout is a promise"
