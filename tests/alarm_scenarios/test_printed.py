"""`make alarm-scenarios`: the table that the documentation takes its figures from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.alarm_scenarios import __main__ as printed
from tests.alarm_scenarios.scenarios import SCENARIOS

if TYPE_CHECKING:
    import pytest


def test_each_scenario_is_a_row_that_says_who_was_told_first(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("zero tasks, no traffic", "one error at night")
    monkeypatch.setattr(printed, "SCENARIOS", [one for one in SCENARIOS if one.name in names])
    assert printed.main(["prod"]) == 0
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in capsys.readouterr().out.splitlines()]
    assert rows[0] == list(printed.HEADINGS)
    zero, error = rows[2:]
    assert zero[:4] == ["zero tasks, no traffic", "not-ready (page)", "not-ready, 2 min", "3 min"]
    assert error == ["one error at night", "nobody", "-", "-", "-"]


def test_a_stack_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed.main(["qa"]) == 2
    assert "Pulumi.qa.yaml" in capsys.readouterr().err
