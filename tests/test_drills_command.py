"""`python -m rehearsal drills`: a failed drill stops no other and fails the run, and the report has them all."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Self

import pytest

from rehearsal import __main__ as command_line
from rehearsal.docker_client import DockerClient
from rehearsal.drills import command
from rehearsal.drills.catalogue import DRILLS, chosen
from rehearsal.drills.drill import Drill, DrillError
from rehearsal.errors import RehearsalError
from rehearsal.place import Place
from rehearsal.report import Report
from tests.drill_fakes import LIVE, FakeStage

if TYPE_CHECKING:
    from pathlib import Path

    from rehearsal.drills.stage import Stage


def test_drills_are_chosen_by_name_and_an_unknown_one_is_told() -> None:
    assert chosen([]) == list(DRILLS)
    names = ["rollback-by-hand", "crash-at-boot"]
    assert [drill.name for drill in chosen(names)] == ["crash-at-boot", "rollback-by-hand"], "in the catalogue's order"
    with pytest.raises(RehearsalError, match="There is no drill `coffee`") as raised:
        chosen(["coffee"])
    assert "crash-at-boot" in str(raised.value)


def test_the_drills_are_listed_with_what_they_prove(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["drills", "--list"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert all(drill.name in said and drill.proves in said for drill in DRILLS)


class _Rehearsal:
    """A rehearsal that starts nothing."""

    bakes: list[str | None] = []  # noqa: RUF012
    overrides: list[dict[str, str]] = []  # noqa: RUF012
    delays: list[str | None] = []  # noqa: RUF012
    up_fails = False

    def __init__(self, **options: Any) -> None:
        self.report, self.place = Report(stack=options["stack"]), options["place"]
        self.overrides.append(options["overrides"])
        self.live, self.tools = LIVE, DockerClient(executable="/nonexistent")

    def __enter__(self) -> Self:
        self.bakes.append(os.environ.get(command.BAKE_VARIABLE))
        self.delays.append(os.environ.get(command.METRIC_DELAY_VARIABLE))
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to remove."""

    def bootstrap(self) -> None:
        """There is a repository."""

    def up(self) -> None:
        if self.up_fails:
            raise RehearsalError("the database did not start")


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Drills on a rehearsal that starts nothing; answers where their report is."""
    path = tmp_path / "report.json"
    monkeypatch.setattr(Place, "report", property(lambda _: path))
    monkeypatch.setattr(Place, "scratch", property(lambda _: tmp_path))
    monkeypatch.setattr(command, "Rehearsal", _Rehearsal)
    monkeypatch.setattr(_Rehearsal, "bakes", [])
    monkeypatch.setattr(_Rehearsal, "overrides", [])
    monkeypatch.setattr(_Rehearsal, "delays", [])
    monkeypatch.setattr(command, "Stage", lambda updater: FakeStage(updater=updater))
    monkeypatch.delenv(command.BAKE_VARIABLE, raising=False)
    monkeypatch.delenv(command.METRIC_DELAY_VARIABLE, raising=False)
    return path


def _failing(_: Stage) -> str:
    """Fails."""
    raise DrillError("5 of 9 requests failed\nand more of it")


def test_one_failed_drill_does_not_stop_the_others_and_fails_the_run(
    report: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    drills = [Drill(name="one", scenario=_failing), Drill(name="two", scenario=lambda _: "fine")]
    monkeypatch.setattr(command, "chosen", lambda _: drills)
    assert command_line.main(["drills"]) == 1
    written = json.loads(report.read_text())
    assert [(entry["name"], entry["ok"]) for entry in written["drills"]] == [("one", False), ("two", True)]
    assert written["drills"][0]["detail"] == "5 of 9 requests failed\nand more of it"
    assert not written["ok"]
    said = capsys.readouterr().out
    assert "1 of 2 drills failed: one." in said
    table = said.partition("requests  failed")[2]
    assert "and more of it" not in table, "the table stays a table"


@pytest.mark.parametrize(("asked", "stack"), [([], "staging"), (["--stack", "prod"], "prod")])
def test_they_are_played_on_the_stack_that_is_asked_for(
    report: Path, monkeypatch: pytest.MonkeyPatch, asked: list[str], stack: str
) -> None:
    monkeypatch.setattr(command, "chosen", lambda _: [Drill(name="one", scenario=lambda _: "fine")])
    assert command_line.main(["drills", *asked]) == 0
    assert json.loads(report.read_text())["stack"] == stack


def test_drills_that_are_all_ok_end_well(report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    baking = Drill(name="three", scenario=lambda _: "fine", bake_seconds=90, metric_delay_seconds=60)
    drills = [Drill(name="one", scenario=lambda _: "fine"), Drill(name="two", scenario=lambda _: "fine"), baking]
    monkeypatch.setattr(command, "chosen", lambda _: drills)
    assert command_line.main(["drills"]) == 0
    written = json.loads(report.read_text())
    assert written["ok"]
    assert len(written["drills"]) == 3, "those of every rehearsal, in one report"
    assert _Rehearsal.delays == [None, "60"], "where metrics come late, the alarm must see them all the same"
    assert command.METRIC_DELAY_VARIABLE not in os.environ
    assert _Rehearsal.bakes == [None, "90"], "what can share a rehearsal does; the other's alarms are watched longer"


def test_a_drill_that_asks_for_another_configuration_has_a_rehearsal_of_its_own(
    report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alike = [Drill(name=name, scenario=lambda _: "fine") for name in ("one", "two")]
    other = Drill(name="three", scenario=lambda _: "fine", overrides={"pactum:jobs": "{}"})
    monkeypatch.setattr(command, "chosen", lambda _: [*alike, other])
    assert command_line.main(["drills"]) == 0
    assert _Rehearsal.overrides == [command.OVERRIDES, {**command.OVERRIDES, "pactum:jobs": "{}"}]
    assert [entry["name"] for entry in json.loads(report.read_text())["drills"]] == ["one", "two", "three"]


def test_an_interrupted_run_keeps_what_it_has_found(report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: Stage) -> str:
        raise KeyboardInterrupt

    drills = [Drill(name="one", scenario=lambda _: "fine"), Drill(name="two", scenario=interrupted)]
    monkeypatch.setattr(command, "chosen", lambda _: drills)
    assert command_line.main(["drills"]) == command_line.EXIT_INTERRUPTED
    written = json.loads(report.read_text())
    assert [entry["name"] for entry in written["drills"]] == ["one"]
    assert written["error"] == "Interrupted."
    assert not written["ok"]
    assert not (report.parent / "traceback.log").exists(), "Ctrl-C is nobody's mistake"


def test_a_rehearsal_that_fails_is_told_with_the_drills_until_then(
    report: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "chosen", lambda _: [Drill(name="one", scenario=lambda _: "fine")])
    monkeypatch.setattr(_Rehearsal, "up_fails", True)
    assert command_line.main(["drills"]) == 1
    assert "the database did not start" in capsys.readouterr().err
    written = json.loads(report.read_text())
    assert written["error"] == "the database did not start"
    assert not written["ok"]
