"""After a rollback: what was taken away may be allowed again, and what serves is never where to return to."""

from __future__ import annotations

import copy
import dataclasses
from typing import TYPE_CHECKING

import pytest

from ops.release_record import FAILED, LIVE, ROLLED_BACK
from tests.ops_fakes.account import OLD_RELEASE, RELEASE
from tests.ops_fakes.releases import OLDER_RELEASE, was_live
from tests.ops_fakes.way_back import change, rollback, told, way_back
from tests.ops_fakes.world import run_ops

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.ops_fakes.rollout import Rollout

STACK = ("--stack", "staging")


@pytest.fixture
def rollout() -> Iterator[Rollout]:
    with way_back() as rollout:
        yield rollout


def registered_anew(rollout: Rollout, *, verdict: str = LIVE, **environment: str) -> str:
    """An update back to the old release, after a rollback to it: its task definition is the same, or nearly so."""
    world = rollout.world
    change(rollout, 0, verdict=ROLLED_BACK, cause="by hand by eva: slow")
    anew = world.define("web", 7, release=OLD_RELEASE, **environment)
    record = world.record()
    again = dataclasses.replace(was_live(OLD_RELEASE, 55, anew), verdict=verdict)
    world.remember(dataclasses.replace(record, releases=(again, *record.releases)))
    world.serve(world.deployment(anew, "COMPLETED", running=2))
    rollout.front.answers = [(200, OLDER_RELEASE)]
    return anew


def test_what_was_rolled_back_by_hand_and_is_allowed_again_can_be_returned_to(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    before = rollout.world.record().releases[0]
    seen = rollback(rollout, capsys)
    assert f"`python -m ops allow {RELEASE} --stack staging` lifts that" in seen.out, "it can be copied as it is"
    seen = run_ops(rollout.world, capsys, "allow", RELEASE, *STACK)
    assert f"python -m ops rollback {RELEASE} --stack staging" in seen.out
    record = rollout.world.record()
    assert dataclasses.replace(record.releases[0], ended_at="") == dataclasses.replace(before, ended_at="")
    assert record.live is record.releases[1], "what serves is still the other one"
    rollout.front.answers = [(200, RELEASE)]
    seen = rollback(rollout, capsys, RELEASE)
    assert seen.code == 0, seen.err
    assert told(rollout)[-1] == rollout.new


@pytest.mark.parametrize(
    "changes",
    [{"verified_at": ""}, {"cause": "rolled back by the circuit breaker"}, {"verdict": FAILED}],
    ids=["never seen to serve", "rolled back by ECS", "failed"],
)
def test_allowing_makes_nothing_good_that_a_person_did_not_take_away(
    rollout: Rollout, capsys: pytest.CaptureFixture[str], changes: dict[str, str]
) -> None:
    rollback(rollout, capsys)
    bad = change(rollout, 0, **changes)
    assert "can be returned to" not in run_ops(rollout.world, capsys, "allow", RELEASE, *STACK).out
    assert rollout.world.record().releases[0] == bad


def test_the_same_task_definition_registered_anew_is_not_what_is_returned_to(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would end green, and users would go on with what they wanted to be rid of."""
    registered_anew(rollout)
    seen = rollback(rollout, capsys)
    assert seen.code == 0, seen.err
    assert told(rollout) == [rollout.world.record().releases[3].task_definition]
    assert OLD_RELEASE in rollout.world.record().denials


def test_the_same_task_definition_is_no_target_by_name(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    registered_anew(rollout)
    seen = rollback(rollout, capsys, OLD_RELEASE)
    assert (seen.code, told(rollout)) == (1, [])
    assert "is what serves already" in seen.err


def test_variables_in_another_order_are_the_same_task_definition(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    anew = registered_anew(rollout, LANGUAGE="de")
    definitions = rollout.world.definitions
    containers = copy.deepcopy(definitions[anew]["containerDefinitions"])
    containers[0]["environment"].reverse()
    definitions[rollout.old]["containerDefinitions"] = containers
    assert rollback(rollout, capsys).code == 0
    assert told(rollout) == [rollout.world.record().releases[3].task_definition]


@pytest.mark.parametrize("how", ["otherwise configured", "never good"])
def test_the_same_image_is_returned_to_where_that_changes_something(
    rollout: Rollout, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    if how == "never good":
        registered_anew(rollout, verdict=FAILED)
    else:
        registered_anew(rollout, LANGUAGE="de")
    rollout.front.answers = [(200, OLD_RELEASE)]
    seen = rollback(rollout, capsys)
    assert seen.code == 0, seen.err
    assert told(rollout) == [rollout.old]
    assert rollout.world.record().denials == {}


def test_with_nowhere_to_return_to_it_names_what_is_denied_and_how_to_allow_it(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    rollback(rollout, capsys)
    record = rollout.world.record()
    rollout.world.remember(dataclasses.replace(record, releases=record.releases[:2]))
    seen = rollback(rollout, capsys)
    assert seen.code == 1
    assert "is denied, by ana" in seen.err
    assert f"python -m ops allow {RELEASE} --stack staging" in seen.err


def test_after_ecs_rolled_back_it_says_that_nothing_needs_to_be_done_and_the_cause_once(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    world = rollout.world
    change(rollout, 0, verdict=ROLLED_BACK, cause="rolled back by the circuit breaker")
    world.serve(world.deployment(rollout.old, "COMPLETED", running=2))
    seen = rollback(rollout, capsys)
    assert "(rolled back by the circuit breaker) is not what serves" in seen.err
    assert "Nothing needs to be done" in seen.err
    assert "To go further back: python -m ops rollback sha256:cccccccccccc --stack staging" in seen.err
