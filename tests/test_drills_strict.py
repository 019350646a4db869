"""Scenarios of drills, played with a stack and users of the tests' own: what must turn each of them red."""

from __future__ import annotations

import dataclasses
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Self

import pytest

from rehearsal.drills import bad_releases, interrupted, outages, rollback, rolling, stage
from rehearsal.drills.drill import Drill, Outcome, play
from rehearsal.drills.stage import Stage, Update
from rehearsal.state import Tally
from tests.drill_fakes import LIVE, stage_at
from tests.failing_server import FailingServer, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GOOD, BAD = LIVE.release, "sha256:two"
# Longer than a busy machine lets a user wait; shorter than the users stay.
MOMENT = 0.4


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FailingServer]:
    monkeypatch.setattr(stage, "LEAD_SECONDS", 2 * MOMENT)
    monkeypatch.setattr(rollback, "AFTERWARDS_SECONDS", 2 * MOMENT)
    monkeypatch.setattr(outages, "CALM_SECONDS", 2 * MOMENT)
    monkeypatch.setattr(Stage, "serves", lambda *_, **__: True)
    monkeypatch.setattr(Stage, "build", lambda *_: BAD)
    with serving() as made:
        yield made


def _ended(error: str = "") -> Update:
    return Update(error=error, seconds=0, ended=time.monotonic(), tally=Tally())


def _later(server: FailingServer, release: str) -> None:
    """For a moment, some time from now, another release answers."""

    def flicker() -> None:
        time.sleep(MOMENT / 2)
        before, server.release = server.release, release
        time.sleep(MOMENT)
        server.release = before

    threading.Thread(target=flicker, daemon=True).start()


def _play(server: FailingServer, scenario: Callable[[Stage], str]) -> Outcome:
    return play(Drill(name="drill", scenario=scenario), stage_at(server.port))


def _live(on: Stage, server: FailingServer, release: str) -> Update:
    server.release = release
    on.updater.live = dataclasses.replace(LIVE, release=release)
    return _ended()


@pytest.mark.parametrize("flickers", [False, True])
def test_a_rollback_after_whose_end_the_bad_release_answers_is_red(
    server: FailingServer, monkeypatch: pytest.MonkeyPatch, *, flickers: bool
) -> None:
    assert rollback.ROLLBACK_SECONDS <= 15, "what the documentation claims"

    def operate(*_: str) -> subprocess.CompletedProcess[str]:
        time.sleep(MOMENT)
        server.release = GOOD
        time.sleep(MOMENT)
        if flickers:
            _later(server, BAD)
        return subprocess.CompletedProcess([], 0, "", "")

    monkeypatch.setattr(Stage, "deploy_good", lambda on: _live(on, server, BAD))
    monkeypatch.setattr(Stage, "operate", operate)
    monkeypatch.setattr(Stage, "update", lambda *_: _ended(f"ops guard: release {BAD} is denied, by me: a drill"))
    monkeypatch.setattr(rollback, "next_is_green", lambda _: 1.0)
    outcome = _play(server, rollback.rollback_by_hand)
    assert outcome.ok is not flickers, outcome.detail
    assert not flickers or f"{BAD} still answered after" in outcome.detail


def test_users_stay_long_enough_after_a_rollback_to_see_whether_it_lasts() -> None:
    assert rollback.AFTERWARDS_SECONDS >= 5


@pytest.mark.parametrize("flickers", [False, True])
@pytest.mark.parametrize(
    "scenario",
    [bad_releases.next_is_green, rolling.rolling_update_once, rolling.slow_start],
    ids=lambda it: it.__name__,
)
def test_an_update_after_whose_end_the_release_before_answers_is_red(
    server: FailingServer, monkeypatch: pytest.MonkeyPatch, scenario: Callable[[Stage], object], *, flickers: bool
) -> None:
    def update(on: Stage, *_: object) -> Update:
        made = _live(on, server, BAD)
        if flickers:
            _later(server, GOOD)
        time.sleep(MOMENT / 3)
        return dataclasses.replace(made, ended=time.monotonic())

    monkeypatch.setattr(rolling, "BOOT_SECONDS", -1)
    monkeypatch.setattr(Stage, "deploy_good", update)
    monkeypatch.setattr(Stage, "update", update)
    outcome = _play(server, lambda on: str(scenario(on)))
    assert outcome.ok is not flickers, outcome.detail
    assert not flickers or f"{GOOD} still answered after" in outcome.detail


