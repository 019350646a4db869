"""A scheduled job run by hand: what its schedule would start, where it would start it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import pytest

from tests.ops_fakes.account import OLD_RELEASE, RELEASE
from tests.ops_fakes.world import Outcome, World, run_ops

if TYPE_CHECKING:
    from collections.abc import Callable

STREAM = ("/pactum/staging/nightly", "nightly/nightly/f00d")


@pytest.fixture
def world() -> World:
    """The schedule is of the release that serves; a newer revision is there, as after a rollback."""
    world = World()
    world.serve(world.deployment(world.define("web", 4), "COMPLETED", running=2))
    world.schedule("nightly", world.define("nightly", 1))
    world.define("nightly", 2, release="sha256:newer")
    world.on_run = ends(world, 0)
    return world


def ends(world: World, exit_code: int) -> Callable[[dict[str, Any]], None]:
    def happen(task: dict[str, Any]) -> None:
        world.clock.at(1, lambda: task.update(lastStatus="RUNNING", startedAt=world.clock.date()))
        world.clock.at(2, functools.partial(world.logs[STREAM].append, "cleared 12 sessions"))
        world.clock.at(3, lambda: world.end(task, exit_code=exit_code))

    return happen


def run(world: World, capsys: pytest.CaptureFixture[str], *words: str) -> Outcome:
    return run_ops(world, capsys, "run", "--stack", "staging", *words)


def test_it_is_what_the_schedule_would_start(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    seen = run(world, capsys, "--job", "nightly")
    assert seen.code == 0, seen.err
    assert seen.out == "cleared 12 sessions\n"
    (asked,) = world.asked("RunTask")
    assert asked["taskDefinition"].endswith("pactum-staging-nightly:1"), "not the newest: the schedule's"
    assert "overrides" not in asked, "its command is the task definition's"
    network = asked["networkConfiguration"]["awsvpcConfiguration"]
    assert network == {"subnets": ["subnet-job"], "securityGroups": ["sg-job"], "assignPublicIp": "DISABLED"}
    assert f"run job nightly by one task of pactum-staging-nightly:1, release {RELEASE}" in seen.err


def test_its_exit_code_is_ours(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.on_run = ends(world, 9)
    assert run(world, capsys, "--job", "nightly").code == 9


def test_a_dry_run_starts_nothing(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    seen = run(world, capsys, "--job", "nightly", "--dry-run")
    assert seen.code == 0
    assert "would run job nightly" in seen.err
    assert not world.asked("RunTask")


def test_one_that_is_switched_off_runs_all_the_same(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.schedules["pactum-staging-nightly"]["State"] = "DISABLED"
    seen = run(world, capsys, "--job", "nightly")
    assert seen.code == 0, seen.err
    assert "is switched off; this runs it all the same" in seen.err


def test_one_that_is_not_there_is_named_with_those_that_are(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("hourly", "weekly"):
        world.schedule(name, world.define(name, 1))
    seen = run(world, capsys, "--job", "daily")
    assert seen.code == 2
    assert "has no job 'daily'. There are hourly, nightly, weekly." in seen.err
    world.schedules.clear()
    assert "It has none." in run(world, capsys, "--job", "daily").err


@pytest.mark.parametrize("words", [("--", "manage.py", "check"), ("--process", "web")])
def test_a_job_and_a_command_are_two_things(
    world: World, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    seen = run(world, capsys, "--job", "nightly", *words)
    assert seen.code == 2
    assert "--process nightly -- COMMAND" in seen.err
    assert not world.asked("RunTask")


def test_a_schedule_without_a_network_is_told_of(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    del world.schedules["pactum-staging-nightly"]["Target"]["EcsParameters"]["NetworkConfiguration"]
    seen = run(world, capsys, "--job", "nightly")
    assert seen.code == 2
    assert "has no network (awsvpc)" in seen.err


def test_another_command_with_a_process_settings_runs_on_the_release_that_serves(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """After a rollback the newest of the family is that of the release that was taken away."""
    seen = run(world, capsys, "--process", "nightly", "--", "manage.py", "check")
    assert seen.code == 0, seen.err
    assert world.asked("RunTask")[0]["taskDefinition"].endswith("pactum-staging-nightly:1")


def test_where_that_release_has_no_such_process_it_is_the_newest(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.serve(world.deployment(world.define("web", 3, release=OLD_RELEASE), "COMPLETED", running=2))
    run(world, capsys, "--process", "nightly", "--", "manage.py", "check")
    assert world.asked("RunTask")[0]["taskDefinition"].endswith("pactum-staging-nightly:2")
