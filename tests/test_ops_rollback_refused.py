"""What stands in a rollback's way: migrations that cannot be undone, and another update under way."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from ops.release_record import FAILED, IN_PROGRESS, LIVE, ROLLED_BACK, AppliedMigration, Decision, Release
from tests.ops_fakes.account import OLD_RELEASE, RELEASE
from tests.ops_fakes.releases import flight
from tests.ops_fakes.way_back import change, obey, rollback, told, way_back

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.ops_fakes.rollout import Rollout

WHY = ("--reason", "500s at checkout")
FINAL = AppliedMigration(name="app.0003_y", undoable=False, why="the values of app.y are gone")
HARMLESS = AppliedMigration(name="app.0002_x", undoable=True)


@pytest.fixture
def rollout() -> Iterator[Rollout]:
    with way_back() as rollout:
        yield rollout


class TestMigrations:
    """The database stays as it is: what cannot be undone stands in the way, unless one says so."""

    @pytest.mark.parametrize("verdict", [LIVE, FAILED])
    def test_one_that_cannot_be_undone_stands_in_the_way(
        self, rollout: Rollout, capsys: pytest.CaptureFixture[str], verdict: str
    ) -> None:
        """Whatever became of the release that applied it."""
        record = rollout.world.record()
        between = Release(digest="sha256:" + "f" * 64, verdict=verdict, migrations=(HARMLESS, FINAL))
        first, *rest = record.releases
        rollout.world.remember(dataclasses.replace(record, releases=(first, between, *rest)))
        seen = rollback(rollout, capsys)
        assert seen.code == 1
        assert "app.0003_y, of release sha256:ffffffffffff, cannot be undone: the values of app.y are gone" in seen.err
        assert "--despite-migrations" in seen.err
        assert "app.0002_x" not in seen.err
        assert not told(rollout)
        assert rollout.world.record().denials == {}

    def test_what_is_not_known_stands_in_the_way(self, rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
        change(rollout, 0, migrations=None)
        seen = rollback(rollout, capsys)
        assert seen.code == 1
        assert "what release sha256:aaaaaaaaaaaa" in seen.err
        assert "is not known" in seen.err

    def test_despite_them_it_goes_and_says_what_stays_applied(
        self, rollout: Rollout, capsys: pytest.CaptureFixture[str]
    ) -> None:
        change(rollout, 0, migrations=(HARMLESS, FINAL))
        seen = rollback(rollout, capsys, "--despite-migrations")
        assert seen.code == 0, seen.err
        assert "stays applied: app.0002_x" in seen.out
        assert "stays applied: app.0003_y" in seen.out
        assert "the database was left as it is" in seen.out

    def test_those_that_can_be_undone_do_not(self, rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
        change(rollout, 0, migrations=(HARMLESS,))
        assert rollback(rollout, capsys).code == 0

    def test_those_of_the_target_and_before_do_not(self, rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
        change(rollout, 1, migrations=(FINAL,))
        change(rollout, 2, migrations=None)
        assert rollback(rollout, capsys).code == 0

    def test_one_written_down_at_the_last_moment_stops_it(
        self, rollout: Rollout, capsys: pytest.CaptureFixture[str]
    ) -> None:
        reads = iter(range(10))

        def meanwhile() -> None:
            if next(reads) == 0:
                change(rollout, 0, migrations=(FINAL,))

        rollout.world.after_read = meanwhile
        seen = rollback(rollout, capsys)
        assert seen.code == 1
        assert "changed while this was being decided" in seen.err
        assert not told(rollout)


class TestBesideAnUpdate:
    """One thing at a time, unless a person says that this one matters more."""

    @pytest.fixture
    def rollout(self, rollout: Rollout) -> Rollout:
        """An update to the new release is under way, and its tasks serve already."""
        world = rollout.world
        change(rollout, 0, verdict=IN_PROGRESS, task_definition="", verified_at="")
        world.remember(dataclasses.replace(world.record(), in_flight=flight()))
        return rollout

    def test_it_is_refused_at_once(self, rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
        seen = rollback(rollout, capsys)
        assert seen.code == 1
        assert "busy: ben on elsewhere has been deploying" in seen.err
        assert "--interrupt" in seen.err
        assert rollout.world.clock.time == 0, "a person in a hurry is told at once"
        assert not rollout.world.asked("PutItem")

    def test_a_dry_run_is_refused_too(self, rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
        """It says what would happen, and that is nothing."""
        assert rollback(rollout, capsys, "--dry-run").code == 1

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
        assert "interrupts what is in flight: ben" in seen.out
        record = rollout.world.record()
        assert (record.releases[0].verdict, record.in_flight) == (ROLLED_BACK, None)
        assert record.releases[0].cause == "by hand by ana: 500s at checkout"
        assert list(record.denials) == [RELEASE]
        assert beats == [2], "it shows signs of life of its own"

    def test_before_the_new_release_serves_the_update_is_stopped_by_naming_what_serves(
        self, rollout: Rollout, capsys: pytest.CaptureFixture[str]
    ) -> None:
        world = rollout.world
        world.serve(world.deployment(rollout.old, "COMPLETED", running=2))
        world.tasks.clear()
        for number in range(2):
            world.task(f"old{number}", rollout.old)
        seen = rollback(rollout, capsys, "--interrupt")
        assert seen.code == 1, "what serves was good, so which one is bad is not clear"
        seen = rollback(rollout, capsys, "b" * 8, "--interrupt")
        assert seen.code == 0, seen.err
        assert not told(rollout), "ECS runs it already"
        assert world.record().releases[0].verdict == ROLLED_BACK
        assert list(world.record().denials) == [RELEASE]
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
