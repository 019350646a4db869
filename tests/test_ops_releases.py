"""The list of releases: what a person needs to see before deciding, and all of it for a program."""

from __future__ import annotations

import dataclasses
import json

import pytest

from ops.release_record import FAILED, AppliedMigration, Decision, Record, Release
from tests.ops_fakes.account import OLD_RELEASE, RELEASE
from tests.ops_fakes.releases import flight, was_live
from tests.ops_fakes.world import Outcome, World, run_ops

EVA = Decision(who="eva", at="2026-11-22T11:00:00Z", reason="it leaks")


@pytest.fixture
def world() -> World:
    world = World()
    old, new = world.define("web", 1, release=OLD_RELEASE), world.define("web", 2)
    world.serve(world.deployment(old, "COMPLETED", running=2))
    undoable = AppliedMigration(name="app.0002_x", undoable=True)
    final = AppliedMigration(name="app.0003_y", undoable=False, why="drops a column")
    failed = Release(
        digest=RELEASE, commit="c0ffee" * 6 + "-dirty", who="ana", began_at="2026-11-22T11:50:00Z", verdict=FAILED,
        cause="tasks crash: " + "x" * 100, task_definition=new, migrations=None,
    )  # fmt: skip
    good = dataclasses.replace(was_live(OLD_RELEASE, 30, old), migrations=(undoable, final))
    first = was_live(OLD_RELEASE, 10, world.define("web", 0, release=OLD_RELEASE))
    world.remember(
        Record(releases=(failed, good, first), denials={RELEASE: EVA}, hold=EVA, in_flight=flight(OLD_RELEASE))
    )
    return world


def releases(world: World, capsys: pytest.CaptureFixture[str], *options: str) -> Outcome:
    return run_ops(world, capsys, "releases", "--stack", "staging", *options)


def test_each_release_is_one_line_newest_first_and_the_serving_one_is_marked(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = releases(world, capsys)
    assert seen.code == 0, seen.err
    failed, good, first = [line for line in seen.out.splitlines() if line.lstrip("* ").startswith("2026-11-22T11:")]
    for fact in ("2026-11-22T11:50:00Z", "aaaaaaaaaaaa", "c0ffeec0ff-dirty", "ana", "failed, denied", "unknown"):
        assert fact in failed
    assert failed.endswith("...")
    assert good.startswith("*"), "what ECS runs is marked, whatever was written down last"
    assert "2 (1 cannot be undone)" in good
    assert "live" in good
    assert not first.startswith("*")
    assert seen.out.splitlines()[-1] == f"* is what ECS runs now: {OLD_RELEASE} (pactum-staging-web:1)"


def test_denials_the_hold_and_what_is_in_flight_are_shown(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    seen = releases(world, capsys)
    assert f"denied: {RELEASE}, by eva at 2026-11-22T11:00:00Z: it leaks" in seen.out
    assert "on hold, by eva" in seen.out
    assert f"in flight: ben on elsewhere has been deploying {OLD_RELEASE}" in seen.out


def test_a_program_gets_everything(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    answer = json.loads(releases(world, capsys, "--json").out)
    assert [item["serving"] for item in answer["releases"]] == [False, True, False]
    assert answer["releases"][0]["cause"] == "tasks crash: " + "x" * 100, "whole, where nothing has to fit a line"
    assert answer["releases"][0]["migrations"] is None
    assert answer["releases"][1]["migrations"][1] == {
        "name": "app.0003_y", "undoable": False, "why": "drops a column",
    }  # fmt: skip
    assert answer["serving"].endswith("web:1")
    assert answer["in_flight"]["who"] == "ben"
    assert answer["hold"]["reason"] == "it leaks"
    assert list(answer["denials"]) == [RELEASE]
    assert answer["ok"] is True


def test_a_limit_says_what_it_leaves_out(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    seen = releases(world, capsys, "--limit", "1")
    assert "11:30" not in seen.out
    assert "and 2 older ones" in seen.out
    assert len(json.loads(releases(world, capsys, "--limit", "2", "--json").out)["releases"]) == 2
    assert len(json.loads(releases(world, capsys, "--limit", "0", "--json").out)["releases"]) == 3


def test_a_release_nobody_wrote_down_is_said_to_serve(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.serve(world.deployment(world.define("web", 9, release="sha256:" + "9" * 64), "COMPLETED"))
    assert "ECS runs pactum-staging-web:9, which is none of the releases" in releases(world, capsys).out


def test_a_release_without_a_verdict_yet_is_known_by_its_image(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its task definition is written down with the verdict."""
    world.serve(world.deployment(world.define("web", 9), "IN_PROGRESS"))
    answer = json.loads(releases(world, capsys, "--json").out)
    assert [item["serving"] for item in answer["releases"]] == [True, False, False]


def test_a_stack_without_a_past_and_without_a_service(capsys: pytest.CaptureFixture[str]) -> None:
    seen = releases(World(), capsys)
    assert seen.code == 0
    assert "no release of stack staging of project pactum is remembered yet; there is no service web" in seen.out


def test_without_a_table_it_says_what_makes_it(capsys: pytest.CaptureFixture[str]) -> None:
    seen = releases(World(records_exist=False), capsys)
    assert seen.code == 2
    assert "pactum-staging-releases" in seen.err
