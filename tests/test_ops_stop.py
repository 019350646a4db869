"""A scheduled job that is stopped by hand: what it has running now, and nothing beside it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.ops_fakes.account import Refused
from tests.ops_fakes.world import Outcome, World, run_ops

if TYPE_CHECKING:
    from typing import Any


@pytest.fixture
def world() -> World:
    """Two tasks of one job run and one has ended; another job and the service have tasks, too."""
    world = World()
    web, nightly, hourly = (world.define(name, 1) for name in ("web", "nightly", "hourly"))
    world.serve(world.deployment(web, "COMPLETED", running=1))
    world.task("web1", web)
    world.schedule("nightly", nightly)
    world.schedule("hourly", hourly)
    world.task("a1", nightly)
    world.task("a2", nightly)
    world.task("a0", nightly, "STOPPED")
    world.task("b1", hourly)
    return world


def stop(world: World, capsys: pytest.CaptureFixture[str], *words: str) -> Outcome:
    return run_ops(world, capsys, "stop", "--stack", "staging", *words)


def stopped(world: World) -> list[str]:
    return [asked["task"].rpartition("/")[2] for asked in world.asked("StopTask")]


def test_all_that_the_job_has_running_is_stopped_and_nothing_else(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = stop(world, capsys, "--job", "nightly")
    assert seen.code == 0, seen.err
    assert stopped(world) == ["a1", "a2"], "neither what has ended, nor another job's, nor the service's"
    assert {asked["reason"] for asked in world.asked("StopTask")} == {"ops stop: by hand"}, "ECS shows it as the reason"
    assert "stopped 2 tasks of job nightly; its schedule starts it again when it is due" in seen.out
    assert not world.asked("UpdateSchedule")


def test_one_of_several_is_named_by_the_beginning_of_its_id(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    seen = stop(world, capsys, "--job", "nightly", "--task", "a2")
    assert seen.code == 0, seen.err
    assert stopped(world) == ["a2"]
    assert "stopped 1 task of job nightly" in seen.out


@pytest.mark.parametrize(("task", "which"), [("a", "several tasks"), ("b1", "no task"), ("a0", "no task")])
def test_an_id_that_names_no_single_task_of_the_job_stops_none(
    world: World, capsys: pytest.CaptureFixture[str], task: str, which: str
) -> None:
    seen = stop(world, capsys, "--job", "nightly", "--task", task)
    assert seen.code == 2
    assert f"--task {task} names {which} of job nightly; nothing was stopped. There run a1, a2." in seen.err
    assert not stopped(world)


def test_a_dry_run_names_them_and_stops_none(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    seen = stop(world, capsys, "--job", "nightly", "--dry-run")
    assert seen.code == 0, seen.err
    assert "would stop task a1" in seen.out
    assert "would stop 2 tasks of job nightly" in seen.out
    assert not stopped(world)


def test_a_program_is_told_which(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    seen = stop(world, capsys, "--job", "nightly", "--json")
    assert json.loads(seen.out)["tasks"] == ["a1", "a2"]


def test_where_none_runs_there_is_nothing_to_do(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.schedule("weekly", world.define("weekly", 1))
    seen = stop(world, capsys, "--job", "weekly")
    assert seen.code == 0, seen.err
    assert "no task of job weekly runs" in seen.out
    seen = stop(world, capsys, "--job", "weekly", "--task", "a1")
    assert seen.code == 2, "a task was meant, and it is not there"
    assert "None runs." in seen.err


def test_a_job_that_is_not_there_is_named_with_those_that_are(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    seen = stop(world, capsys, "--job", "daily")
    assert seen.code == 2
    assert "has no job 'daily'. There are hourly, nightly." in seen.err


def test_a_task_that_cannot_be_stopped_is_an_error_with_its_reason(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_self: World, _asked: dict[str, Any]) -> dict[str, Any]:
        raise Refused("AccessDeniedException", "not allowed to stop it")

    monkeypatch.setattr(World, "stop_task", refuse)
    seen = stop(world, capsys, "--job", "nightly")
    assert seen.code == 1
    assert "Task a1 may still run, it could not be stopped" in seen.err
    assert "not allowed to stop it" in seen.err
