"""rehearsal/realisers/scheduling.py and scaling.py: what starts tasks by the clock, and how many of a service run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rehearsal.errors import RehearsalError
from rehearsal.realisers.tables import REHEARSED
from rehearsal.state import Deployed
from tests.test_rehearsal_realisers import FakeClient, tools_with

if TYPE_CHECKING:
    from rehearsal.state import Properties

SCHEDULE = REHEARSED["aws:scheduler/schedule:Schedule"]
ECS: Properties = {
    "taskDefinitionArn": "arn:one:7",
    "launchType": "FARGATE",
    "propagateTags": "TASK_DEFINITION",
    "enableEcsManagedTags": True,
    "networkConfiguration": {"subnets": ["a"], "securityGroups": ["b"], "assignPublicIp": False},
    "tags": {"pactum:job": "tick"},
}
INPUTS: Properties = {
    "name": "tick",
    "groupName": "pactum-staging",
    "scheduleExpression": "rate(1 minute)",
    "flexibleTimeWindow": {"mode": "OFF"},
    "state": "ENABLED",
    "target": {
        "arn": "arn:cluster",
        "roleArn": "arn:role",
        "ecsParameters": ECS,
        "retryPolicy": {"maximumRetryAttempts": 10},
        "deadLetterConfig": {"arn": "arn:queue"},
    },
}
TARGET = {
    "Arn": "arn:cluster",
    "RoleArn": "arn:role",
    "EcsParameters": {
        "TaskDefinitionArn": "arn:one:7",
        "LaunchType": "FARGATE",
        "PropagateTags": "TASK_DEFINITION",
        "EnableECSManagedTags": True,
        "NetworkConfiguration": {
            "awsvpcConfiguration": {"Subnets": ["a"], "SecurityGroups": ["b"], "AssignPublicIp": "DISABLED"}
        },
        "Tags": [{"key": "pactum:job", "value": "tick"}],
    },
    "RetryPolicy": {"MaximumRetryAttempts": 10},
    "DeadLetterConfig": {"Arn": "arn:queue"},
}


def deployed(**changes: Any) -> Deployed:
    inputs = INPUTS | changes
    return Deployed(
        urn="urn", type="aws:scheduler/schedule:Schedule", name="tick", id="tick", inputs=inputs, outputs=inputs
    )


def test_a_schedule_is_asked_for_as_aws_spells_it_at_creation_and_update(monkeypatch: pytest.MonkeyPatch) -> None:
    client = FakeClient({"ScheduleArn": "arn:schedule"})
    tools = tools_with(monkeypatch, client)
    made = SCHEDULE.create(tools, "tick", INPUTS)
    assert (made.id, made.outputs) == ("pactum-staging/tick", {"arn": "arn:schedule"})
    assert SCHEDULE.update is not None
    SCHEDULE.update(tools, deployed(), INPUTS)
    assert client.asked["create_schedule"] == client.asked["update_schedule"], "UpdateSchedule replaces it whole"
    assert client.asked["create_schedule"] == {
        "Name": "tick",
        "GroupName": "pactum-staging",
        "ScheduleExpression": "rate(1 minute)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "State": "ENABLED",
        "Target": TARGET,
    }


def test_what_an_operator_changed_of_a_schedule_is_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    returned = {**TARGET, "EcsParameters": {"TaskDefinitionArn": "arn:one:6"}}
    tools = tools_with(monkeypatch, FakeClient({"State": "DISABLED", "Target": returned}))
    assert SCHEDULE.refresh is not None
    found = SCHEDULE.refresh(tools, deployed())
    assert found["state"] == "DISABLED"
    assert found["target"]["ecsParameters"] == {**ECS, "taskDefinitionArn": "arn:one:6"}
    assert {key: value for key, value in found.items() if key not in ("state", "target")} == {
        key: value for key, value in INPUTS.items() if key not in ("state", "target")
    }


def test_a_target_of_another_kind_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    tools = tools_with(monkeypatch, FakeClient({}))
    target = {**INPUTS["target"], "sqsParameters": {}, "ecsParameters": {**ECS, "referenceId": "one"}}
    with pytest.raises(RehearsalError, match="does not know referenceId, sqsParameters of a schedule's target"):
        SCHEDULE.create(tools, "tick", {**INPUTS, "target": target})


def test_a_schedule_moved_to_another_group_asks_for_a_fresh_rehearsal() -> None:
    assert SCHEDULE.beyond_update(["groupName"], INPUTS) == ["groupName"], "AWS has no call that moves one"
    assert SCHEDULE.beyond_update(["target", "scheduleExpression", "state"], INPUTS) == []


@pytest.mark.parametrize(("desired", "wanted"), [(1, 2), (2, None), (4, None), (5, 4)])
def test_a_service_is_brought_between_the_bounds_of_autoscaling(
    monkeypatch: pytest.MonkeyPatch, desired: int, wanted: int | None
) -> None:
    client = FakeClient({"services": [{"desiredCount": desired}]})
    tools = tools_with(monkeypatch, client)
    target = REHEARSED["aws:appautoscaling/target:Target"]
    target.create(tools, "web", {"resourceId": "service/pactum-staging/web", "minCapacity": 2, "maxCapacity": 4})
    asked = client.asked.get("update_service")
    service = {"cluster": "pactum-staging", "service": "web"}
    assert asked == (None if wanted is None else {**service, "desiredCount": wanted})


def test_a_queue_is_made_with_its_attributes_as_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    client = FakeClient({"QueueUrl": "http://queue", "Attributes": {"QueueArn": "arn:queue"}})
    inputs: Properties = {
        "name": "one",
        "sqsManagedSseEnabled": True,
        "messageRetentionSeconds": 60,
        "tags": {"a": "b"},
    }
    made = REHEARSED["aws:sqs/queue:Queue"].create(tools_with(monkeypatch, client), "one", inputs)
    assert (made.id, made.outputs) == ("http://queue", {"arn": "arn:queue", "url": "http://queue"})
    attributes = {"SqsManagedSseEnabled": "true", "MessageRetentionPeriod": "60"}
    assert client.asked["create_queue"] == {"QueueName": "one", "Attributes": attributes, "tags": {"a": "b"}}