class _Watch:
    """ECS has given the deployment up this moment."""

    def __init__(self, **_: object) -> None:
        self.given_up_at = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing was started."""


@pytest.mark.parametrize(
    ("cause", "ok"),
    [
        ("its tasks crash: exit code 1 (Essential container in task exited)", True),
        ("its tasks never got healthy", False),
        ("its tasks crash: exit code 137 (Essential container in task exited)", False),
    ],
)
def test_a_crash_for_another_cause_is_red_although_every_failure_mentions_exit_code_1(
    server: FailingServer, monkeypatch: pytest.MonkeyPatch, cause: str, *, ok: bool
) -> None:
    told = (
        f"`ops verify` ended with exit code 1:\ncause: rolled back by the circuit breaker, because {cause}\n"
        "  web/1 pactum: cannot import name settings\n  its tasks crash: exit code 1 (says the log)"
    )
    monkeypatch.setattr(Stage, "update", lambda *_: _ended(told))
    monkeypatch.setattr(bad_releases, "RolloutWatch", _Watch)
    monkeypatch.setattr(bad_releases, "next_is_green", lambda _: 1.0)
    outcome = _play(server, bad_releases.crash_at_boot)
    assert outcome.ok is ok, outcome.detail
    assert ok or "the cause does not name its tasks crash: exit code 1" in outcome.detail


class _Attached:
    """An update in another process, as a drill sees it."""

    is_held = True
    ended = False
    output = "what it wrote"

    def kill(self) -> None:
        """It is dead."""

    def end(self) -> None:
        """It is dead."""


@pytest.mark.parametrize(
    ("scenario", "wrote", "asleep", "ok"),
    [
        (interrupted.killed_before_service, "task is RUNNING\nmigrated: sha256:two\n", "0", True),
        (interrupted.killed_before_service, "task is RUNNING\n", "0", False),
        (interrupted.killed_during_migration, "task is RUNNING\n", "1", True),
        (interrupted.killed_during_migration, "task is RUNNING\n", "0", False),
        (interrupted.killed_during_migration, "", "1", False),
    ],
)
def test_an_update_is_killed_at_the_moment_that_the_drill_names_and_at_no_other(
    server: FailingServer,
    monkeypatch: pytest.MonkeyPatch,
    scenario: Callable[[Stage], str],
    wrote: str,
    asleep: str,
    *,
    ok: bool,
) -> None:
    monkeypatch.setattr(interrupted, "MOMENT_SECONDS", 0.3)
    monkeypatch.setattr(Stage, "attached_update", lambda *_, **__: _Attached())
    monkeypatch.setattr(Stage, "operations", lambda *_, **__: wrote)
    monkeypatch.setattr(Stage, "container", lambda *_: "database")
    monkeypatch.setattr(Stage, "docker", lambda *_: f"{asleep}\n")
    monkeypatch.setattr(Stage, "update", lambda on, _: _live(on, server, BAD))
    outcome = _play(server, scenario)
    assert outcome.ok is ok, outcome.detail
    assert ok or "did not come to the moment" in outcome.detail


def test_an_update_that_is_run_again_must_serve_from_its_end_on(
    server: FailingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def update(on: Stage, _: str) -> Update:
        made = _live(on, server, BAD)
        _later(server, GOOD)
        return made

    monkeypatch.setattr(Stage, "attached_update", lambda *_, **__: _Attached())
    monkeypatch.setattr(Stage, "operations", lambda *_, **__: "migrated: sha256:two")
    monkeypatch.setattr(Stage, "update", update)
    outcome = _play(server, interrupted.killed_before_service)
    assert not outcome.ok
    assert f"{GOOD} still answered after" in outcome.detail


@pytest.mark.parametrize(
    ("failing", "told"),
    [("", ""), ("early", "before the task's end"), ("late", "s after the task's end"), ("many", "costs more than")],
)
def test_a_lost_task_that_costs_users_more_than_a_moment_is_red(
    server: FailingServer, monkeypatch: pytest.MonkeyPatch, failing: str, told: str
) -> None:
    assert outages.LOST_TASK_SECONDS <= 3, "what the documentation claims"
    assert outages.LOST_SHARE <= 0.05
    if failing in {"early", "late"}:
        monkeypatch.setattr(outages, "LOST_SHARE", 1.0)
    if failing == "late":
        monkeypatch.setattr(outages, "LOST_TASK_SECONDS", MOMENT / 3)
    alive = ["one", "two"]

    def docker(*_: str) -> str:
        server.status = 502 if failing in {"late", "many"} else 200
        time.sleep(MOMENT)
        server.status = 200
        alive[:] = ["two", "three"]
        return ""

    def container_of(*_: str) -> str:
        if failing == "early":
            server.status = 502
            time.sleep(MOMENT)
            server.status = 200
            time.sleep(MOMENT / 3)
        return "container"

    monkeypatch.setattr(Stage, "tasks", lambda _: list(alive))
    monkeypatch.setattr(Stage, "container_of", container_of)
    monkeypatch.setattr(Stage, "docker", lambda _, *words: docker(*words))
    monkeypatch.setattr(Stage, "is_steady", lambda _: True)
    outcome = _play(server, outages.task_killed)
    assert outcome.ok is (not failing), outcome.detail
    assert told in outcome.detail
