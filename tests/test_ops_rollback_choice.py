"""Which release a rollback returns to, by default and by name."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from ops.release_record import FAILED, IN_PROGRESS, ROLLED_BACK, Decision
from tests.ops_fakes.account import OLD_RELEASE, RELEASE
from tests.ops_fakes.releases import OLDER_RELEASE
from tests.ops_fakes.way_back import change, rollback, told, way_back

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.ops_fakes.rollout import Rollout

WHY = ("--reason", "500s at checkout")


@pytest.fixture
def rollout() -> Iterator[Rollout]:
    with way_back() as rollout:
        yield rollout


def test_a_second_rollback_goes_one_further_and_never_forward(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    rollback(rollout, capsys, *WHY)
    rollout.front.answers = [(200, OLDER_RELEASE)]
    seen = rollback(rollout, capsys, *WHY)
    assert seen.code == 0, seen.err
    assert told(rollout)[1].endswith(":3")
    seen = rollback(rollout, capsys, *WHY)
    assert seen.code == 1, "there is nothing before that"
    assert len(told(rollout)) == 2


def test_the_next_one_back_is_never_newer_than_what_serves(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever went two back did not trust the one in between."""
    rollout.front.answers = [(200, OLDER_RELEASE)]
    assert rollback(rollout, capsys, "c" * 7).code == 0
    seen = rollback(rollout, capsys)
    assert seen.code == 1
    assert "no good release is older" in seen.err
    assert "ops rollback sha256:bbbbbbbbbbbb" in seen.err


@pytest.mark.parametrize("named", ["c" * 7, OLDER_RELEASE, f"{10:040}"[:40], "0" * 38 + "10"])
def test_a_release_is_named_by_its_digest_or_its_commit(
    rollout: Rollout, capsys: pytest.CaptureFixture[str], named: str
) -> None:
    rollout.front.answers = [(200, OLDER_RELEASE)]
    seen = rollback(rollout, capsys, named)
    assert seen.code == 0, seen.err
    assert told(rollout)[0].endswith(":3")
    assert "no reason given" in rollout.world.record().releases[0].cause


@pytest.mark.parametrize(
    ("named", "code", "said"),
    [
        ("000000000", 2, "may be any of"),
        ("dddddddd", 2, "no release of stack staging"),
        ("latest", 2, "names no release"),
        ("bbb", 2, "names no release"),
        ("a" * 12, 1, "serves already"),
    ],
)
def test_a_name_that_leads_nowhere_is_refused(
    rollout: Rollout, capsys: pytest.CaptureFixture[str], named: str, code: int, said: str
) -> None:
    seen = rollback(rollout, capsys, named)
    assert seen.code == code
    assert said in seen.err
    assert not rollout.world.asked("PutItem")


def test_a_denied_release_is_no_way_back(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    denial = Decision(who="eva", at="then", reason="it leaks")
    rollout.world.remember(dataclasses.replace(rollout.world.record(), denials={OLD_RELEASE: denial}))
    seen = rollback(rollout, capsys, OLD_RELEASE)
    assert seen.code == 1
    assert f"ops allow {OLD_RELEASE}" in seen.err
    rollout.front.answers = [(200, OLDER_RELEASE)]
    assert rollback(rollout, capsys).code == 0
    assert told(rollout)[0].endswith(":3"), "the one before it is"


@pytest.mark.parametrize("verdict", [FAILED, ROLLED_BACK, IN_PROGRESS])
def test_a_release_that_never_was_good_is_no_way_back(
    rollout: Rollout, capsys: pytest.CaptureFixture[str], verdict: str
) -> None:
    change(rollout, 1, verdict=verdict, cause="tasks crash")
    seen = rollback(rollout, capsys, OLD_RELEASE)
    assert seen.code == 1
    assert f"{verdict}: tasks crash" in seen.err
    rollout.front.answers = [(200, OLDER_RELEASE)]
    assert rollback(rollout, capsys).code == 0
    assert told(rollout)[0].endswith(":3"), "the one before it is"


def test_after_ecs_itself_rolled_back_it_does_not_go_one_further_unasked(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    """Else a second reaction to one bad release takes a good one away, and denies it."""
    world = rollout.world
    change(rollout, 0, verdict=ROLLED_BACK, cause="the circuit breaker")
    world.serve(world.deployment(rollout.old, "COMPLETED", running=2))
    seen = rollback(rollout, capsys)
    assert seen.code == 1
    assert "is not what serves" in seen.err
    assert "ops rollback sha256:cccccccccccc" in seen.err, "it says how to go further"
    assert not world.asked("PutItem")


def test_without_a_past_it_says_so(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    rollout.world.items.clear()
    seen = rollback(rollout, capsys)
    assert seen.code == 1
    assert "there is no release of stack staging" in seen.err


def test_what_serves_unrecorded_is_left_for_the_newest_good_release(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody deployed past the update: that is left too, and its image denied."""
    world = rollout.world
    stray = world.define("web", 9, release="sha256:" + "e" * 64)
    world.serve(world.deployment(stray, "COMPLETED", running=2))
    rollout.front.answers = [(200, RELEASE)]
    seen = rollback(rollout, capsys)
    assert seen.code == 0, seen.err
    assert told(rollout) == [rollout.new]
    assert list(world.record().denials) == ["sha256:" + "e" * 64]


def test_a_task_definition_that_ecs_no_longer_runs_is_refused_with_what_to_do(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    rollout.world.definitions[rollout.old]["status"] = "INACTIVE"
    seen = rollback(rollout, capsys)
    assert seen.code == 2
    assert "is INACTIVE" in seen.err
    assert f"set imageDigest to {OLD_RELEASE}" in seen.err
    assert not rollout.world.asked("PutItem")
