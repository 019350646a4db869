"""EventBridge Scheduler: schedules really start their tasks, and what could not be started is in a real queue."""

from typing import Any

from rehearsal.errors import RehearsalError
from rehearsal.realisers.realiser import Field, Made, Realiser, capitalised, made_by, parameters, tag_list
from rehearsal.realisers.tools import Tools
from rehearsal.state import Deployed, Properties

_ECS: dict[str, Field] = {
    "taskDefinitionArn": "TaskDefinitionArn",
    "launchType": "LaunchType",
    "platformVersion": "PlatformVersion",
    "taskCount": "TaskCount",
    "group": "Group",
    "propagateTags": "PropagateTags",
    "enableEcsManagedTags": "EnableECSManagedTags",
    "networkConfiguration": lambda value: {"NetworkConfiguration": {"awsvpcConfiguration": _network(value)}},
    # Whoever reads these is ECS, which spells them small.
    "tags": tag_list("Tags", key="key", value="value"),
}
_TARGET: dict[str, Field] = {
    "arn": "Arn",
    "roleArn": "RoleArn",
    "retryPolicy": "RetryPolicy",
    "deadLetterConfig": "DeadLetterConfig",
    "ecsParameters": lambda value: {"EcsParameters": parameters(_ECS, value)},
}
_FIELDS: dict[str, Field] = {
    "name": "Name",
    "groupName": "GroupName",
    "scheduleExpression": "ScheduleExpression",
    "scheduleExpressionTimezone": "ScheduleExpressionTimezone",
    "flexibleTimeWindow": "FlexibleTimeWindow",
    "state": "State",
    "description": "Description",
    "target": lambda value: {"Target": parameters(_TARGET, value)},
}
# UpdateSchedule replaces a schedule whole; its name and group are what it is found by.
_CHANGEABLE = frozenset(_FIELDS) - {"name", "groupName"}


def _network(value: Properties) -> Properties:
    public = {True: "ENABLED", False: "DISABLED"}
    network = {**value, "assignPublicIp": public[value.get("assignPublicIp", False)]}
    return dict(capitalised(network))


def _unmapped(target: Properties) -> list[str]:
    """What of a target none of the fields here would carry out."""
    return sorted({*(target.keys() - _TARGET.keys()), *(target.get("ecsParameters", {}).keys() - _ECS.keys())})


def _put(tools: Tools, operation: str, inputs: Properties) -> Made:
    if unmapped := _unmapped(inputs["target"]):
        raise RehearsalError(f"the rehearsal does not know {', '.join(unmapped)} of a schedule's target")
    arn: Any = getattr(tools.client("scheduler"), operation)(**parameters(_FIELDS, inputs))["ScheduleArn"]
    return Made(id=f"{inputs['groupName']}/{inputs['name']}", outputs={"arn": str(arn)})


def _as_it_is(tools: Tools, deployed: Deployed) -> Properties:
    """What `refresh: always` finds: an operator may have gone back to an earlier revision, or switched it off."""
    inputs = deployed.inputs
    schedule = tools.client("scheduler").get_schedule(
        Name=deployed.outputs["name"], GroupName=deployed.outputs["groupName"]
    )
    definition = schedule["Target"]["EcsParameters"]["TaskDefinitionArn"]
    ecs = {**inputs["target"]["ecsParameters"], "taskDefinitionArn": definition}
    return {**inputs, "state": schedule["State"], "target": {**inputs["target"], "ecsParameters": ecs}}


_SCHEDULE = Realiser(
    create=lambda tools, _, inputs: _put(tools, "create_schedule", inputs),
    update=lambda tools, _, inputs: _put(tools, "update_schedule", inputs),
    refresh=_as_it_is,
    properties=frozenset(_FIELDS),
    updatable=_CHANGEABLE,
    removable=_CHANGEABLE - {"scheduleExpression", "flexibleTimeWindow", "target"},
    name_property="name",
    name_limit=64,
)

_GROUP = Realiser(
    create=made_by(
        "scheduler",
        "create_schedule_group",
        {"name": "Name", "tags": tag_list()},
        lambda inputs, response: Made(id=inputs["name"], outputs={"arn": response["ScheduleGroupArn"]}),
    ),
    properties=frozenset({"tags"}),
    name_property="name",
    name_limit=64,
)

_QUEUE_ATTRIBUTES = {
    "sqsManagedSseEnabled": "SqsManagedSseEnabled",
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "visibilityTimeoutSeconds": "VisibilityTimeout",
}


def _create_queue(tools: Tools, _: str, inputs: Properties) -> Made:
    client = tools.client("sqs")
    attributes = {theirs: str(inputs[ours]).lower() for ours, theirs in _QUEUE_ATTRIBUTES.items() if ours in inputs}
    tags = inputs.get("tags") or {}
    url = client.create_queue(QueueName=inputs["name"], Attributes=attributes, tags=tags)["QueueUrl"]
    arn = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return Made(id=url, outputs={"arn": arn, "url": url})


_QUEUE = Realiser(
    create=_create_queue,
    properties=frozenset({*_QUEUE_ATTRIBUTES, "tags"}),
    name_property="name",
    name_limit=80,
)

SCHEDULING: dict[str, Realiser] = {
    "aws:scheduler/scheduleGroup:ScheduleGroup": _GROUP,
    "aws:scheduler/schedule:Schedule": _SCHEDULE,
    "aws:sqs/queue:Queue": _QUEUE,
}
