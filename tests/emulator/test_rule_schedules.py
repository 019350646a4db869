"""EventBridge's rules on a schedule: when they fire, and what their targets are sent."""

from datetime import UTC, datetime
from typing import Any

import pytest
from ministack.services import eventbridge
from rehearsal.emulator.rule_schedules import RuleSchedules, problem_of

from conftest import Clock

KEY = ("123456789012", "us-east-1", "default|minutes")
ARN = "arn:aws:events:us-east-1:123456789012:rule/minutes"


class Watched:
    """Rules on a schedule by a clock that stands still, with a target that only takes notes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = Clock(datetime.fromisoformat("2026-11-23 10:00:30").replace(tzinfo=UTC).timestamp())
        self.sent: list[dict[str, Any]] = []
        self._rules = RuleSchedules(self.clock)
        monkeypatch.setattr(eventbridge._rules, "_data", {})
        monkeypatch.setattr(eventbridge._targets, "_data", {KEY: [{"Id": "one", "Arn": "one"}]})
        monkeypatch.setattr(eventbridge, "_invoke_target", lambda _target, event, _rule: self.sent.append(event))

    def add(self, expression: str, state: str = "ENABLED") -> dict[str, Any]:
        """Make a rule now."""
        rule = {
            "Name": "minutes",
            "Arn": ARN,
            "EventBusName": "default",
            "ScheduleExpression": expression,
            "CreationTime": self.clock.now,
            "State": state,
        }
        eventbridge._rules._data[KEY] = rule
        return rule

    def after(self, *waits: float) -> list[int]:
        """How many events were sent after each look, so many seconds after the one before."""
        counts = []
        for seconds in waits:
            self.clock.now += seconds
            self._rules.look()
            counts.append(len(self.sent))
        return counts


def test_a_rate_fires_an_interval_after_the_rule_was_made_and_after_each_further_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watched = Watched(monkeypatch)
    watched.add("rate(1 minute)")
    assert watched.after(0, 59, 1, 59, 2, 59) == [0, 0, 1, 1, 2, 3], "by the rule's own clock, however late a look is"
    event = watched.sent[0]
    assert (event["Source"], event["DetailType"], event["Resources"]) == ("aws.events", "Scheduled Event", [ARN])
    assert event["Time"] == int(watched.clock.now - 120), "the moment it fired"


def test_what_became_due_while_nobody_looked_is_fired_once(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch)
    watched.add("rate(1 minute)")
    assert watched.after(0, 600, 1) == [0, 1, 1]


def test_cron_fires_in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch)
    watched.add("cron(2 10 * * ? *)")
    assert watched.after(0, 60, 30, 60) == [0, 0, 1, 1]


def test_a_rule_that_is_disabled_fires_nothing_then_nor_later_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch)
    rule = watched.add("rate(1 minute)", state="DISABLED")
    assert watched.after(0, 60) == [0, 0]
    rule["State"] = "ENABLED"
    assert watched.after(1, 59) == [0, 1]


def test_rules_on_events_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch)
    watched.add("")
    assert watched.after(0, 60) == [0, 0]


def test_a_wrong_schedule_is_refused() -> None:
    assert "wrong unit" in problem_of({"ScheduleExpression": "rate(1 minutes)"})
    assert problem_of({"EventPattern": "{}"}) == ""
