"""What an alarm sends to its topics, as CloudWatch words it, where the topic's policy lets CloudWatch publish."""

import json
import logging
from typing import Any

from ministack.services import cloudwatch, ecs, sns

from rehearsal.emulator.event_targets import lets_in
from rehearsal.emulator.patching import Extension, replace, require

logger = logging.getLogger("rehearsal.alarms")

EXTENSION = Extension(
    name="alarm notifications",
    rule=(
        "A metric or composite alarm that changes its state tells the topics named for the new state: description, "
        "reason, ARN, and its trigger or rule; a topic whose policy does not let CloudWatch publish is told nothing"
    ),
    source="Notifying users on alarm changes; Amazon SNS access control: CloudWatch alarms",
)
SERVICE = "cloudwatch.amazonaws.com"
ACTIONS = {"ALARM": "AlarmActions", "OK": "OKActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}
REGIONS = {"us-east-1": "US East (N. Virginia)"}
OF_A_METRIC = ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Unit", "Period")
OF_ANY_METRIC_ALARM = ("EvaluationPeriods", "DatapointsToAlarm", "ComparisonOperator", "Threshold", "TreatMissingData")
LONGEST_SUBJECT = 100
Record = dict[str, Any]


def message(alarm: Record, old: str, new: str, reason: str) -> Record:
    """The message for a change of state."""
    told = {
        "AlarmName": alarm["AlarmName"],
        "AlarmDescription": alarm.get("AlarmDescription") or None,
        "AWSAccountId": ecs.get_account_id(),
        "NewStateValue": new,
        "NewStateReason": reason,
        "StateChangeTime": ecs._iso().replace("Z", "+0000"),
        "Region": REGIONS.get(ecs.get_region(), ecs.get_region()),
        "AlarmArn": alarm["AlarmArn"],
        "OldStateValue": old,
        **{actions: alarm.get(actions) or [] for actions in ACTIONS.values()},
    }
    if "AlarmRule" in alarm:
        children = json.loads(alarm.get("StateReasonData") or "{}").get("triggeringAlarms", [])
        return told | {"AlarmRule": alarm["AlarmRule"], "TriggeringChildren": [_child(each) for each in children]}
    return told | {"Trigger": _trigger(alarm)}


def _child(found: Record) -> Record:
    state = {"Value": found["state"]["value"], "Timestamp": found["state"]["timestamp"]}
    return {"Arn": found["arn"], "State": state}


def _trigger(alarm: Record) -> Record:
    trigger = {name: alarm[name] for name in OF_ANY_METRIC_ALARM if alarm.get(name) is not None}
    if alarm.get("Metrics"):
        return trigger | {"Metrics": alarm["Metrics"]}
    dimensions = [{"name": one["Name"], "value": one["Value"]} for one in alarm.get("Dimensions") or []]
    return {name: alarm.get(name) for name in OF_A_METRIC if alarm.get(name)} | {"Dimensions": dimensions} | trigger


def dispatch(alarm: Record, old: str, new: str, reason: str) -> None:
    """Tell the topics of the new state."""
    if not alarm.get("ActionsEnabled", True):
        return
    text = json.dumps(message(alarm, old, new, reason))
    subject = f'{new}: "{alarm["AlarmName"]}" in {REGIONS.get(ecs.get_region(), ecs.get_region())}'[:LONGEST_SUBJECT]
    for topic in alarm.get(ACTIONS[new]) or []:
        found = sns.topic_policy_for_arn(topic) if topic.startswith("arn:aws:sns:") else None
        if found is None or not lets_in(found[0], SERVICE, "sns:Publish", topic, alarm["AlarmArn"]):
            logger.warning("alarm %s could not tell %s: no topic whose policy lets it", alarm["AlarmName"], topic)
            continue
        sns._fanout(topic, ecs.new_uuid(), text, subject)


def install() -> None:
    """Put AWS's messages in the place of MiniStack's, which have no ARN, and nothing of a composite alarm."""
    require(sns, "topic_policy_for_arn", "(topic_arn: str) -> tuple[str, str] | None")
    fanout = (
        "(topic_arn: str, msg_id: str, message: str, subject: str, message_structure: str = '', "
        "message_attributes: dict | None = None, message_group_id: str = '', message_dedup_id: str = '')"
    )
    require(sns, "_fanout", fanout)
    replace(cloudwatch, "_dispatch_alarm_actions", "(alarm, old_state, new_state, reason)", dispatch)
