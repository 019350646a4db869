"""The lock of an update that lives is kept: by its signs of life in the release memory, and by its process here."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING

from ops import state_lock
from ops.in_flight import this_host
from ops.release_record import Record
from tests.ops_fakes.account import Refused
from tests.ops_fakes.pulumi_state import BUCKET, GOOD, LOCK, MEDIA, ask, lock, state, world_with
from tests.ops_fakes.releases import flight

if TYPE_CHECKING:
    import pytest


def test_an_update_that_gives_signs_of_life_keeps_its_lock(capsys: pytest.CaptureFixture[str]) -> None:
    world = world_with(held=lock(), state=GOOD)
    world.remember(Record(in_flight=flight()))
    beating = dataclasses.replace(flight(), beat=4, seen_at="2026-11-22T12:00:10Z")
    world.clock.at(10, lambda: world.remember(Record(in_flight=beating)))
    seen = ask(world, capsys, "--yes")
    assert seen.code == 1
    assert "ben on elsewhere has been deploying" in seen.err
    assert "The lock was not freed" in seen.err
    assert "--despite-signs-of-life" in seen.err
    assert (BUCKET, LOCK) in world.objects


def test_it_is_freed_despite_signs_of_life_when_a_person_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    world = world_with(held=lock(), state=GOOD)
    world.remember(Record(in_flight=flight()))
    seen = ask(world, capsys, "--yes", "--despite-signs-of-life")
    assert (seen.code, world.clock.now()) == (0, 0.0)
    assert (BUCKET, LOCK) not in world.objects


def test_what_was_killed_is_watched_until_it_is_surely_dead_and_then_freed(capsys: pytest.CaptureFixture[str]) -> None:
    world = world_with(held=lock(), state=GOOD)
    world.remember(Record(in_flight=flight(seen_at="2026-11-22T11:59:55Z")))
    seen = ask(world, capsys, "--yes")
    assert seen.code == 0, seen.err
    assert world.clock.now() >= 35, "the clocks of two machines differ"
    assert world.record().in_flight is not None, "the release memory is the guard's to put right"


def test_where_no_sign_of_life_can_be_it_is_said_before_another_machines_lock_is_freed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An update gives signs of life from its guard to its verdict, and no other command of Pulumi's gives any."""
    world = world_with(held=lock(), state=GOOD)
    world.remember(Record())
    seen = ask(world, capsys, "--yes")
    assert (seen.code, world.clock.now()) == (0, 0.0)
    told, _, after = seen.out.partition("deleted")
    assert "there is no sign of life to look for, and that its holder has ended is for you to know" in told
    assert LOCK in after
    assert "no sign of life" not in ask(world_with(held=lock(), state=GOOD), capsys).out, "who only looks frees nothing"


def test_looking_does_not_wait_for_signs_of_life(capsys: pytest.CaptureFixture[str]) -> None:
    world = world_with(held=lock(), state=GOOD)
    world.remember(Record(in_flight=flight()))
    seen = ask(world, capsys)
    assert "the release memory: ben on elsewhere has been deploying" in seen.out
    assert world.clock.now() == 0


def test_a_first_update_killed_before_it_made_the_release_memory_can_be_freed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    world = world_with(held=lock(), state=GOOD)
    world.records_exist = False
    seen = ask(world, capsys, "--yes")
    assert seen.code == 0, seen.err
    assert "no sign of life is known: there is no DynamoDB table" in seen.out


def test_a_release_memory_that_may_not_be_read_frees_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    def refuse() -> None:
        raise Refused("AccessDeniedException", "not authorized")

    world = world_with(held=lock(), state=GOOD)
    world.before["GetItem"] = refuse
    assert ask(world, capsys, "--yes").code == 2
    assert (BUCKET, LOCK) in world.objects, "whether the update lives is unknown"


def test_a_release_memory_that_cannot_be_understood_frees_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither when it is asked at first nor while what is in flight is watched."""
    for after_seconds in (0, 5):
        world = world_with(held=lock(), state=GOOD)
        world.remember(Record(in_flight=flight()))
        item = world.items["pactum-staging-releases", "staging"]
        if after_seconds:
            world.clock.at(after_seconds, lambda item=item: item.update(record={"S": "{"}))  # type: ignore[misc]
        else:
            item["record"] = {"S": "{"}
        seen = ask(world, capsys, "--yes")
        assert seen.code == 2
        assert "the release memory cannot be read" in seen.err
        assert "signs-of-life" not in seen.err, "nothing was seen to live"
        assert (BUCKET, LOCK) in world.objects


def test_a_process_of_this_machine_that_runs_keeps_its_lock(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_lock, "_runs", lambda pid: pid == os.getpid())
    world = world_with(held=lock(host=this_host(), pid=os.getpid()), state=state(("creating", MEDIA)))
    shown = ask(world, capsys).out
    assert "a process of this machine that runs: wait for it, or interrupt it once" in shown
    assert f"under way: creating {MEDIA}\n" in shown
    assert "clear-pending-creates" not in shown, "it has not been interrupted"
    seen = ask(world, capsys, "--yes")
    assert seen.code == 1
    assert f"kill -INT {os.getpid()}" in seen.err
    assert (BUCKET, LOCK) in world.objects
    assert ask(world, capsys, "--yes", "--despite-signs-of-life").code == 0
