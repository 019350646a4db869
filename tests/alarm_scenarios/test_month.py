"""Thirty days of a healthy stack: nobody's phone rings, though nothing is ever quite still."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rehearsal.cloudwatch.alarm import MINUTE
from rehearsal.cloudwatch.recording import Recording
from rehearsal.cloudwatch.replay import Replay
from tests.alarm_scenarios.month import DAY, DAYS, month
from tests.alarm_scenarios.registered import Registered, registered
from tests.alarm_scenarios.world import APP_ERRORS, BROKEN_OFF, SERVED, publish, traffic

if TYPE_CHECKING:
    from tests.alarm_scenarios.world import Minute

MONDAY = 1_789_948_800
FIRST_HOUR, NIGHT_MINUTES, NOON = 60, 6 * 60, 12 * 60
Raised = dict[str, list[tuple[int, int]]]
Published = tuple[list[tuple[int, "Minute"]], Recording]
# The month takes seconds; on a machine that does much else, minutes.
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def stack() -> Registered:
    return registered("prod")


@pytest.fixture(scope="module")
def published(stack: Registered) -> Published:
    minutes = list(month(seed=7))
    recording = Recording(begin=MONDAY, minutes=len(minutes))
    publish(recording, stack.alarms.values(), minutes)
    return minutes, recording


def raised(stack: Registered, recording: Recording, labels: set[str], late: int = 0) -> Raised:
    """When each of the alarms was raised: days, and minutes of the day."""
    composites = {label: stack.composites[label] for label in labels & stack.composites.keys()}
    children = {child for composite in composites.values() for child in composite.alarms}
    alarms = {label: alarm for label, alarm in stack.alarms.items() if label in labels | children}
    begin, end = MONDAY + FIRST_HOUR * MINUTE, MONDAY + DAYS * DAY * MINUTE
    changes = Replay(source=recording, begin=begin, end=end, late=late).changes(alarms, composites)
    return {
        label: [divmod((at - MONDAY) // MINUTE, DAY) for at, state in found if state == "ALARM"]
        for label, found in changes.items()
        if label in labels
    }


def number(seen: object) -> float:
    """A minute's count; no datum is nothing counted."""
    return float(seen) if isinstance(seen, int | float) else 0.0


def test_a_healthy_month_pages_nobody(stack: Registered, published: Published) -> None:
    labels = {label for label, audience in stack.telling.items() if audience == "pages"} | stack.composites.keys()
    wanted = {"availability-burn-fast", "latency-burn-slow", "no-healthy-target", "tasks-missing-web"}
    assert labels >= wanted | {"job-overdue-clear-sessions", "not-ready"}
    told = {label: times for label, times in raised(stack, published[1], labels).items() if times}
    assert told == {}, "who is woken for nothing does not get up the next time"


def test_nor_does_it_when_numbers_come_two_minutes_late(stack: Registered, published: Published) -> None:
    labels = {"no-healthy-target", "tasks-missing-web", "not-ready", "job-overdue-clear-sessions", "watch-silent"}
    assert {label: times for label, times in raised(stack, published[1], labels, late=120).items() if times} == {}


def test_the_month_is_not_too_good_to_be_true(published: Published) -> None:
    minutes = [happening for _, happening in published[0]]

    def total(key: str) -> float:
        return sum(number(one.get(key)) for one in minutes)

    assert 5_000_000 < total(SERVED) < 20_000_000
    assert 0.0001 < (total(APP_ERRORS) + total(BROKEN_OFF)) / total(SERVED) < 0.0005, "errors, within what is promised"
    deployments = sum(one.get("TasksMissing") == 2 for one in minutes) // 2
    assert deployments == 2 * 22 + 4, "two on each working day, and one a week at night"
    assert total(BROKEN_OFF) > deployments, "a deployment breaks requests off"
    nights = [one for at, one in enumerate(minutes) if at % DAY < NIGHT_MINUTES]
    assert 0 < sum(number(one[SERVED]) for one in nights) / len(nights) < 3, "quiet nights"
    assert sum(one.get("Watched", 1) is None for one in minutes) > 10, "gaps of the watch"
    assert any(one[APP_ERRORS] for one in nights), "errors at night"


def test_an_outage_in_the_middle_of_the_month_would_have_paged(stack: Registered, published: Published) -> None:
    """The same replay does raise alarms when there is a reason: otherwise the quiet month would prove nothing."""
    minutes, begin, bad = published[0], 10 * DAY, range(11 * DAY + NOON, 11 * DAY + NOON + 10)
    recording = Recording(begin=MONDAY + begin * MINUTE, minutes=2 * DAY)
    window = (
        (at - begin, happening | traffic(400, app_errors=400) if at in bad else happening)
        for at, happening in minutes[begin : begin + 2 * DAY]
    )
    publish(recording, stack.alarms.values(), window)
    told = raised(stack, recording, {"availability-burn-fast", "latency-burn-fast"})
    assert told["latency-burn-fast"] == [], "errors that come quickly are not slow"
    ((day, minute),) = told["availability-burn-fast"]
    assert day == 11
    assert 0 < minute - NOON <= 3
