"""A record kept small: what goes, what stays, and what stands in a rollback's way however old it is."""

from __future__ import annotations

import dataclasses

from ops.release_pruning import GOOD_KEPT, MOST_BYTES, MOST_RELEASES, pruned
from ops.release_record import FAILED, LIVE, AppliedMigration, Decision, Record, Release, dump

FINAL = AppliedMigration(name="app.0002_x", undoable=False, why="drops a column")
HARMLESS = AppliedMigration(name="app.0003_y", undoable=True)


def good(number: int) -> Release:
    return Release(digest=f"good{number}", verdict=LIVE, verified_at=f"2026-01-01T00:{number:02}:00Z", migrations=())


def bad(number: int, *migrations: AppliedMigration) -> Release:
    return Release(digest=f"bad{number}", verdict=FAILED, migrations=migrations)


SMALL = Record(releases=(bad(1, FINAL), good(1)), denials={"d": Decision(who="ana", at="now", reason="errors")})


def test_a_small_record_is_left_as_it_is() -> None:
    assert pruned(SMALL) is SMALL


def test_the_oldest_releases_go_first() -> None:
    record = pruned(Record(releases=tuple(bad(number) for number in range(MOST_RELEASES + 5))))
    assert len(record.releases) == MOST_RELEASES
    assert record.releases[0] == bad(0)
    assert record.releases[-1] == bad(MOST_RELEASES - 1)


def test_good_releases_and_the_live_one_stay_however_old_they_are() -> None:
    """A stack that failed to deploy a hundred times must still be able to return to what served."""
    live = good(50)
    older = [good(number) for number in range(30, 30 - GOOD_KEPT - 3, -1)]
    releases = (*(bad(number) for number in range(MOST_RELEASES)), *older, live)
    kept = pruned(Record(releases=releases)).releases
    assert len(kept) == MOST_RELEASES
    assert [item for item in kept if item.good] == [*older[:GOOD_KEPT], live]
    assert kept[0] == bad(0)


def test_a_record_stays_below_what_dynamodb_takes() -> None:
    why = "x" * 2000
    long = tuple(AppliedMigration(name=f"app.{n}", undoable=True, why=why) for n in range(10))
    releases = tuple(dataclasses.replace(bad(number), migrations=long) for number in range(50))
    record = pruned(Record(releases=releases))
    assert len(dump(record)) < MOST_BYTES + 1000
    assert 5 < len(record.releases) < 50


def test_denials_count_too_and_releases_make_room_for_them() -> None:
    """DynamoDB counts them, and refuses the whole item."""
    long = tuple(AppliedMigration(name=f"app.{n}", undoable=True, why="x" * 2000) for n in range(10))
    releases = tuple(bad(number, *long) for number in range(50))
    denials = {f"sha256:{n:064}": Decision(who="ana", at="now", reason="x" * 400) for n in range(190)}
    record = pruned(Record(releases=releases, denials=denials))
    assert len(dump(record)) < MOST_BYTES + 1000
    assert record.denials == denials
    assert record.releases[0] == releases[0]


class TestWhatStandsInTheWay:
    """A release goes while an older good one stays: what cannot be undone stays between the two."""

    FAILURES = tuple(bad(number) for number in range(MOST_RELEASES - 1))

    def test_a_migration_that_cannot_be_undone_becomes_the_next_newer_releases(self) -> None:
        record = pruned(Record(releases=(*self.FAILURES, bad(100, HARMLESS, FINAL), good(1))))
        assert len(record.releases) == MOST_RELEASES
        *_, heir, target = record.releases
        assert (heir.digest, target) == (self.FAILURES[-1].digest, good(1))
        assert heir.migrations == (FINAL,)

    def test_what_is_not_known_stays_not_known(self) -> None:
        unknown = dataclasses.replace(bad(100), migrations=None)
        record = pruned(Record(releases=(*self.FAILURES, unknown, good(1))))
        assert record.releases[-2].migrations is None

    def test_what_can_be_undone_makes_nothing_unknown(self) -> None:
        unknown = dataclasses.replace(self.FAILURES[-1], migrations=None)
        record = pruned(Record(releases=(*self.FAILURES[:-1], unknown, bad(100, HARMLESS), good(1))))
        assert record.releases[-2] == unknown
        record = pruned(Record(releases=(*self.FAILURES, bad(100, HARMLESS), good(1))))
        assert record.releases[-2] == self.FAILURES[-1]

    def test_a_good_release_that_inherits_stays_a_release_to_return_to(self) -> None:
        """Returning to it does not cross what came before it; returning further does."""
        record = pruned(Record(releases=(*self.FAILURES, good(2), bad(100, FINAL), bad(101), good(1))))
        *_, heir, target = record.releases
        assert (heir, target) == (dataclasses.replace(good(2), migrations=(FINAL,)), good(1))

    def test_behind_the_last_release_to_return_to_nothing_is_in_the_way(self) -> None:
        record = pruned(Record(releases=(*self.FAILURES, good(1), bad(100, FINAL))))
        assert record.releases == (*self.FAILURES, good(1))
