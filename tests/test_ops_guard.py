"""The guard: what may not be deployed is refused before anything is changed, and one update goes at a time."""

from __future__ import annotations

import dataclasses

import pytest

from ops.__main__ import main
from ops.release_record import IN_PROGRESS, Decision
from tests.ops_fakes.account import OLD_RELEASE, RELEASE
from tests.ops_fakes.releases import OLDER_RELEASE, PAST, UPDATE, flight
from tests.ops_fakes.world import Outcome, World, run_ops

WHY = Decision(who="eva", at="2026-11-22T11:00:00Z", reason="it leaks")


@pytest.fixture
def world() -> World:
    world = World()
    world.remember(PAST)
    return world


def guard(world: World, capsys: pytest.CaptureFixture[str], release: str = RELEASE, *options: str) -> Outcome:
    """Run it as an update does."""
    return run_ops(world, capsys, "guard", "--stack", "staging", "--release", release, *options, environment=UPDATE)


def test_a_release_that_passes_is_in_flight_and_in_progress(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    seen = guard(world, capsys)
    assert (seen.code, seen.out, seen.err) == (0, "guard: passed\n", ""), "standard output becomes part of the state"
    record = world.record()
    assert record.in_flight
    assert (record.in_flight.kind, record.in_flight.digest, record.in_flight.who) == ("update", RELEASE, "ana")
    assert record.in_flight.seen_at == "2026-11-22T12:00:00Z"
    newest = record.releases[0]
    assert (newest.digest, newest.verdict, newest.commit, newest.who) == (RELEASE, IN_PROGRESS, "beef" * 10, "ana")
    assert newest.migrations == (), "nothing is applied yet, and that is known"
    assert record.releases[1:] == PAST.releases


def test_the_very_first_release_passes(capsys: pytest.CaptureFixture[str]) -> None:
    world = World()
    assert guard(world, capsys).code == 0
    assert len(world.record().releases) == 1


def test_the_live_release_once_more_passes_and_is_no_second_release(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert guard(world, capsys, OLD_RELEASE).code == 0
    assert world.record().releases == PAST.releases
    assert world.record().in_flight is not None, "its update is in flight all the same"


def test_a_release_keeps_the_commit_it_was_built_from(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """An image of last week is deployed again, from a checkout of today."""
    assert guard(world, capsys, OLDER_RELEASE).code == 0
    record = world.record()
    assert record.releases[0].commit == PAST.releases[1].commit
    assert (record.in_flight or flight()).commit == PAST.releases[1].commit


def test_an_earlier_good_release_once_more_is_a_release_of_its_own(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert guard(world, capsys, OLDER_RELEASE).code == 0
    assert [item.digest for item in world.record().releases] == [OLDER_RELEASE, OLD_RELEASE, OLDER_RELEASE]


def test_a_denied_release_is_refused_with_who_when_why_and_the_way_out(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.remember(dataclasses.replace(PAST, denials={RELEASE: WHY}))
    seen = guard(world, capsys)
    assert seen.code == 1
    for fact in (RELEASE, "denied", "eva", "2026-11-22T11:00:00Z", "it leaks", "python -m ops allow"):
        assert fact in seen.err
    assert world.record().in_flight is None
    assert guard(world, capsys, OLDER_RELEASE).code == 0, "any other release still passes"


def test_a_stack_on_hold_is_refused_with_who_when_why_and_the_way_out(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.remember(dataclasses.replace(PAST, hold=WHY))
    seen = guard(world, capsys)
    assert seen.code == 1
    for fact in ("on hold", "eva", "2026-11-22T11:00:00Z", "it leaks", "python -m ops unhold --stack staging"):
        assert fact in seen.err
    assert world.record().releases == PAST.releases


def test_by_hand_it_only_asks(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody would end what a person's question put in flight."""
    seen = run_ops(world, capsys, "guard", "--stack", "staging", "--release", RELEASE)
    assert seen.code == 0
    assert f"the live release is {OLD_RELEASE}" in seen.out
    assert world.record() == PAST
    world.remember(dataclasses.replace(PAST, hold=WHY))
    assert run_ops(world, capsys, "guard", "--stack", "staging", "--release", RELEASE).code == 1


def test_a_dry_run_writes_nothing(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert guard(world, capsys, RELEASE, "--dry-run").code == 0
    assert not world.asked("PutItem")


def test_a_table_that_the_same_update_made_is_waited_for(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.records_exist = False
    world.clock.at(5, lambda: setattr(world, "records_exist", True))
    assert guard(world, capsys).code == 0


def test_without_a_table_nothing_passes(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.records_exist = False
    seen = guard(world, capsys)
    assert seen.code == 2
    assert "pactum-staging-releases" in seen.err
    assert "pulumi up" in seen.err


def test_a_release_that_is_no_digest_is_refused() -> None:
    with pytest.raises(SystemExit) as ended:
        main(["guard", "--stack", "staging", "--release", "latest"])
    assert ended.value.code == 2


def test_denied_comes_before_busy(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody waits a minute to hear no."""
    world.remember(dataclasses.replace(PAST, denials={RELEASE: WHY}, in_flight=flight()))
    assert guard(world, capsys).code == 1
    assert world.clock.time == 0
