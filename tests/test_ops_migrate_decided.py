"""A migration that may not begin or go on: another decided so meanwhile, or what it does cannot be written down."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from ops.release_record import Decision
from tests.ops_fakes.account import RELEASE, Refused
from tests.ops_fakes.migrations import (
    COMMAND,
    FIRST,
    SECOND,
    about_to_migrate,
    applied,
    ends,
    migrate,
    ongoing,
    report,
)
from tests.ops_fakes.releases import UPDATE, flight
from tests.ops_fakes.world import World, run_ops

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def world() -> World:
    return about_to_migrate()


def test_an_update_that_was_taken_over_does_not_go_on_to_the_service(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """Else it would undo the rollback that overruled it."""
    ends(world, report(FIRST), after=30)
    rollback = flight("sha256:" + "e" * 64, kind="rollback")
    world.clock.at(12, lambda: world.remember(dataclasses.replace(world.record(), in_flight=rollback)))
    seen = migrate(world, capsys)
    assert seen.code == 1
    assert "may not go on" in seen.err
    assert world.record().in_flight == rollback
    assert applied(world) == (FIRST,), "what it applied counts all the same"


DENIAL = Decision(who="eva", at="then", reason="rollback: errors")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"in_flight": flight()}, "it was taken over: ben on elsewhere"),
        ({"in_flight": None}, "it was taken over, by what has ended since"),
        ({"denials": {RELEASE: DENIAL}}, "it is denied, by eva at then: rollback: errors"),
    ],
    ids=["taken over", "a rollback began and ended", "denied"],
)
class TestDecidedOtherwise:
    """Somebody rolled back, or denied the release, after the guard had let it pass."""

    def test_before_it_begins(
        self, world: World, capsys: pytest.CaptureFixture[str], changes: dict[str, Any], told: str
    ) -> None:
        world.remember(dataclasses.replace(ongoing(), **changes))
        seen = migrate(world, capsys)
        assert seen.code == 1
        assert f"may not go on: {told}" in seen.err
        assert not world.asked("RunTask")
        assert applied(world) == (), "nothing ran, and that is known"

    def test_after_the_last_sign_of_life(
        self, world: World, capsys: pytest.CaptureFixture[str], changes: dict[str, Any], told: str
    ) -> None:
        ends(world, report(FIRST), after=3)
        world.clock.at(2, lambda: world.remember(dataclasses.replace(world.record(), **changes)))
        seen = migrate(world, capsys)
        assert seen.code == 1, "the service must not be touched after that"
        assert f"may not go on: {told}" in seen.err
        assert world.asked("RunTask")
        assert applied(world) == (FIRST,)


def test_a_denial_in_the_last_moment_before_it_begins_counts(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """It is the write that asks, so nothing fits in between."""
    reads = iter(range(10))

    def meanwhile() -> None:
        if next(reads) == 1:
            world.remember(dataclasses.replace(world.record(), denials={RELEASE: DENIAL}))

    world.after_read = meanwhile
    assert migrate(world, capsys).code == 1
    assert not world.asked("RunTask")


def unreachable(world: World, operation: str) -> None:
    def denied() -> None:
        raise Refused("AccessDeniedException", f"not authorized to perform dynamodb:{operation}")

    world.before[operation] = denied


@pytest.mark.parametrize("operation", ["GetItem", "PutItem"])
def test_an_update_migrates_nothing_that_it_cannot_write_down(
    world: World, capsys: pytest.CaptureFixture[str], operation: str
) -> None:
    """A rollback would cross it unasked: the release would go on to say that it applied nothing."""
    unreachable(world, operation)
    ends(world, report(SECOND))
    seen = migrate(world, capsys)
    assert seen.code == 2
    assert "could not be written down" in seen.err
    assert f"permission for {operation}" in seen.err
    assert "Nothing was migrated" in seen.err
    assert not world.asked("RunTask")


@pytest.mark.parametrize("exit_code", [0, 3])
def test_an_end_that_cannot_be_written_leaves_it_unknown_and_does_not_hide_the_outcome(
    world: World, capsys: pytest.CaptureFixture[str], tmp_path: Path, exit_code: int
) -> None:
    ends(world, report(SECOND), exit_code=exit_code)
    world.clock.at(1, lambda: unreachable(world, "PutItem"))
    transcript = tmp_path / "transcript"
    seen = run_ops(world, capsys, *COMMAND, environment=UPDATE | {"OPS_TRANSCRIPT": str(transcript)})
    assert seen.code == (1 if exit_code else 0)
    assert ("the migration failed: exit code 3" in seen.err) == bool(exit_code)
    assert "does not know what was migrated" in transcript.read_text()
    assert applied(world) is None


@pytest.mark.parametrize("exit_code", [0, 3])
@pytest.mark.parametrize("operation", ["GetItem", "PutItem"])
def test_by_hand_a_memory_that_cannot_be_reached_does_not_hide_the_outcome(
    world: World, capsys: pytest.CaptureFixture[str], operation: str, exit_code: int
) -> None:
    unreachable(world, operation)
    ends(world, report(FIRST), exit_code=exit_code)
    seen = migrate(world, capsys, within=False)
    assert seen.code == (1 if exit_code else 0)
    assert ("the migration failed: exit code 3" in seen.err) == bool(exit_code)
    assert f"permission for {operation}" in seen.out
