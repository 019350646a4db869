"""The drill `trouble-reaches-people`: silence, or a step of the way that is missing, makes it red."""

from __future__ import annotations

import json
import subprocess
import time
from types import SimpleNamespace
from typing import Any

import pytest

from rehearsal.drills import alarms
from rehearsal.drills.drill import Drill, Outcome, play
from rehearsal.drills.inbox import Message
from rehearsal.drills.stage import Stage, Update
from rehearsal.state import Tally
from rehearsal.updater import Updater
from tests.drill_fakes import stage_at

DESCRIPTION = "It is bad.\nLook first: here\nRunbook: docs/runbooks/exceptions.md\nDashboard: here, service"
LINE = {"level": "ERROR", "exception": f"Traceback: RuntimeError: {alarms.SAID}"}


class _Inbox:
    """Alarms that tell people at once, but for those that are silent."""

    silent: frozenset[tuple[str, str]] = frozenset()

    def __init__(self, **_: object) -> None:
        """There is nothing to subscribe to."""

    def open(self) -> None:
        """It is open."""

    def alarm(self, label: str) -> dict[str, Any]:
        metric = {"Metric": {"Namespace": "pactum/staging", "MetricName": "UnhandledExceptions"}}
        return {"AlarmName": label, "Threshold": 0.01, "Metrics": [{"MetricStat": metric}]}

    def told(self, alarm: str, state: str) -> Message | None:
        if (alarm, state) in self.silent:
            return None
        said = {"description": DESCRIPTION, "reason": "Threshold Crossed: 1 out of 1"}
        return Message(alarm=alarm, state=state, at=time.monotonic(), **said)


class _Cloud:
    """A log with one line, and a metric that counted once."""

    lines: tuple[dict[str, str], ...] = (LINE,)
    counted = 1.0

    def client(self, _: str) -> _Cloud:
        return self

    def filter_log_events(self, **_: object) -> dict[str, Any]:
        return {"events": [{"message": json.dumps(line)} for line in self.lines]}

    def get_metric_statistics(self, **_: object) -> dict[str, Any]:
        return {"Datapoints": [{"Sum": self.counted}]}


@pytest.fixture(autouse=True)
def cloud(monkeypatch: pytest.MonkeyPatch) -> type[_Cloud]:
    """A release that is deployed in an instant, whose page raises and whose job fails."""
    cloud = type("Cloud", (_Cloud,), {})
    monkeypatch.setattr(_Inbox, "silent", frozenset())
    monkeypatch.setattr(alarms, "Inbox", _Inbox)
    monkeypatch.setattr(Updater, "tools", property(lambda _: cloud()))
    monkeypatch.setattr(Stage, "build", lambda _, release: release)
    monkeypatch.setattr(Stage, "update", lambda *_: Update(error="", seconds=0, ended=0, tally=Tally()))
    _answer(monkeypatch, 500)
    _job_ends(monkeypatch, alarms.FAILED)
    for name in ("EXCEPTION_SECONDS", "JOB_FAILED_SECONDS", "SLOW_SECONDS", "OVERDUE_SECONDS", "OVER_SECONDS"):
        assert getattr(alarms, name) <= 7 * 60, "people wait for it"
        monkeypatch.setattr(alarms, name, 0.2)
    return cloud


def _answer(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    def get(_: str) -> SimpleNamespace:
        time.sleep(0.01)
        return SimpleNamespace(status=status)

    monkeypatch.setattr(alarms, "BalancerClient", lambda **_: SimpleNamespace(get=get))


def _job_ends(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def operate(_: Stage, *words: str) -> subprocess.CompletedProcess[str]:
        assert words == ("run", "--job", "failing")
        return subprocess.CompletedProcess(words, code, "", "said on stderr")

    monkeypatch.setattr(Stage, "operate", operate)


def _play() -> Outcome:
    return play(Drill(name="trouble", scenario=alarms.trouble_reaches_people), stage_at(1))


def test_the_drill_tells_after_how_long_people_were_told() -> None:
    outcome = _play()
    assert outcome.ok, outcome.detail
    assert outcome.detail.startswith("told after: exception 0 s, failed job 0 s, slow page 0 s")


@pytest.mark.parametrize(
    "silent",
    [
        ("exceptions", "ALARM"),
        ("job-failed-failing", "ALARM"),
        ("slow-p95", "ALARM"),
        ("slow-p95", "OK"),
        ("job-overdue-idle", "ALARM"),
    ],
)
def test_silence_is_red(monkeypatch: pytest.MonkeyPatch, silent: tuple[str, str]) -> None:
    monkeypatch.setattr(_Inbox, "silent", frozenset({silent}))
    monkeypatch.setattr(alarms, "OVERDUE_SECONDS", 2)
    outcome = _play()
    assert not outcome.ok
    assert f"nobody was told {'of' if silent[1] == 'ALARM' else 'that'} {silent[0]}" in outcome.detail


@pytest.mark.parametrize(
    ("lines", "counted", "words"),
    [
        ((), 1.0, "0 lines"),
        ((LINE, LINE), 1.0, "2 lines"),
        (({**LINE, "level": "INFO"},), 1.0, "0 lines"),
        (({"level": "ERROR"},), 1.0, "0 lines"),
        ((LINE,), 2.0, "counted 2 exceptions instead of 1"),
    ],
)
def test_an_exception_is_one_line_and_counted_once(
    cloud: type[_Cloud], lines: tuple[dict[str, str], ...], counted: float, words: str
) -> None:
    cloud.lines, cloud.counted = lines, counted
    outcome = _play()
    assert not outcome.ok
    assert words in outcome.detail


def test_a_page_that_does_not_raise_and_a_job_that_does_not_fail_are_red(monkeypatch: pytest.MonkeyPatch) -> None:
    _answer(monkeypatch, 200)
    assert "/drill/raises answered 200" in _play().detail
    _answer(monkeypatch, 500)
    _job_ends(monkeypatch, 0)
    assert "`ops run` ended with 0: said on stderr" in _play().detail, "what the drill proves did not happen"
