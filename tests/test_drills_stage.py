"""The stage of drills: how it is brought back where a drill leaves it in pieces."""

from __future__ import annotations

import pytest

from rehearsal.drills import migrations
from rehearsal.drills.drill import DrillError
from rehearsal.drills.stage import Stage, Update
from rehearsal.state import Tally
from tests.drill_fakes import LIVE, FakeStage, stage_at


def test_a_stack_whose_last_release_is_refused_returns_to_what_the_service_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    updates: list[str] = []

    def update(_: Stage, digest: str) -> Update:
        updates.append(digest)
        error = "ops guard: release sha256:one is denied" if digest == LIVE.release else problem
        return Update(error=error, seconds=1, ended=1, tally=Tally())

    made = Stage(updater=stage_at(1).updater)
    monkeypatch.setattr(type(made.updater), "take_outputs", lambda _: None)
    monkeypatch.setattr(Stage, "serves", lambda *_, **__: False)
    monkeypatch.setattr(Stage, "running", "sha256:running")
    monkeypatch.setattr(Stage, "update", update)
    problem = ""
    made.recover()
    assert updates == [LIVE.release, "sha256:running"], "after a rollback by hand the outputs name a denied release"
    problem = "no capacity"
    with pytest.raises(DrillError, match=r"is denied\nno capacity"):
        made.recover()


def test_the_release_that_a_service_runs_is_that_of_its_task_definition(monkeypatch: pytest.MonkeyPatch) -> None:
    class Ecs:
        def describe_task_definition(self, **options: str) -> object:
            assert options == {"taskDefinition": "arn:web:7"}
            container = {"name": "web", "environment": [{"name": "RELEASE", "value": "sha256:running"}]}
            return {"taskDefinition": {"containerDefinitions": [container]}}

    class Tools:
        def client(self, _: str) -> Ecs:
            return Ecs()

    made = FakeStage(updater=stage_at(1).updater)
    monkeypatch.setattr(Stage, "service", lambda _: {"taskDefinition": "arn:web:7"})
    monkeypatch.setattr(made.updater, "_tools", Tools())
    assert made.running == "sha256:running"


def test_a_lock_that_a_drill_did_not_see_granted_is_taken_away_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def docker(_: Stage, *words: str) -> str:
        asked.append(" ".join(words))
        return "0"

    def wait(*_: object, **__: object) -> float:
        raise DrillError("the drill's session did not get its lock")

    monkeypatch.setattr("rehearsal.drills.stage.LEAD_SECONDS", 0.0)
    monkeypatch.setattr(Stage, "build", lambda *_: "sha256:two")
    monkeypatch.setattr(Stage, "container", lambda *_: "database")
    monkeypatch.setattr(Stage, "docker", docker)
    monkeypatch.setattr(Stage, "wait", wait)
    with pytest.raises(DrillError, match="did not get its lock"):
        migrations.blocked_migration(stage_at(1))
    assert "LOCK TABLE" in asked[0]
    assert "pg_terminate_backend" in asked[-1], "it would block every later migration"
