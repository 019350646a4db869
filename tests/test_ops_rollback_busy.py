"""A rollback beside an update or another rollback: refused, taken over, or told to interrupt it."""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING

import pytest

from ops.release_record import FAILED, IN_PROGRESS, LIVE, ROLLED_BACK, AppliedMigration, Decision, Release
from tests.ops_fakes.account import OLD_RELEASE, RELEASE
from tests.ops_fakes.releases import UPDATE, flight
from tests.ops_fakes.way_back import change, obey, rollback, told, way_back
from tests.ops_fakes.world import run_ops

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ops.release_record import InFlight
    from tests.ops_fakes.rollout import Rollout

WHY = ("--reason", "500s at checkout")
FINAL = AppliedMigration(name="app.0003_y", undoable=False, why="the values of app.y are gone")


@pytest.fixture
def rollout() -> Iterator[Rollout]:
    with way_back() as rollout:
        yield rollout


def beat(rollout: Rollout) -> None:
    """Let what is in flight show a sign of life."""
    record = rollout.world.record()
    assert record.in_flight
    living = dataclasses.replace(record.in_flight, beat=record.in_flight.beat + 1)
    rollout.world.remember(dataclasses.replace(record, in_flight=living))


def serves(rollout: Rollout, definition: str) -> None:
    """Let the service run this one."""
    world = rollout.world
    world.serve(world.deployment(definition, "COMPLETED", running=2))
    world.tasks.clear()
    for number in range(2):
        world.task(f"serves{number}", definition)


