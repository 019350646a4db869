"""EventBridge's rules and their targets: what AWS tells of itself really goes where a rule sends it."""

from rehearsal.realisers.realiser import Field, Made, Realiser, parameters, tag_list
from rehearsal.realisers.tools import Tools
from rehearsal.state import Properties

_RULE_FIELDS: dict[str, Field] = {
    "name": "Name",
    "eventPattern": "EventPattern",
    "scheduleExpression": "ScheduleExpression",
    "state": "State",
    "description": "Description",
    "tags": tag_list(),
}
_TARGET_FIELDS: dict[str, Field] = {
    "targetId": "Id",
    "arn": "Arn",
    "input": "Input",
    "roleArn": "RoleArn",
    "retryPolicy": "RetryPolicy",
    "deadLetterConfig": "DeadLetterConfig",
}


def _put_rule(tools: Tools, inputs: Properties) -> Made:
    arn = tools.client("events").put_rule(**parameters(_RULE_FIELDS, inputs))["RuleArn"]
    return Made(id=inputs["name"], outputs={"arn": arn})


def _put_target(tools: Tools, inputs: Properties) -> Made:
    tools.client("events").put_targets(Rule=inputs["rule"], Targets=[parameters(_TARGET_FIELDS, inputs)])
    return Made(id=f"{inputs['rule']}-{inputs['targetId']}", outputs={})


# PutRule and PutTargets replace what they find by its name, whole, but for the rule's tags.
_RULE_UPDATABLE = frozenset(_RULE_FIELDS) - {"name", "tags"}
_TARGET_UPDATABLE = frozenset(_TARGET_FIELDS) - {"targetId"}

EVENTS: dict[str, Realiser] = {
    "aws:cloudwatch/eventRule:EventRule": Realiser(
        create=lambda tools, _, inputs: _put_rule(tools, inputs),
        update=lambda tools, _, inputs: _put_rule(tools, inputs),
        properties=frozenset(_RULE_FIELDS),
        updatable=_RULE_UPDATABLE,
        removable=_RULE_UPDATABLE - {"eventPattern", "scheduleExpression"},
        name_property="name",
        name_limit=64,
    ),
    "aws:cloudwatch/eventTarget:EventTarget": Realiser(
        create=lambda tools, _, inputs: _put_target(tools, inputs),
        update=lambda tools, _, inputs: _put_target(tools, inputs),
        properties=frozenset({"rule", *_TARGET_FIELDS}),
        updatable=_TARGET_UPDATABLE,
        removable=_TARGET_UPDATABLE - {"arn"},
        name_property="targetId",
        name_limit=64,
    ),
}
