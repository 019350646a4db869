"""The verdict: it passes when the release is what answers users, and waits until then."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import pytest

from ops.in_flight import this_host
from ops.release_record import UPDATE, InFlight, Record
from tests.ops_fakes.account import DNS_NAME, OLD_RELEASE, RELEASE
from tests.ops_fakes.rollout import Rollout, rolling_out
from tests.ops_fakes.world import World, run_ops

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def rollout() -> Iterator[Rollout]:
    with rolling_out() as rollout:
        yield rollout


def test_a_completed_rollout_that_answers_with_its_release_is_live(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    rollout.world.clock.at(20, rollout.complete)
    seen = rollout.verify(capsys, "--minimum", "2")
    assert seen.code == 0, seen.err
    assert seen.out.endswith(f"live: {RELEASE}\n")
    assert 20 <= rollout.world.clock.time < 25, "the verdict must come soon after the rollout's end"
    assert set(rollout.front.asked) == {("/readyz", DNS_NAME)}, "the balancer picks its rules by its own name"
    assert len(rollout.front.asked) == 2, "one answer alone may come from a task on its way out"


def test_an_application_with_another_readiness_path_is_asked_there(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    (container,) = rollout.world.definitions[rollout.new]["containerDefinitions"]
    container["environment"].append({"name": "READINESS_PATH", "value": "/ready"})
    rollout.complete()
    seen = rollout.verify(capsys)
    assert seen.code == 0, seen.err
    assert {path for path, _ in rollout.front.asked} == {"/ready"}


def test_within_an_update_only_the_verdict_reaches_standard_output(
    rollout: Rollout, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    transcript = tmp_path / "transcript.log"
    now = "2026-11-22T12:00:00Z"
    ours = InFlight(kind=UPDATE, digest=RELEASE, who="ana", host=this_host(), began_at=now, seen_at=now)
    rollout.world.remember(Record(in_flight=ours))
    rollout.world.event("(service web) has started 2 tasks")
    rollout.world.clock.at(5, rollout.complete)
    seen = rollout.verify(capsys, PACTUM_WITHIN_UPDATE="1", OPS_TRANSCRIPT=str(transcript))
    assert (seen.out, seen.err) == (f"live: {RELEASE}\n", ""), "both become part of Pulumi's state"
    assert "ECS: (service web) has started 2 tasks" in transcript.read_text()


def test_each_ecs_event_of_the_rollout_is_shown_once(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    world = rollout.world
    world.event("(service web) reached a steady state long ago")
    world.clock.time = 100
    rollout.begin()
    for moment, text in ((101, "has started 2 tasks"), (103, "registered 2 targets"), (103, "began draining")):
        world.clock.at(moment, functools.partial(world.event, text))
    world.clock.at(110, rollout.complete)
    seen = rollout.verify(capsys)
    shown = [line.strip() for line in seen.out.splitlines() if "ECS:" in line]
    assert shown == ["ECS: has started 2 tasks", "ECS: registered 2 targets", "ECS: began draining"]


def test_a_deployment_ecs_does_not_show_yet_is_given_some_seconds(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    world = rollout.world
    world.serve(world.deployment(rollout.old, "COMPLETED", running=2))
    world.clock.at(3, rollout.begin)
    world.clock.at(20, rollout.complete)
    seen = rollout.verify(capsys, "--task-definition", rollout.new)
    assert seen.code == 0, seen.err


def test_an_old_task_that_still_answers_now_and_then_delays_the_verdict(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    rollout.complete()
    rollout.front.answers = [
        (200, release) for release in (RELEASE, OLD_RELEASE, RELEASE, OLD_RELEASE, RELEASE, RELEASE)
    ]
    seen = rollout.verify(capsys)
    assert seen.code == 0, seen.err
    assert len(rollout.front.asked) == 6


def test_a_release_given_by_hand_is_what_must_answer(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    rollout.complete()
    seen = rollout.verify(capsys, "--release", "sha256:other", "--timeout", "5")
    assert seen.code == 1
    assert "release sha256:other" in seen.err


def test_a_stack_that_is_not_deployed_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    seen = run_ops(World(), capsys, "verify", "--stack", "staging")
    assert seen.code == 2
    assert "cluster pactum-staging" in seen.err
    assert "pulumi up" in seen.err


def test_a_definition_without_a_release_asks_for_one(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    rollout.world.definitions[rollout.new]["containerDefinitions"][0]["environment"] = []
    seen = rollout.verify(capsys)
    assert seen.code == 2
    assert "--release" in seen.err


def test_an_interrupted_wait_changes_nothing(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    rollout.world.clock.at(5, interrupt)
    seen = rollout.verify(capsys)
    assert seen.code == 130
    reads = ("Describe", "List", "Get")
    assert all(operation.startswith(reads) for operation, _ in rollout.world.calls), "verify only looks"


def test_many_tasks_are_counted_by_pages(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    rollout.complete(tasks=150)
    seen = rollout.verify(capsys, "--minimum", "150")
    assert seen.code == 0, seen.err
    assert max(len(asked["tasks"]) for asked in rollout.world.asked("DescribeTasks")) == 100, "ECS takes 100 at once"
