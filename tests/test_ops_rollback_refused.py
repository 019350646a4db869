"""What stands in a rollback's way: migrations that cannot be undone."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from ops.release_record import FAILED, LIVE, AppliedMigration, Release
from tests.ops_fakes.way_back import change, rollback, told, way_back

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.ops_fakes.rollout import Rollout

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
            if next(reads) == 1:
                change(rollout, 0, migrations=(FINAL,))

        rollout.world.after_read = meanwhile
        seen = rollback(rollout, capsys)
        assert seen.code == 1
        assert "changed while this was being decided" in seen.err
        assert not told(rollout)
