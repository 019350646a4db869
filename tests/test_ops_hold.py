"""A hold: a person's word that a stack is not to be updated, and who said it."""

from __future__ import annotations

import dataclasses
import json

import pytest

from ops.__main__ import main
from ops.release_record import Decision, Record
from tests.ops_fakes.releases import PAST, flight
from tests.ops_fakes.world import World, run_ops

HOLD = Decision(who="eva", at="2026-11-22T11:00:00Z", reason="release party")
COMMAND = ("hold", "--stack", "staging", "--reason", "the  database\nis being moved")


def test_a_hold_says_who_when_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    world = World()
    world.remember(PAST)
    seen = run_ops(world, capsys, *COMMAND)
    assert seen.code == 0, seen.err
    expected = Decision(who="tester", at="2026-11-22T12:00:00Z", reason="the database is being moved")
    assert world.record() == dataclasses.replace(PAST, hold=expected)
    assert "on hold, by tester at 2026-11-22T12:00:00Z: the database is being moved" in seen.out


@pytest.mark.parametrize("reason", [(), ("--reason", " "), ("--reason", "x" * 501)], ids=["none", "blank", "a novel"])
def test_a_hold_needs_a_reason(reason: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["hold", "--stack", "staging", *reason])
    assert ended.value.code == 2


def test_a_second_hold_with_another_reason_replaces_the_first_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    world = World()
    world.remember(Record(hold=HOLD))
    seen = run_ops(world, capsys, *COMMAND)
    assert seen.code == 0
    assert "is being moved; this replaces the hold by eva at 2026-11-22T11:00:00Z: release party" in seen.out
    assert (world.record().hold or HOLD).reason == "the database is being moved"


def test_a_second_hold_with_the_same_reason_leaves_the_first_as_it_is_and_shows_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    world = World()
    world.remember(Record(hold=HOLD))
    seen = run_ops(world, capsys, *COMMAND[:-1], HOLD.reason)
    assert seen.code == 0
    assert "was on hold already, by eva at 2026-11-22T11:00:00Z: release party" in seen.out
    assert world.record().hold == HOLD


def test_a_hold_says_that_it_does_not_stop_what_is_in_flight(capsys: pytest.CaptureFixture[str]) -> None:
    world = World()
    world.remember(Record(in_flight=flight()))
    assert "does not stop what is in flight: ben" in run_ops(world, capsys, *COMMAND).out
    assert world.record().in_flight == flight()


def test_unhold_lifts_it_and_shows_whose_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    world = World()
    world.remember(dataclasses.replace(PAST, hold=HOLD))
    seen = run_ops(world, capsys, "unhold", "--stack", "staging", "--json")
    assert json.loads(seen.out)["lifted"]["reason"] == "release party"
    assert world.record() == PAST


def test_unhold_of_a_stack_that_is_not_on_hold_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    world = World()
    seen = run_ops(world, capsys, "unhold", "--stack", "staging")
    assert (seen.code, world.asked("PutItem")) == (0, [])
    assert "was not on hold" in seen.out


def test_unhold_does_not_lift_another_hold_that_was_put_on_meanwhile(capsys: pytest.CaptureFixture[str]) -> None:
    """It was shown to nobody."""
    world = World()
    world.remember(Record(hold=HOLD))
    other = dataclasses.replace(HOLD, who="ben", reason="an incident")
    reads = iter(range(10))
    world.after_read = lambda: world.remember(Record(hold=other)) if next(reads) == 0 else None
    run_ops(world, capsys, "unhold", "--stack", "staging")
    assert world.record().hold == other


@pytest.mark.parametrize("command", [COMMAND, ("unhold", "--stack", "staging")], ids=["hold", "unhold"])
def test_a_dry_run_changes_nothing(command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    world = World()
    world.remember(Record(hold=None if command == COMMAND else HOLD))
    seen = run_ops(world, capsys, *command, "--dry-run")
    assert seen.code == 0
    assert "would" in seen.out
    assert not world.asked("PutItem")


def test_a_pipeline_is_named_as_the_pipeline_names_who_started_it(capsys: pytest.CaptureFixture[str]) -> None:
    world = World()
    run_ops(world, capsys, *COMMAND, environment={"GITLAB_USER_LOGIN": "ana"})
    assert world.record().hold is not None
    assert (world.record().hold or HOLD).who == "ana"
