"""Each alarm of the table by itself: healthy, then as broken as it gets, then healthy again."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from infra.observability.alarm_table import alarm_rules, composite_rules
from rehearsal.cloudwatch.alarm import MINUTE
from rehearsal.cloudwatch.evaluation import EXTRA_DATAPOINTS
from rehearsal.cloudwatch.recording import Recording
from rehearsal.cloudwatch.replay import Replay
from tests.alarm_scenarios.registered import Registered, registered
from tests.alarm_scenarios.world import BROKEN, HEALTHY, key, publish
from tests.test_settings import settings

if TYPE_CHECKING:
    from rehearsal.cloudwatch.alarm import Alarm

BEGIN = 1_790_002_800  # a whole hour
PROD = settings("prod")
# In one order, whatever the program's: workers of pytest must agree.
METRIC_ALARMS = sorted(rule.label for rule in alarm_rules(PROD) if rule.label != "heartbeat")
PAIRS = sorted(rule.label for rule in composite_rules(PROD))


def minutes_to_breach(alarm: Alarm, label: str) -> int:
    """Broken minutes by which a period's value has crossed the threshold.

    One where they are counted or the worst one counts; of a share of bad requests, as much of the period as the share.
    """
    if not label.startswith(("availability-", "latency-")):
        return 1
    # Traffic is the same before and after, and each broken request is bad.
    return math.ceil(alarm.period / MINUTE * alarm.rule.threshold / 100)


def is_silent(alarm: Alarm, minute: dict[str, object]) -> bool:
    """Whether its metrics have no data then, and nothing fills them."""
    return not alarm.expressions and all(minute[key(metric)] is None for metric in alarm.metrics.values())


def computed(alarm: Alarm, label: str) -> tuple[int, int]:
    """Minutes from the beginning until it is raised, and from the end until it is cleared, by its definition.

    Missing data counts only when CloudWatch has fewer real datapoints than it needs among those it looks at.
    """
    rule, period, needed = alarm.rule, alarm.period // MINUTE, minutes_to_breach(alarm, label)
    silent_before, silent_after = is_silent(alarm, dict(HEALTHY)), is_silent(alarm, dict(BROKEN))
    raised = (rule.datapoints - 1 + (EXTRA_DATAPOINTS if silent_after else 0)) * period + needed
    clean = rule.periods - rule.datapoints + (EXTRA_DATAPOINTS if silent_before else 0)
    return raised, clean * period + period - needed + 1


@pytest.fixture(scope="module")
def stack() -> Registered:
    return registered("prod")


def replayed(stack: Registered, label: str, longest: int, steps: int) -> tuple[int, int]:
    """Minutes from the beginning of all evil until an alarm was raised, and from its end until it was cleared.

    It lasts as long as the longest period, so many times.
    """
    before, broken, after = 3 * longest + 20, steps * longest, steps * longest
    recording = Recording(begin=BEGIN, minutes=before + broken + after)
    happening = [HEALTHY] * before + [BROKEN] * broken + [HEALTHY] * after
    composites = {label: stack.composites[label]} if label in stack.composites else {}
    names = composites[label].alarms if composites else [label]
    alarms = {name: stack.alarms[name] for name in names}
    publish(recording, alarms.values(), enumerate(happening))
    replay = Replay(source=recording, begin=BEGIN + (before - 10) * MINUTE, end=BEGIN + len(happening) * MINUTE)
    changes = replay.changes(alarms, composites)[label]
    assert [state for _, state in changes] == ["OK", "ALARM", "OK"], f"{label} must be raised once, and cleared"
    raised, cleared = ((at - BEGIN) // MINUTE - before for at, _ in changes[1:])
    return raised, cleared - broken


def test_all_of_the_table_is_registered_and_nothing_else(stack: Registered) -> None:
    assert sorted(stack.alarms) == sorted([*METRIC_ALARMS, "heartbeat"])
    assert sorted(stack.composites) == PAIRS


@pytest.mark.parametrize("label", METRIC_ALARMS)
def test_an_alarm_is_raised_and_cleared_at_the_computed_datapoint(stack: Registered, label: str) -> None:
    alarm = stack.alarms[label]
    assert replayed(stack, label, alarm.period // MINUTE, alarm.rule.range + 1) == computed(alarm, label)


@pytest.mark.parametrize("label", PAIRS)
def test_a_pair_is_raised_with_its_later_and_cleared_with_its_earlier_window(stack: Registered, label: str) -> None:
    windows = {name: stack.alarms[name] for name in stack.composites[label].alarms}
    assert len(windows) == 2, "a long window that tells how much, and a short one that tells that it goes on"
    times = [computed(alarm, name) for name, alarm in windows.items()]
    longest = max(alarm.period for alarm in windows.values()) // MINUTE
    assert replayed(stack, label, longest, 1) == (
        max(raised for raised, _ in times),
        min(cleared for _, cleared in times),
    )


def test_the_heartbeat_beats_once_an_hour_until_the_watch_is_silent(stack: Registered) -> None:
    minutes, alive = 6 * 60, 200
    recording = Recording(begin=BEGIN, minutes=minutes)
    alarm = stack.alarms["heartbeat"]
    publish(recording, [alarm], ((minute, HEALTHY if minute < alive else BROKEN) for minute in range(minutes)))
    replay = Replay(source=recording, begin=BEGIN, end=BEGIN + minutes * MINUTE)
    changes = replay.changes({"heartbeat": alarm}, {})["heartbeat"]
    raised = [(at - BEGIN) // MINUTE for at, state in changes if state == "ALARM"]
    cleared = [(at - BEGIN) // MINUTE for at, state in changes if state == "OK"]
    assert raised == [1, 61, 121, 181], "who watches from outside misses a beat within the hour"
    assert cleared == [13, 73, 133, 193], "it ends in every hour: an alarm that stays tells nobody anything"
