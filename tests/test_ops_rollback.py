"""Rolling back: the last good release serves again within seconds, and what it replaced does not come back."""

from __future__ import annotations

import dataclasses
import functools
import json
from typing import TYPE_CHECKING

import pytest

from ops.errors import Terminated
from ops.release_record import FAILED, LIVE, ROLLED_BACK, AppliedMigration, Decision
from tests.ops_fakes.account import OLD_RELEASE, RELEASE
from tests.ops_fakes.releases import OLDER_RELEASE, UPDATE, was_live
from tests.ops_fakes.rollout import BREAKER
from tests.ops_fakes.way_back import change, obey, rollback, told, way_back
from tests.ops_fakes.world import run_ops

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.ops_fakes.rollout import Rollout

WHY = ("--reason", "500s at checkout")
HARMLESS = AppliedMigration(name="app.0002_x", undoable=True)


@pytest.fixture
def rollout() -> Iterator[Rollout]:
    with way_back() as rollout:
        yield rollout


def test_it_returns_to_the_last_good_release_and_waits_until_that_serves(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = rollback(rollout, capsys, *WHY)
    assert seen.code == 0, seen.err
    world = rollout.world
    assert world.asked("UpdateService") == [
        {"cluster": "pactum-staging", "service": "web", "taskDefinition": rollout.old}
    ], "nothing else of the service is changed"
    assert not world.asked("RegisterTaskDefinition"), "what ran is what runs again"
    assert 6 <= world.clock.time <= 9, "it ends soon after all tasks are there"
    assert len(rollout.front.asked) == 2
    assert "does not call it complete yet" in seen.out
    assert "serves all traffic after" in seen.out.splitlines()[-1]
    bad, target, _ = world.record().releases
    assert (bad.verdict, bad.cause) == (ROLLED_BACK, "by hand by ana: 500s at checkout")
    assert (target.verdict, target.verified_at) == (LIVE, f"2026-11-22T12:00:{int(world.clock.time):02}Z")
    assert world.record().live == target
    assert world.record().in_flight is None
    denial = Decision(who="ana", at="2026-11-22T12:00:00Z", reason="rollback: 500s at checkout")
    assert world.record().denials == {RELEASE: denial}


def test_afterwards_the_guard_refuses_the_bad_release_and_lets_a_new_one_through(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    rollback(rollout, capsys, *WHY)
    guard = functools.partial(run_ops, rollout.world, capsys, "guard", "--stack", "staging", environment=UPDATE)
    refused = guard("--release", RELEASE)
    assert refused.code == 1
    assert "denied, by ana" in refused.err
    assert guard("--release", "sha256:" + "9" * 64).code == 0


def test_another_configuration_of_the_same_image_is_not_denied(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    change(rollout, 1, digest=RELEASE)
    rollout.front.answers = [(200, RELEASE)]
    (container,) = rollout.world.definitions[rollout.old]["containerDefinitions"]
    container["environment"] = [{"name": "RELEASE", "value": RELEASE}, {"name": "LANGUAGE", "value": "de"}]
    seen = rollback(rollout, capsys)
    assert seen.code == 0, seen.err
    assert told(rollout) == [rollout.old]
    assert rollout.world.record().denials == {}
    assert "denies nothing" in seen.out


def test_a_target_that_does_not_come_to_serve_fails_and_ends_the_flight(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    rollout.front.answers = [(503, "")]
    seen = rollback(rollout, capsys, "--timeout", "30")
    assert seen.code == 1
    assert "is not live" in seen.err
    record = rollout.world.record()
    assert record.in_flight is None
    assert record.releases[1] == was_live(OLD_RELEASE, 30, rollout.old), "it was not seen to serve"
    assert RELEASE in record.denials


def test_as_many_tasks_as_the_service_wants_must_run(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    """ECS has called a rollout complete with fewer."""
    world = rollout.world

    def obey_halfway(definition: str) -> None:
        world.serve(world.deployment(definition, "COMPLETED", running=1))
        world.tasks.clear()
        world.task("alone", definition)

    world.on_update = obey_halfway
    assert rollback(rollout, capsys, "--timeout", "20").code == 1
    assert world.record().in_flight is None


def test_a_service_that_wants_fewer_tasks_meanwhile_needs_no_more(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    """Autoscaling goes on during a rollback."""
    world = rollout.world

    def obey_with_one(definition: str) -> None:
        world.serve(world.deployment(definition, "IN_PROGRESS", running=1) | {"desiredCount": 1})["desiredCount"] = 1
        world.tasks.clear()
        world.task("alone", definition)

    world.on_update = obey_with_one
    seen = rollback(rollout, capsys, "--timeout", "20")
    assert seen.code == 0, seen.err


def failing(rollout: Rollout, *, back: bool) -> None:
    """The tasks of what is rolled back to crash; ECS gives it up, and returns to what served or stays there."""
    world = rollout.world

    def obey_badly(definition: str) -> None:
        world.serve(
            world.deployment(definition, "IN_PROGRESS"),
            world.deployment(rollout.new, "COMPLETED", status="ACTIVE", running=2),
        )
        failed = world.deployment(definition, "FAILED", status="ACTIVE" if back else "PRIMARY")
        failed["rolloutStateReason"] = BREAKER
        others = [world.deployment(rollout.new, "IN_PROGRESS", running=2) | {"id": "ecs-svc/back"}] if back else []
        world.clock.at(world.clock.time + 5, lambda: world.serve(*others, failed))

    world.on_update = obey_badly


@pytest.mark.parametrize("back", [True, False], ids=["ECS returned", "ECS stays there"])
def test_a_target_that_cannot_serve_is_not_chosen_again(
    rollout: Rollout, capsys: pytest.CaptureFixture[str], back: bool
) -> None:
    before = rollout.world.record()
    failing(rollout, back=back)
    seen = rollback(rollout, capsys, *WHY)
    assert seen.code == 1
    assert "not a release to return to any more" in seen.out
    record = rollout.world.record()
    left, target, _ = record.releases
    assert target.verdict == FAILED
    assert "a rollback to it failed: " in target.cause
    assert "circuit breaker" in target.cause
    assert list(record.denials) == [RELEASE], "the person who denied it may be right all the same"
    assert record.in_flight is None
    if back:
        assert left == before.releases[0], "it is what serves"
        assert f"ECS returned to {RELEASE}: it serves, and stays denied" in seen.out
    else:
        assert left.verdict == ROLLED_BACK
    rollout.world.on_update = functools.partial(obey, rollout)
    rollout.front.answers = [(200, OLDER_RELEASE)]
    again = rollback(rollout, capsys, *WHY)
    assert again.code == 0, again.err
    assert told(rollout)[-1].endswith(":3"), "the next one goes one further"


def test_an_interrupted_wait_says_that_ecs_goes_on(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    def terminate() -> None:
        raise Terminated

    rollout.world.clock.at(3, terminate)
    seen = rollback(rollout, capsys)
    assert seen.code == 143
    assert "ECS goes on rolling back to pactum-staging-web:1" in seen.err
    assert rollout.world.record().in_flight is None


def test_a_dry_run_names_the_target_its_task_definition_and_the_migrations_and_changes_nothing(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    change(rollout, 0, migrations=(HARMLESS,))
    before = rollout.world.record()
    seen = rollback(rollout, capsys, "--dry-run")
    assert seen.code == 0, seen.err
    for fact in (OLD_RELEASE, "pactum-staging-web:1", "app.0002_x", f"denies {RELEASE}", "would return to"):
        assert fact in seen.out
    assert rollout.world.record() == before
    assert not told(rollout)


def test_a_program_is_told_everything(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    answer = json.loads(rollback(rollout, capsys, "--json").out)
    assert answer["target"]["digest"] == OLD_RELEASE
    assert answer["leaving"]["digest"] == RELEASE
    assert answer["denies"] == RELEASE
    assert answer["migrations_that_stay"] == []
    assert 5 < answer["seconds"] < 10
    assert answer["complete"] is False


def test_a_stack_on_hold_can_be_rolled_back(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    """A hold keeps updates away, and must not keep the way back shut."""
    hold = Decision(who="eva", at="then", reason="incident")
    rollout.world.remember(dataclasses.replace(rollout.world.record(), hold=hold))
    assert rollback(rollout, capsys).code == 0
    assert rollout.world.record().hold == hold


def test_without_a_service_there_is_nothing_to_roll_back(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    rollout.world.service = None
    assert rollback(rollout, capsys).code == 2
