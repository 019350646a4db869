"""The guard: what may not be deployed is refused before anything is changed, and one update goes at a time."""

from __future__ import annotations

import dataclasses
import threading
from typing import TYPE_CHECKING

import pytest

from ops import release_changes
from ops.__main__ import main
from ops.release_record import FAILED, IN_PROGRESS, LIVE, Decision, Record, Release
from tests.ops_fakes.account import OLD_RELEASE, RELEASE, FakeClock
from tests.ops_fakes.releases import OLDER_RELEASE, PAST, UPDATE, flight
from tests.ops_fakes.world import Outcome, World, connect, run_ops

if TYPE_CHECKING:
    from pathlib import Path

WHY = Decision(who="eva", at="2026-11-22T11:00:00Z", reason="it leaks")


@pytest.fixture
def world() -> World:
    world = World()
    world.remember(PAST)
    return world


def guard(world: World, capsys: pytest.CaptureFixture[str], release: str = RELEASE, *options: str) -> Outcome:
    """Run it as an update does."""
    return run_ops(world, capsys, "guard", "--stack", "staging", "--release", release, *options, environment=UPDATE)


def beat(world: World) -> None:
    """Let what is in flight show a sign of life."""
    record = world.record()
    assert record.in_flight
    living = dataclasses.replace(record.in_flight, beat=record.in_flight.beat + 1)
    world.remember(dataclasses.replace(record, in_flight=living))


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


def test_another_update_that_is_alive_is_refused_at_once(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.remember(dataclasses.replace(PAST, in_flight=flight(OLDER_RELEASE)))
    world.clock.at(4, lambda: beat(world))
    seen = guard(world, capsys)
    assert seen.code == 1
    assert world.clock.time < 6, "a sign of life says all there is to know"
    for fact in ("busy", "ben on elsewhere", OLDER_RELEASE, "since 2026-11-22T11:58:00Z", "last sign of life"):
        assert fact in seen.err
    assert world.record().in_flight == dataclasses.replace(flight(OLDER_RELEASE), beat=4)
    assert world.record().releases == PAST.releases


def test_an_update_that_was_killed_is_taken_over_a_minute_after_its_last_sign_of_life(
    world: World, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    killed = Release(digest=RELEASE, verdict=IN_PROGRESS, migrations=None)
    world.remember(dataclasses.replace(PAST, releases=(killed, *PAST.releases), in_flight=flight()))
    transcript = tmp_path / "transcript"
    environment = UPDATE | {"OPS_TRANSCRIPT": str(transcript)}
    seen = run_ops(world, capsys, "guard", "--stack", "staging", "--release", RELEASE, environment=environment)
    assert seen.code == 0, seen.err
    assert 59 <= world.clock.time < 66
    new, old, *_ = world.record().releases
    assert (old.verdict, old.cause) == (FAILED, "interrupted")
    assert old.migrations is None, "what it applied is still not known"
    assert new.verdict == IN_PROGRESS
    assert (world.record().in_flight or flight()).who == "ana"
    assert "was interrupted" in transcript.read_text()


@pytest.mark.parametrize(
    ("seen_at", "watched"),
    [
        ("2026-11-22T11:59:25Z", 25),
        ("2026-11-22T11:00:00Z", 12),
        ("2026-11-22T13:00:00Z", 60),
        ("yesterday", 60),
    ],
    ids=["what has passed counts", "clocks may differ", "clocks may differ the other way", "no date"],
)
def test_the_watch_is_as_long_as_needed_and_long_enough_to_see_a_beat(
    world: World, capsys: pytest.CaptureFixture[str], seen_at: str, watched: float
) -> None:
    world.remember(dataclasses.replace(PAST, in_flight=flight(seen_at=seen_at)))
    assert guard(world, capsys).code == 0
    assert world.clock.time == pytest.approx(watched, abs=2)


def test_a_beat_just_before_the_watch_ends_is_seen(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.remember(dataclasses.replace(PAST, in_flight=flight()))
    world.clock.at(59.9, lambda: beat(world))
    assert guard(world, capsys).code == 1


def test_a_beat_between_the_watch_and_the_taking_over_is_seen(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """The taking over is a write like any other, made on what is there then."""
    world.remember(dataclasses.replace(PAST, in_flight=flight()))

    def late() -> None:
        if world.clock.time >= 60:
            world.after_read = lambda: None
            beat(world)

    world.after_read = late
    world.clock.at(70, lambda: beat(world))
    assert guard(world, capsys).code == 1
    assert (world.record().in_flight or flight()).who == "ben"


def test_an_update_that_ends_while_it_is_watched_lets_the_next_one_through(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.remember(dataclasses.replace(PAST, in_flight=flight()))
    world.clock.at(20, lambda: world.remember(PAST))
    assert guard(world, capsys).code == 0
    assert world.clock.time < 22


def test_a_killed_rollback_leaves_the_verdict_on_its_target(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.remember(dataclasses.replace(PAST, in_flight=flight(OLDER_RELEASE, kind="rollback")))
    assert guard(world, capsys).code == 0
    assert world.record().releases[1:] == PAST.releases


def test_of_two_updates_at_once_one_is_refused(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Both have read that nothing is in flight before either writes."""
    both_have_read = threading.Barrier(2, timeout=20)
    reads = iter(range(1000))

    def meet() -> None:
        if next(reads) < 2:
            both_have_read.wait()

    world.after_read = meet
    aws = connect(world)
    codes: dict[str, int] = {}

    class Beating(FakeClock):
        """The clock of one of the two; whoever won shows a sign of life after a few seconds."""

        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if 5 < self.time < 6:
                beat(world)

    def update(release: str) -> None:
        arguments = ("guard", "--stack", "staging", "--release", release)
        codes[release] = main(arguments, environment=UPDATE, connect=lambda: aws, clock=Beating())

    threads = [threading.Thread(target=update, args=(release,)) for release in (RELEASE, OLDER_RELEASE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(codes.values()) == [0, 1]
    (winner,) = [release for release, code in codes.items() if code == 0]
    assert (world.record().in_flight or flight("none")).digest == winner
    assert len(world.record().releases) == 3, "the refused one left nothing"
    assert "busy" in capsys.readouterr().err


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


def test_a_flight_that_ended_well_is_not_marked_interrupted() -> None:
    """Its verdict was written, but the flight was not ended: it served, and that stands."""
    served = Record(releases=(Release(digest=RELEASE, verdict=LIVE),), in_flight=flight())
    after = release_changes.take_over(served, "interrupted", "now")
    assert after == Record(releases=served.releases)
    assert release_changes.take_over(after, "interrupted", "now") == after


def test_denied_comes_before_busy(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody waits a minute to hear no."""
    world.remember(dataclasses.replace(PAST, denials={RELEASE: WHY}, in_flight=flight()))
    assert guard(world, capsys).code == 1
    assert world.clock.time == 0
