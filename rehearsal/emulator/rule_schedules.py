"""EventBridge's rules on a schedule: MiniStack fires them by a clock that loses seconds, and so whole minutes."""

import threading
import time
from collections.abc import Callable
from typing import Any

from infra.schedule_expression import ScheduleError, parse
from ministack.core.responses import request_scope
from ministack.services import ecs, eventbridge

from rehearsal.emulator.due import Due
from rehearsal.emulator.patching import Extension, replace
from rehearsal.emulator.repeating import LoopFailedError, look_again

EXTENSION = Extension(
    name="rules on a schedule",
    rule=(
        "A rule with a rate sends a 'Scheduled Event' to its targets every interval after it was made, one with cron "
        "at its minutes in UTC, as long as it is enabled"
    ),
    source="Creating a scheduled rule (legacy) in Amazon EventBridge",
)
Record = dict[str, Any]


class RuleSchedules:
    """Fires what is due; of what became due while nobody looked, once."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._due = Due(clock)

    def run(self, closing: threading.Event, on_failure: Callable[[LoopFailedError], None]) -> None:
        """Look at the rules until the emulator closes."""
        look_again("rules on a schedule", self.look, closing, on_failure)

    def look(self) -> None:
        """Fire what is due now."""
        rules = {key: rule for key, rule in dict(eventbridge._rules._data).items() if rule.get("ScheduleExpression")}
        self._due.keep(rules)
        for (account, region, name), rule in rules.items():
            key = (account, region, name)
            due = self._due.now(key, rule["ScheduleExpression"], since=rule["CreationTime"], first=1)
            if due and rule["State"] == "ENABLED":
                with request_scope(account, region):
                    self._fire(name, rule)

    def _fire(self, key: str, rule: Record) -> None:
        event = {
            "EventId": ecs.new_uuid(),
            "Source": "aws.events",
            "DetailType": "Scheduled Event",
            "Detail": "{}",
            "EventBusName": rule["EventBusName"],
            "Time": int(self._clock()),
            "Resources": [rule["Arn"]],
            "Account": ecs.get_account_id(),
            "Region": ecs.get_region(),
        }
        for target in eventbridge._targets.get(key) or []:
            eventbridge._invoke_target(target, event, rule)


def problem_of(asked: Record) -> str:
    """What EventBridge would not take of a rule's schedule; empty for nothing."""
    try:
        if asked.get("ScheduleExpression"):
            parse(asked["ScheduleExpression"])
    except ScheduleError as error:
        return f"Parameter ScheduleExpression is not valid: it {error}."
    return ""


def install() -> None:
    """Take the rules on a schedule over from MiniStack."""

    def put_rule(asked: Record) -> Any:
        if problem := problem_of(asked):
            return ecs.error_response_json("ValidationException", problem, 400)
        return put(asked)

    put = replace(eventbridge, "_put_rule", "(data)", put_rule)
    replace(eventbridge, "_tick_scheduled_rules", "()", lambda: None)
