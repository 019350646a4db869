"""The verdict on a release that somebody decided on meanwhile, and by hand on one that serves after all."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from ops.in_flight import this_host
from ops.release_record import FAILED, IN_PROGRESS, LIVE, ROLLED_BACK, Decision, InFlight, Record, Release
from tests.ops_fakes.account import RELEASE, Refused
from tests.ops_fakes.releases import flight
from tests.ops_fakes.rollout import Rollout, rolling_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.ops_fakes.world import Outcome

NOW = "2026-11-22T12:00:00Z"
DENIED = Decision(who="bia", at=NOW, reason="wrong prices")
BY_HAND = Release(digest=RELEASE, verdict=ROLLED_BACK, cause="by hand by bia: wrong prices", migrations=())


@pytest.fixture
def rollout() -> Iterator[Rollout]:
    with rolling_out() as rollout:
        remember(rollout)
        yield rollout


def remember(rollout: Rollout, **changes: Any) -> None:
    """Remember an update of the new release as under way on this machine."""
    release = Release(digest=RELEASE, who="ana", verdict=IN_PROGRESS, migrations=())
    ours = InFlight(kind="update", digest=RELEASE, who="ana", host=this_host(), began_at=NOW, seen_at=NOW)
    rollout.world.remember(dataclasses.replace(Record(releases=(release,), in_flight=ours), **changes))


def within_update(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> Outcome:
    return rollout.verify(capsys, PACTUM_WITHIN_UPDATE="1", OPS_TRANSCRIPT="/dev/null")


def test_an_update_whose_release_was_rolled_back_by_hand_before_verify_is_red(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    """A rollback ended while it was migrating; the program told ECS to bring the release all the same."""
    remember(rollout, in_flight=None, releases=(BY_HAND,), denials={RELEASE: DENIED})
    rollout.complete()
    seen = within_update(rollout, capsys)
    assert (seen.code, seen.out) == (1, ""), "green for what somebody took away"
    assert "cause: rolled back by hand: by bia: wrong prices\n" in seen.err
    assert f"ECS now runs pactum-staging-web:2 (release {RELEASE})." in seen.err
    assert "`python -m ops rollback --stack staging` takes it away." in seen.err, "it serves users now"
    assert rollout.world.clock.time < 5, "there is nothing to wait for"
    assert rollout.world.record().releases[0] == BY_HAND, "a person's decision stands"


@pytest.mark.parametrize("at", [12, 39.9])
def test_a_claim_lost_while_verify_waits_ends_it_red(
    rollout: Rollout, capsys: pytest.CaptureFixture[str], at: float
) -> None:
    """Also in the last moment: between two signs of life."""
    world = rollout.world
    world.clock.at(at, lambda: remember(rollout, in_flight=None, releases=(BY_HAND,), denials={RELEASE: DENIED}))
    world.clock.at(40, rollout.complete)
    seen = within_update(rollout, capsys)
    assert seen.code == 1
    assert "cause: rolled back by hand: by bia: wrong prices\n" in seen.err
    assert world.clock.time < at + 7


def test_a_rollback_under_way_is_named_as_what_took_it(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    rollout.world.clock.at(12, lambda: remember(rollout, in_flight=flight(kind="rollback")))
    seen = within_update(rollout, capsys)
    assert seen.code == 1
    assert "cause: rolled back by hand: ben on elsewhere has been rolling back to " in seen.err


def test_another_update_that_took_over_is_named(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    rollout.world.clock.at(12, lambda: remember(rollout, in_flight=flight("sha256:other")))
    seen = within_update(rollout, capsys)
    assert seen.code == 1
    assert "cause: replaced by another deployment: it was taken over: ben on elsewhere has been deploying" in seen.err


@pytest.mark.parametrize("at", [0, 20])
def test_a_release_that_was_denied_is_never_green(
    rollout: Rollout, capsys: pytest.CaptureFixture[str], at: float
) -> None:
    def deny() -> None:
        record = rollout.world.record()
        rollout.world.remember(dataclasses.replace(record, denials={RELEASE: DENIED}))

    rollout.world.clock.at(at, deny)
    if not at:
        deny()
    rollout.world.clock.at(30, rollout.complete)
    seen = within_update(rollout, capsys)
    assert seen.code == 1
    assert f"cause: denied: by bia at {NOW}: wrong prices\n" in seen.err
    assert "ops allow" in seen.err
    assert at or rollout.world.clock.time < 5, "what is denied already is not waited for"
    record = rollout.world.record()
    assert (record.in_flight, record.releases[0].verdict) == (None, FAILED)
    assert record.releases[0].cause.startswith("denied: by bia")


def test_a_release_memory_that_does_not_answer_makes_no_good_release_red(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> None:
        raise Refused("AccessDeniedException", "not authorized")

    rollout.world.before |= {"GetItem": refuse, "PutItem": refuse}
    rollout.complete()
    assert within_update(rollout, capsys).code == 0


def test_by_hand_no_decision_makes_what_serves_red(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    remember(rollout, in_flight=None, releases=(BY_HAND,), denials={RELEASE: DENIED})
    rollout.complete()
    assert rollout.verify(capsys).code == 0
    assert rollout.world.record().releases[0] == BY_HAND, "who denied it does not want it back"


def failed() -> Release:
    return Release(digest=RELEASE, verdict=FAILED, cause="timeout: not live after 900 s", migrations=())


def test_by_hand_a_release_that_serves_after_all_counts_as_good(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    remember(rollout, in_flight=None, releases=(failed(),))
    rollout.complete()
    assert rollout.verify(capsys, "--dry-run").code == 0
    assert rollout.world.record().releases[0].verdict == FAILED, "--dry-run writes nothing"
    assert rollout.verify(capsys).code == 0
    release = rollout.world.record().releases[0]
    assert release.verdict == LIVE, "else the next rollback passes it over"
    assert release.verified_at


def test_by_hand_a_release_that_does_not_serve_is_not_called_good(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    remember(rollout, in_flight=None, releases=(failed(),))
    assert rollout.verify(capsys, "--timeout", "20").code == 1
    assert rollout.world.record().releases[0] == failed()