class TestBesideAnUpdate:
    """One thing at a time, unless a person says that this one matters more."""

    @pytest.fixture
    def rollout(self, rollout: Rollout) -> Rollout:
        """An update to the new release is under way, and its tasks serve already."""
        world = rollout.world
        change(rollout, 0, verdict=IN_PROGRESS, task_definition="", verified_at="")
        world.remember(dataclasses.replace(world.record(), in_flight=flight()))
        return rollout

    def test_one_that_lives_is_not_disturbed(self, rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
        world = rollout.world
        world.clock.at(4, lambda: beat(rollout))
        seen = rollback(rollout, capsys)
        assert seen.code == 1
        assert "busy: ben on elsewhere has been deploying" in seen.err
        assert "--interrupt" in seen.err
        assert world.clock.time < 6, "a sign of life says all there is to know"
        assert not world.asked("PutItem")

    def test_a_dry_run_is_refused_too(self, rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
        """It says what would happen, and that is nothing."""
        rollout.world.clock.at(4, lambda: beat(rollout))
        assert rollback(rollout, capsys, "--dry-run").code == 1

    def test_one_that_was_killed_is_taken_over(self, rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
        """However long ago: an operator must not need to know that there is an --interrupt."""
        world = rollout.world
        seen = rollback(rollout, capsys, *WHY)
        assert seen.code == 0, seen.err
        assert "it was killed. Taking over." in seen.out
        assert 60 < world.clock.time < 72
        record = world.record()
        assert (record.releases[0].verdict, record.in_flight) == (ROLLED_BACK, None)
        assert told(rollout) == [rollout.old]

    def test_one_that_shows_itself_alive_at_the_last_moment_is_left_alone(
        self, rollout: Rollout, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def late() -> None:
            if rollout.world.clock.time >= 60:
                rollout.world.after_read = lambda: None
                beat(rollout)

        rollout.world.after_read = late
        seen = rollback(rollout, capsys)
        assert seen.code == 1
        assert "busy: ben" in seen.err
        assert not told(rollout)

    def test_an_update_that_began_a_moment_ago_is_noticed_too(
        self, rollout: Rollout, capsys: pytest.CaptureFixture[str]
    ) -> None:
        world = rollout.world
        busy = world.record()
        world.remember(dataclasses.replace(busy, in_flight=None))
        change(rollout, 0, verdict=LIVE)
        reads = iter(range(10))
        world.after_read = lambda: world.remember(busy) if next(reads) == 0 else None
        seen = rollback(rollout, capsys)
        assert seen.code == 1
        assert "busy: ben" in seen.err
        assert world.record() == busy
        assert not told(rollout)

    def test_it_overrules_it_when_told_so(self, rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
        beats: list[int] = []
        rollout.world.clock.at(5.5, lambda: beats.append((rollout.world.record().in_flight or flight()).beat))
        seen = rollback(rollout, capsys, "--interrupt", *WHY)
        assert seen.code == 0, seen.err
        assert "stops, or takes over, what is in flight: ben" in seen.out
        record = rollout.world.record()
        assert (record.releases[0].verdict, record.in_flight) == (ROLLED_BACK, None)
        assert record.releases[0].cause == "by hand by ana: 500s at checkout"
        assert list(record.denials) == [RELEASE]
        assert beats == [2], "it shows signs of life of its own"

    @pytest.mark.parametrize("named", [(), ("b" * 8,)], ids=["by default", "by name"])
    def test_before_it_has_reached_the_service_it_is_stopped_and_what_serves_goes_on(
        self, rollout: Rollout, capsys: pytest.CaptureFixture[str], named: tuple[str, ...]
    ) -> None:
        world = rollout.world
        change(rollout, 0, migrations=None)
        serves(rollout, rollout.old)
        seen = rollback(rollout, capsys, "--interrupt", *named)
        assert seen.code == 0, seen.err
        assert not told(rollout), "ECS runs it already"
        assert world.record().releases[0].verdict == ROLLED_BACK
        assert list(world.record().denials) == [RELEASE]
        assert world.record().in_flight is None
        assert "only the update is stopped" in seen.out
        assert "stays applied: what release sha256:aaaaaaaaaaaa" in seen.out, "said, but in nobody's way"

    def test_killed_before_it_reached_the_service_it_is_no_reason_to_go_back(
        self, rollout: Rollout, capsys: pytest.CaptureFixture[str]
    ) -> None:
        serves(rollout, rollout.old)
        seen = rollback(rollout, capsys)
        assert seen.code == 1
        assert "is not what serves" in seen.err
        assert not told(rollout)

    def test_another_configuration_of_what_serves_is_stopped_and_nothing_is_denied(
        self, rollout: Rollout, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """It has not reached the service: there is nothing to return from, and least of all past a good release."""
        world = rollout.world
        change(rollout, 0, verdict=LIVE, task_definition=rollout.new)
        rollout.front.answers = [(200, RELEASE)]
        seen = rollback(rollout, capsys, "--interrupt")
        assert seen.code == 0, seen.err
        assert not told(rollout)
        assert world.record().denials == {}
        assert world.record().releases[0].verdict == LIVE
        assert world.record().in_flight is None

    def test_a_rollback_that_was_killed_is_finished_and_does_not_go_one_further(
        self, rollout: Rollout, capsys: pytest.CaptureFixture[str]
    ) -> None:
        world = rollout.world
        change(rollout, 0, verdict=ROLLED_BACK, cause="by hand by ben: errors", task_definition=rollout.new)
        denials = {RELEASE: Decision(who="ben", at="then", reason="rollback: errors")}
        killed = dataclasses.replace(world.record(), in_flight=flight(OLD_RELEASE, kind="rollback"), denials=denials)
        world.remember(killed)
        obey(rollout, rollout.old)
        seen = rollback(rollout, capsys, "--interrupt")
        assert seen.code == 0, seen.err
        assert not told(rollout)
        record = world.record()
        assert [item.verdict for item in record.releases] == [ROLLED_BACK, LIVE, LIVE]
        assert record.denials == denials
        assert record.live == record.releases[1]


def test_an_update_that_was_stopped_between_its_guard_and_its_migration_does_not_migrate(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    """The rollback is over by then, and nothing is in flight any more."""
    new = "sha256:" + "d" * 64
    world = rollout.world
    rollout.front.answers = [(200, RELEASE)]
    update = functools.partial(run_ops, world, capsys, environment=UPDATE)
    assert update("guard", "--stack", "staging", "--release", new).code == 0
    assert rollback(rollout, capsys, "--interrupt").code == 0
    assert world.record().in_flight is None
    migrate = world.define("migrate", 4, release=new)
    seen = update("migrate", "--stack", "staging", "--task-definition", migrate)
    assert seen.code == 1
    assert "may not go on" in seen.err
    assert not world.asked("RunTask")
    assert (world.record().releases[0].verdict, list(world.record().denials)) == (ROLLED_BACK, [new])


@pytest.mark.parametrize("in_flight", [flight(), None], ids=["in flight", "killed long ago"])
def test_another_configuration_of_a_good_image_is_left_for_the_one_that_was_good(
    rollout: Rollout, capsys: pytest.CaptureFixture[str], in_flight: InFlight | None
) -> None:
    """Nothing is written of it before its verdict; its image was good, and is not to blame."""
    world = rollout.world
    stray = world.define("web", 9, release=RELEASE)
    serves(rollout, stray)
    change(rollout, 0, migrations=(FINAL,))
    world.remember(dataclasses.replace(world.record(), in_flight=in_flight))
    rollout.front.answers = [(200, RELEASE)]
    seen = rollback(rollout, capsys, *(("--interrupt",) if in_flight else ()))
    assert seen.code == 0, seen.err
    assert told(rollout) == [rollout.new]
    assert "denies nothing" in seen.out
    record = world.record()
    assert record.denials == {}
    assert [item.verdict for item in record.releases] == [LIVE, LIVE, LIVE]


def test_other_releases_migrations_are_not_in_the_way_of_the_same_image(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    """It runs on that database already."""
    world = rollout.world
    failed = Release(digest="sha256:" + "f" * 64, verdict=FAILED, migrations=(FINAL,))
    world.remember(dataclasses.replace(world.record(), releases=(failed, *world.record().releases)))
    serves(rollout, world.define("web", 9, release=RELEASE))
    rollout.front.answers = [(200, RELEASE)]
    seen = rollback(rollout, capsys)
    assert seen.code == 0, seen.err
    assert told(rollout) == [rollout.new]
    assert "stays applied: app.0003_y" in seen.out


def test_an_older_image_deployed_again_is_left_for_what_served_before_that(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not for its own first time, which is further back."""
    world = rollout.world
    again = Release(digest=OLD_RELEASE, verdict=IN_PROGRESS, migrations=())
    releases = (again, *world.record().releases)
    world.remember(dataclasses.replace(world.record(), releases=releases, in_flight=flight(OLD_RELEASE)))
    serves(rollout, world.define("web", 9, release=OLD_RELEASE))
    rollout.front.answers = [(200, RELEASE)]
    seen = rollback(rollout, capsys, "--interrupt")
    assert seen.code == 0, seen.err
    assert told(rollout) == [rollout.new]
    assert list(world.record().denials) == [OLD_RELEASE]
