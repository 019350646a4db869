"""Drills: what users met decides, whatever else happens; and every drill says what it proves."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from rehearsal.drills import rollout_watch, stage
from rehearsal.drills.catalogue import DRILLS, SHORT
from rehearsal.drills.drill import Drill, DrillError, expect, play
from rehearsal.drills.rollout_watch import RolloutWatch
from rehearsal.drills.stage import Stage, Update
from rehearsal.emulator_process import EmulatorEndedError
from rehearsal.errors import RehearsalError
from rehearsal.load import Load
from rehearsal.place import PROJECT_ROOT, Place
from rehearsal.state import Tally
from rehearsal.updater import Updater
from tests.drill_fakes import LIVE, FakeStage, stage_at, until
from tests.failing_server import FailingServer, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FailingServer]:
    monkeypatch.setattr(stage, "LEAD_SECONDS", 0.5)
    with serving() as made:
        yield made


def _ask(on: Stage) -> str:
    """Users may not notice."""
    with on.load(users=2, requests_per_second=50) as load:
        time.sleep(0.2)
    expect(load.failed == 0, load.verdict())
    return "nobody noticed"


def test_a_drill_in_which_every_request_is_answered_is_ok(server: FailingServer) -> None:
    outcome = play(Drill(name="ask", scenario=_ask), stage_at(server.port))
    assert outcome.ok
    assert outcome.detail == "nobody noticed"
    assert outcome.requests > 0
    assert outcome.failed == 0
    assert outcome.seconds >= 1, "users ask before, while and after"


def test_a_drill_turns_red_when_requests_fail(server: FailingServer) -> None:
    server.status = 503
    outcome = play(Drill(name="ask", scenario=_ask), stage_at(server.port))
    assert not outcome.ok, "what users met decides"
    assert outcome.failed == outcome.requests > 0
    assert "answered 503" in outcome.detail
    assert outcome.entry().keys() == {"name", "ok", "requests", "failed", "seconds", "detail"}


@pytest.mark.parametrize("error", [RehearsalError("no image"), OSError("nobody listens"), KeyError("odd")])
def test_whatever_fails_in_a_drill_is_its_outcome_and_the_stack_is_brought_back(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Place, "scratch", property(lambda _: tmp_path))

    def scenario(_: Stage) -> str:
        raise error

    before = FakeStage.recovered
    outcome = play(Drill(name="broken", scenario=scenario), stage_at(1))
    assert not outcome.ok
    assert str(error) in outcome.detail
    assert FakeStage.recovered == before + 1, "the next drill needs a healthy stack"


def test_a_drill_that_leaves_a_broken_stack_is_red() -> None:
    broken = stage_at(1)
    broken.problem = DrillError("nothing serves")
    outcome = play(Drill(name="quiet", scenario=lambda _: "fine"), broken)
    assert not outcome.ok
    assert outcome.detail.startswith("fine\nAfterwards the stack could not be brought back: nothing serves")


def test_a_drill_whose_users_asked_nothing_is_red(server: FailingServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Load, "_ask", lambda *_: None)
    outcome = play(Drill(name="ask", scenario=_ask), stage_at(server.port))
    assert not outcome.ok, "0 of 0 failed proves nothing"
    assert "Users asked nothing" in outcome.detail


def test_a_drill_whose_users_asked_on_kept_connections_only_is_red(server: FailingServer) -> None:
    def scenario(on: Stage) -> str:
        with on.load(users=2), on.load(users=1):
            time.sleep(0.2)
        return "nobody noticed"

    outcome = play(Drill(name="ask", scenario=scenario), stage_at(server.port))
    assert not outcome.ok, "a new connection may find what a kept one does not, and the other way round"
    assert outcome.failed == 0
    assert "Users must ask on connections they keep and on fresh ones" in outcome.detail
    assert outcome.detail.endswith("0 on fresh ones."), "each load is told"


def test_without_an_emulator_no_drill_is_judged() -> None:
    def scenario(_: Stage) -> str:
        raise EmulatorEndedError("gone")

    with pytest.raises(EmulatorEndedError):
        play(Drill(name="broken", scenario=scenario), stage_at(1))


def test_a_stack_that_does_not_serve_is_updated_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    updates: list[str] = []

    def update(_: Stage, digest: str) -> Update:
        updates.append(digest)
        return Update(error="", seconds=1, ended=1, tally=Tally())

    made = Stage(updater=stage_at(1).updater)
    monkeypatch.setattr(Updater, "take_outputs", lambda _: None)
    monkeypatch.setattr(Stage, "update", update)
    monkeypatch.setattr(Stage, "is_steady", lambda _: True)
    monkeypatch.setattr(Stage, "serves", lambda *_, **__: True)
    made.recover()
    assert updates == [], "a healthy stack is left alone"
    monkeypatch.setattr(Stage, "serves", lambda *_, **__: False)
    made.recover()
    assert updates == [LIVE.release]


def test_a_drill_waits_until_the_errors_of_the_one_before_are_out_of_the_alarms(
    server: FailingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[str] = []
    wait = Stage.wait

    def recorded(on: Stage, condition: Callable[[], object], what: str, *, seconds: float) -> float:
        waited.append(what)
        return wait(on, condition, what, seconds=seconds)

    monkeypatch.setattr(stage, "ALARM_SECONDS", 2.0)
    monkeypatch.setattr(Stage, "wait", recorded)
    monkeypatch.setattr(Stage, "service", lambda _: {})
    made = stage_at(server.port)
    made.begin()
    assert waited == [], "without errors there is nothing to wait for"
    server.status = 500
    with made.load(users=2) as load:
        until(lambda: load.failed > 0)
    made.end()
    last = load.failures_between(0)[-1].at
    made.begin(calm=False)
    assert waited == [], "where nothing is rolled out, alarms fail nothing"
    made.begin()
    assert time.monotonic() - last >= 2, "an alarm raised by them would fail the next drill's rollout"
    assert made.loads == []


class _Ecs:
    """Deployments as ECS lists them; the new one is given up after some looks, by FAILED or by words."""

    def __init__(self, fails_after: int, *, state: str, says: str) -> None:
        self.looks, self.fails_after, self.state, self.says = 0, fails_after, state, says

    def describe_services(self, **_: Any) -> dict[str, Any]:
        self.looks += 1
        over = self.looks > self.fails_after
        new = {"id": "new", "rolloutState": self.state if over else "IN_PROGRESS", "rolloutStateReason": "new"}
        before = {"id": "before", "rolloutState": "IN_PROGRESS" if over and self.says else "COMPLETED"}
        # An earlier rollback's words may stay.
        before |= {"status": "PRIMARY", "rolloutStateReason": self.says}
        older = {"id": "yesterday's", "rolloutState": "FAILED"}
        return {"services": [{"deployments": [before, new, older]}]}


@pytest.mark.parametrize(
    ("state", "says", "reason"),
    [
        ("FAILED", "", "new"),
        ("IN_PROGRESS", "circuit breaker: rolling back to deploymentId before.", "circuit breaker: rolling back"),
    ],
)
def test_the_moment_at_which_ecs_gives_up_is_failed_or_its_word_that_it_rolls_back(
    monkeypatch: pytest.MonkeyPatch, state: str, says: str, reason: str
) -> None:
    ecs = _Ecs(fails_after=3, state=state, says=says)
    monkeypatch.setattr(rollout_watch, "emulator_client", lambda *_: ecs)
    with RolloutWatch(updater=stage_at(1).updater) as watch:
        until(lambda: watch.given_up_at is not None)
    assert ecs.looks == 4, "an earlier deployment's failure is not this one's, and the first sign is the moment"
    assert watch.reason.startswith(reason)


def test_what_ecs_says_last_is_seen_although_the_update_saw_it_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollout_watch, "emulator_client", lambda *_: _Ecs(fails_after=1, state="FAILED", says=""))
    monkeypatch.setattr(rollout_watch, "POLL_SECONDS", 600.0)
    with RolloutWatch(updater=stage_at(1).updater) as watch:
        assert watch.given_up_at is None
    assert watch.given_up_at is not None, "the watch must not end a moment too early"


def test_every_drill_says_what_it_proves_under_a_name_of_its_own() -> None:
    names = [drill.name for drill in DRILLS]
    assert len(set(names)) == len(names)
    assert all(drill.proves.endswith(".") for drill in (*DRILLS, *SHORT))
    assert [drill.bake_seconds > 0 for drill in DRILLS] == sorted(drill.bake_seconds > 0 for drill in DRILLS), (
        "those that share an emulator stand together: each other one costs a fresh rehearsal"
    )


def test_releases_that_drills_deploy_are_there() -> None:
    built = {"good", "slow_start", "crashes_at_boot", "never_healthy", "failing_migration", "altering_migration"}
    built |= {"slow_migration", "errors_later", "troubled"}
    there = {path.parent.name for path in (PROJECT_ROOT / "tests/releases").glob("*/Dockerfile")}
    assert built == there, "a release no drill deploys is not tried by anybody"
