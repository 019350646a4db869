"""Alarms by CloudWatch's rules, metric alarms once a minute, in the place of MiniStack's own evaluation.

MiniStack looks at all dimensions of a metric at once and at one datapoint, only when a datum is put; its alarms never
clear, and it forgets the queries of an alarm on metric math.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import cloudwatch

from rehearsal.cloudwatch import composite
from rehearsal.cloudwatch.alarm import Alarm, CannotEvaluateError, read
from rehearsal.emulator import metric_store
from rehearsal.emulator.patching import Extension, replace, require
from rehearsal.emulator.repeating import LoopFailedError, look_again

logger = logging.getLogger("rehearsal.alarms")

EXTENSION = Extension(
    name="alarm evaluation",
    rule=(
        "A metric alarm is evaluated every minute on its own dimensions: M out of N datapoints, missing data as it "
        "says, metric math; it clears again, and what SetAlarmState set lasts until the next evaluation; a composite "
        "alarm is evaluated when one of its alarms changes its state"
    ),
    source="Alarm evaluation; Configuring how CloudWatch alarms treat missing data; SetAlarmState; PutCompositeAlarm",
)
SETTLING_SECONDS = 2.0  # after a minute's end, until all that it counted has been published
PUT = "(params, cbor_data, is_cbor, is_json=False)"
OF_A_SINGLE_METRIC = ("MetricName", "Namespace", "Statistic", "Period")
Key = tuple[str, str, str]  # account, region, name of the alarm


class Alarms:
    """Evaluates every metric alarm when it is due; a new or changed one at once."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        # By alarm: its record, which each PutMetricAlarm replaces, as it was read.
        self._read: dict[Key, tuple[dict[str, Any], Alarm]] = {}
        # The end of the window that it was last evaluated for.
        self._seen: dict[Key, int] = {}

    def run(self, closing: threading.Event, on_failure: Callable[[LoopFailedError], None]) -> None:
        """Evaluate until the emulator closes."""
        look_again("evaluation of alarms", self.look, closing, on_failure)

    def look(self) -> None:
        """Evaluate what is due now."""
        for key, alarm in list(cloudwatch._alarms._data.items()):
            with request_scope(key[0], key[1]):
                self._evaluate(key, alarm)
        for gone in self._read.keys() - cloudwatch._alarms._data.keys():
            del self._read[gone], self._seen[gone]

    def _evaluate(self, key: Key, alarm: dict[str, Any]) -> None:
        if key not in self._read or self._read[key][0] is not alarm:
            self._read[key] = (alarm, read(alarm))
            self._seen.pop(key, None)
        rules = self._read[key][1]
        end = rules.window_end(self._clock() - SETTLING_SECONDS)
        if self._seen.get(key) == end:
            return
        self._seen[key] = end
        outcome = rules.evaluate(end, metric_store.between)
        if outcome.state is None or outcome.state == alarm["StateValue"]:
            return
        logger.info("alarm %s: %s -> %s: %s", key[2], alarm["StateValue"], outcome.state, outcome.reason)
        change = {"AlarmName": key[2], "StateValue": outcome.state, "StateReason": outcome.reason}
        # MiniStack's own way for a change of state: history, notifications, composite alarms.
        cloudwatch._set_alarm_state({}, change, False, True)


def in_alarm(names: list[str]) -> set[str]:
    """Those of the alarms, metric or composite, that are in ALARM now in the current account and region."""
    return {name for name, state in states(names).items() if state == "ALARM"}


def composite_state(alarm: dict[str, Any]) -> str:
    """The state of a composite alarm by those of its alarms now; one that is gone has none."""
    rule = composite.read(alarm["AlarmRule"])
    return rule.state(states(rule.alarms))


def states(names: Iterable[str]) -> dict[str, str]:
    """The present states of alarms, metric or composite; nothing of one that is not there."""
    found = {name: cloudwatch._alarms.get(name) or cloudwatch._composite_alarms.get(name) for name in names}
    return {name: each["StateValue"] if each else "" for name, each in found.items()}


def refusal(error: ValueError, *, is_cbor: bool, is_json: bool) -> Any:
    """What the caller is answered whose alarm is never evaluated here."""
    said = f"The rehearsal cannot evaluate this alarm: {error}."
    return cloudwatch._error("ValidationError", said, 400, use_json=is_json, use_cbor=is_cbor)


def put_composite(original: Callable[..., Any]) -> Callable[..., Any]:
    """PutCompositeAlarm that refuses a rule that cannot be evaluated here."""

    def put(params: Any, data: dict[str, Any], is_cbor: bool, is_json: bool = False) -> Any:
        try:
            composite.read(data.get("AlarmRule", "TRUE"))
        except composite.RuleError as error:
            return refusal(error, is_cbor=is_cbor, is_json=is_json)
        return original(params, data, is_cbor, is_json)

    return put


def put_alarm(original: Callable[..., Any]) -> Callable[..., Any]:
    """PutMetricAlarm that refuses what is never evaluated here, and keeps the queries of metric math."""

    def put(params: Any, data: dict[str, Any], is_cbor: bool, is_json: bool = False) -> Any:
        if not (is_cbor or is_json):
            return cloudwatch._error(
                "ValidationError",
                "The rehearsal takes PutMetricAlarm as JSON or CBOR only: use a current AWS SDK.",
                400,
            )
        try:
            read({"Statistic": "Average", **data})
        except CannotEvaluateError as error:
            return refusal(error, is_cbor=is_cbor, is_json=is_json)
        answer = original(params, data, is_cbor, is_json)
        alarm = cloudwatch._alarms.get(data.get("AlarmName"))
        if answer[0] == 200 and alarm is not None and data.get("Metrics"):  # noqa: PLR2004
            alarm["Metrics"] = data["Metrics"]
            for name in OF_A_SINGLE_METRIC:
                alarm.pop(name, None)
        return answer

    return put


def install() -> None:
    """Take the evaluation over from MiniStack."""
    metric_store.install()
    require(cloudwatch, "_set_alarm_state", PUT)
    require(cloudwatch, "_error", "(code, message, status, use_json=False, use_cbor=False)")
    replace(cloudwatch, "_evaluate_alarm", "(alarm)", lambda _: None)
    replace(cloudwatch, "_evaluate_all_alarms", "()", lambda: None)
    replace(cloudwatch, "_composite_rule_state", "(alarm)", composite_state)
    replace(cloudwatch, "_put_composite_alarm", PUT, put_composite(require(cloudwatch, "_put_composite_alarm", PUT)))
    replace(cloudwatch, "_put_metric_alarm", PUT, put_alarm(require(cloudwatch, "_put_metric_alarm", PUT)))
