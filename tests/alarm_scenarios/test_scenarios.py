"""The issue's scenarios, against the alarms that the program registers for production."""

from __future__ import annotations

import pytest

from tests.alarm_scenarios.registered import Registered, registered
from tests.alarm_scenarios.scenarios import SCENARIOS, Scenario, play


@pytest.fixture(scope="module")
def stack() -> Registered:
    return registered("prod")


PLAYED = [(scenario, late) for scenario in SCENARIOS for late in ((0, 1) if scenario.late_too else (0,))]


@pytest.mark.parametrize(("scenario", "late_minutes"), PLAYED, ids=lambda part: getattr(part, "name", part))
def test_a_scenario_tells_whom_it_must_in_time_and_nobody_else(
    stack: Registered, scenario: Scenario, late_minutes: int
) -> None:
    told = {one.label: one for one in play(scenario, stack, late_minutes)}
    for label, limit in scenario.within.items():
        assert label in told, f"{label} must be raised, told were {sorted(told)}"
        assert told[label].after <= limit + late_minutes, f"{label} came after {told[label].after} minutes"
        assert told[label].after > 0, f"{label} was raised before anything happened"
    assert scenario.only is None or told.keys() <= scenario.only, "nobody need be told of that"
    for one in told.values():
        assert one.audience != "pages" or one.cleared is not None, f"{one.label} must tell that it is over"
        assert one.times == 1, f"{one.label} told the same {one.times} times: who is told too often stops to read"


def test_total_outages_and_zero_tasks_page_within_three_minutes_even_of_late_numbers(stack: Registered) -> None:
    outages = [one for one in SCENARIOS if one.name.startswith(("total outage", "zero tasks"))]
    assert len(outages) == 3
    for scenario in outages:
        first = next(one for one in play(scenario, stack, late_minutes=1) if one.audience == "pages")
        assert first.after <= 3, f"{scenario.name}: {first.label} came after {first.after} minutes"
