"""What a migration leaves in the release memory, and that the memory never changes the migration's own outcome."""

from __future__ import annotations

import json

import pytest

from ops.release_record import FAILED, IN_PROGRESS
from tests.ops_fakes.account import RELEASE
from tests.ops_fakes.migrations import (
    FIRST,
    IN_FLIGHT,
    SECOND,
    about_to_migrate,
    applied,
    ends,
    migrate,
    ongoing,
    report,
)
from tests.ops_fakes.releases import PAST, UPDATE
from tests.ops_fakes.world import World, run_ops


@pytest.fixture
def world() -> World:
    return about_to_migrate()


@pytest.mark.parametrize("within", [True, False], ids=["within an update", "by hand"])
def test_what_was_applied_is_written_down_at_the_release(
    world: World, capsys: pytest.CaptureFixture[str], within: bool
) -> None:
    ends(world, "plain text", '{"migrations": "three"}', '{"migrations"', report(FIRST, SECOND), '{"message": "bye"}')
    seen = migrate(world, capsys, within=within)
    assert seen.code == 0, seen.err
    assert applied(world) == (FIRST, SECOND)
    assert world.record().releases[0].verdict == IN_PROGRESS, "the verdict is verify's"
    assert world.record().in_flight is not None, "and so is the end of the flight"


def test_that_nothing_was_applied_is_knowledge_too(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    ends(world, report())
    migrate(world, capsys)
    assert applied(world) == ()


def test_a_log_that_does_not_tell_leaves_it_unknown(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    ends(world, "Migrated.")
    assert migrate(world, capsys).code == 0
    assert applied(world) is None


def test_a_second_run_adds_to_what_the_first_applied(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.remember(ongoing((FIRST,)))
    ends(world, report(FIRST, SECOND))
    migrate(world, capsys)
    assert applied(world) == (FIRST, SECOND)


def test_what_an_earlier_run_left_unknown_stays_unknown(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """It may have applied what the second run then found applied."""
    world.remember(ongoing(None))
    ends(world, report(SECOND))
    migrate(world, capsys)
    assert applied(world) is None


def test_while_it_runs_what_it_applies_is_unknown(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """A kill at this moment leaves just that."""
    seen: list[object] = []
    ends(world, report(), after=10)
    world.clock.at(5, lambda: seen.append(applied(world)))
    migrate(world, capsys)
    assert seen == [None]


def test_a_failing_migration_within_an_update_is_the_updates_end(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    ends(world, report(FIRST), "boom", exit_code=3)
    seen = migrate(world, capsys)
    assert seen.code == 1
    assert "the migration failed: exit code 3" in seen.err
    record = world.record()
    assert record.in_flight is None
    assert (record.releases[0].verdict, record.releases[0].cause) == (FAILED, "the migration failed: exit code 3")
    assert record.releases[0].migrations == (FIRST,), "what came before the failure stays applied"


def test_a_failing_migration_by_hand_ends_nobodys_update(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    ends(world, report(FIRST), exit_code=3)
    assert migrate(world, capsys, within=False).code == 1
    assert world.record() == ongoing((FIRST,))


def test_a_task_that_never_started_applied_nothing(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    reason = "ResourceInitializationError: unable to pull secrets"
    ends(world, exit_code=None, reason=reason, code="TaskFailedToStart")
    assert migrate(world, capsys).code == 1
    assert applied(world) == ()
    assert world.record().releases[0].verdict == FAILED


def test_a_task_that_could_not_be_started_applied_nothing(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.run_failures = [{"reason": "RESOURCE:ENI"}]
    assert migrate(world, capsys).code == 1
    assert applied(world) == ()
    assert world.record().in_flight is None


def test_an_interrupted_migration_is_the_updates_end_too(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    ends(world, after=100)

    def interrupt() -> None:
        raise KeyboardInterrupt

    world.clock.at(10, interrupt)
    assert migrate(world, capsys).code == 130
    record = world.record()
    assert record.in_flight is None
    assert record.releases[0].verdict == FAILED
    assert record.releases[0].cause.startswith("interrupted")
    assert record.releases[0].migrations is None


def test_an_update_without_a_network_to_migrate_in_is_over(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    seen = run_ops(world, capsys, "migrate", "--stack", "staging", environment=UPDATE)
    assert seen.code == 2
    assert world.record().in_flight is None
    assert world.record().releases[0].cause.startswith("no live service web")


def test_signs_of_life_are_given_while_it_runs(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    ends(world, report(), after=31)
    migrate(world, capsys)
    assert world.record().in_flight is not None
    assert 6 <= (world.record().in_flight or IN_FLIGHT).beat - IN_FLIGHT.beat <= 8


def test_a_release_that_is_not_remembered_is_said_and_not_made_up(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.remember(PAST)
    ends(world, report(FIRST))
    seen = migrate(world, capsys, within=False)
    assert seen.code == 0
    assert "is not in the release memory" in seen.out
    assert world.record() == PAST


def test_a_dry_run_starts_and_writes_nothing(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    seen = migrate(world, capsys, "--dry-run", within=False)
    assert seen.code == 0
    assert "will run one task of pactum-staging-migrate:7" in seen.out
    assert seen.out.endswith(f"would migrate: {RELEASE}\n")
    assert not world.asked("RunTask")
    assert world.record() == ongoing()


@pytest.mark.parametrize(("line", "told"), [(report(FIRST), [FIRST.as_json()]), ("Migrated.", None)])
def test_a_program_is_told_what_was_applied(
    world: World, capsys: pytest.CaptureFixture[str], line: str, told: object
) -> None:
    ends(world, line)
    answer = json.loads(migrate(world, capsys, "--json", within=False).out)
    assert answer["migrations"] == told
    assert answer["release"] == RELEASE
