"""Beside another update: one that lives is left alone, one that was killed is taken over."""

from __future__ import annotations

import dataclasses
import threading
from typing import TYPE_CHECKING

import pytest

from ops import release_changes
from ops.__main__ import main
from ops.release_record import FAILED, IN_PROGRESS, LIVE, Record, Release
from tests.ops_fakes.account import RELEASE, FakeClock
from tests.ops_fakes.releases import OLDER_RELEASE, PAST, UPDATE, flight
from tests.ops_fakes.world import Outcome, World, connect, run_ops

if TYPE_CHECKING:
    from pathlib import Path


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
        ("2026-11-22T11:59:45Z", 45),
        ("2026-11-22T11:00:00Z", 35),
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


def test_a_flight_that_ended_well_is_not_marked_interrupted() -> None:
    """Its verdict was written, but the flight was not ended: it served, and that stands."""
    served = Record(releases=(Release(digest=RELEASE, verdict=LIVE),), in_flight=flight())
    after = release_changes.take_over(served, "interrupted", "now")
    assert after == Record(releases=served.releases)
    assert release_changes.take_over(after, "interrupted", "now") == after
