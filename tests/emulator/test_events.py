"""Events of tasks and deployments, and where EventBridge's rules lead: log groups and functions."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from emulator_cloud import CLUSTER, Cloud, until
from emulator_functions import ECHO, echoed, function

ACCOUNT = "123456789012"
TOLD = "/aws/events/told"
UNTOLD = "/aws/events/untold"
KINDS = ["ECS Task State Change", "ECS Deployment State Change"]
CRASHING = ["python3", "-c", "raise SystemExit(3)"]


def policy(*actions: str) -> str:
    """What lets EventBridge do this with the group TOLD, and with no other."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": ["events.amazonaws.com", "delivery.logs.amazonaws.com"]},
        "Action": list(actions),
        "Resource": f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{TOLD}:*",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(scope="module", autouse=True)
def rule(cloud: Cloud) -> Iterator[str]:
    """A rule for all of ECS's events, which leads to two log groups; a policy opens one of them."""
    events = cloud.client("events")
    for group in (TOLD, UNTOLD):
        cloud.logs.create_log_group(logGroupName=group)
    cloud.logs.put_resource_policy(
        policyName="told", policyDocument=policy("logs:CreateLogStream", "logs:PutLogEvents")
    )
    pattern = json.dumps({"source": ["aws.ecs"], "detail-type": KINDS})
    arn: str = events.put_rule(Name="ecs", EventPattern=pattern)["RuleArn"]
    targets = [{"Id": each, "Arn": f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{each}"} for each in (TOLD, UNTOLD)]
    events.put_targets(Rule="ecs", Targets=targets)
    yield arn
    events.remove_targets(Rule="ecs", Ids=[TOLD, UNTOLD])
    events.delete_rule(Name="ecs")


def told(cloud: Cloud, group: str = TOLD) -> list[dict[str, Any]]:
    """The events that were written to a log group."""
    found = cloud.logs.filter_log_events(logGroupName=group)["events"]
    return [json.loads(each["message"]) for each in found]


def of(cloud: Cloud, resource: str) -> list[dict[str, Any]]:
    """The events of a task or service, in the order in which they came about."""
    found = [event for event in told(cloud) if event["resources"] == [resource]]
    return sorted(found, key=lambda event: event["detail"]["updatedAt"])


def test_a_task_that_fails_is_told_of_with_its_exit_code(cloud: Cloud) -> None:
    definition = cloud.task_definition(command=CRASHING)
    arn = cloud.run(definition)
    until(lambda: any(event["detail"]["lastStatus"] == "STOPPED" for event in of(cloud, arn)), 30, "its end")
    states = [event["detail"]["lastStatus"] for event in of(cloud, arn)]
    assert states[-1] == "STOPPED"
    assert {"PENDING", "RUNNING", "DEPROVISIONING"} <= set(states), "each state that raises the version"
    event = of(cloud, arn)[-1]
    assert (event["source"], event["detail-type"], event["account"]) == ("aws.ecs", KINDS[0], ACCOUNT)
    detail = event["detail"]
    assert [container["exitCode"] for container in detail["containers"]] == [3], "by which a job has failed"
    assert detail["stopCode"] == "EssentialContainerExited"
    assert detail["stoppedReason"] == "Essential container in task exited"
    assert (detail["taskDefinitionArn"], detail["group"]) == (definition, "family:tests")
    assert detail["clusterArn"].endswith(f"cluster/{CLUSTER}")
    shown = cloud.task(arn)
    assert detail["version"] == shown["version"], "by which one tells an event that came twice"
    assert isinstance(detail["stoppedAt"], str), "a text in an event, a number from DescribeTasks"


def test_a_task_that_could_not_start_has_no_exit_code(cloud: Cloud) -> None:
    missing = {"name": "KEY", "valueFrom": f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:gone-abcdef"}
    arn = cloud.run(cloud.task_definition(secrets=[missing]))
    until(lambda: any(event["detail"]["lastStatus"] == "STOPPED" for event in of(cloud, arn)), 30, "its end")
    detail = of(cloud, arn)[-1]["detail"]
    assert detail["stopCode"] == "TaskFailedToStart"
    assert "exitCode" not in detail["containers"][0], "a filter on exit codes alone would miss it"


def test_a_deployment_is_told_of_from_its_beginning_to_its_end(cloud: Cloud) -> None:
    cloud.unbalanced("told", cloud.task_definition({"VERSION": "1"}))
    service = cloud.describe("told")["serviceArn"]

    def names() -> list[str]:
        return [event["detail"]["eventName"].removeprefix("SERVICE_DEPLOYMENT_") for event in of(cloud, service)]

    assert until(lambda: names() == ["IN_PROGRESS", "COMPLETED"] and names(), 30, "the first deployment's events")
    first = of(cloud, service)[-1]["detail"]
    (deployment,) = cloud.describe("told")["deployments"]
    assert (first["eventType"], first["deploymentId"]) == ("INFO", deployment["id"])
    assert first["reason"] == f"ECS deployment {deployment['id']} completed."
    cloud.update("told", cloud.task_definition(command=CRASHING))
    until(lambda: names().count("COMPLETED") == 2, 60, "the return to the first")
    assert names()[2:] == ["IN_PROGRESS", "FAILED", "IN_PROGRESS", "COMPLETED"], "a rollback is in progress too"
    failed = of(cloud, service)[3]["detail"]
    assert failed["eventType"] == "ERROR"
    assert failed["reason"] == "ECS deployment circuit breaker: tasks failed to start."
    again = of(cloud, service)[4]["detail"]
    assert again["deploymentId"] == deployment["id"]
    assert "rolling back" in again["reason"], "the only way to tell it from an ordinary deployment"
    cloud.ecs.delete_service(cluster=CLUSTER, service="told", force=True)


def test_a_log_group_that_no_policy_opens_is_told_nothing(cloud: Cloud) -> None:
    assert told(cloud), "the other one was told of all that"
    assert told(cloud, UNTOLD) == [], "on AWS such events are lost without a word"


def test_a_rule_invokes_only_a_function_that_lets_it(cloud: Cloud) -> None:
    events, functions = cloud.client("events"), cloud.client("lambda")
    arns = {name: function(cloud, name) for name in ("open", "closed")}
    pattern = json.dumps({"source": ["tests"], "detail": {"size": [{"numeric": [">", 3]}]}})
    rule_arn = events.put_rule(Name="echo", EventPattern=pattern)["RuleArn"]
    functions.add_permission(
        FunctionName="open",
        StatementId="rule",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule_arn,
    )
    functions.add_permission(
        FunctionName="closed",
        StatementId="rule",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=f"{rule_arn}-of-another-name",
    )
    events.put_targets(Rule="echo", Targets=[{"Id": name, "Arn": arn} for name, arn in arns.items()])
    for size in (3, 4):
        entry = {"Source": "tests", "DetailType": "Box", "Detail": json.dumps({"size": size})}
        events.put_events(Entries=[entry])
    (event,) = until(lambda: echoed(cloud, "open"), 20, "the function's log")
    assert (event["detail-type"], event["detail"]) == ("Box", {"size": 4}), "the smaller box is none of the rule's"
    assert echoed(cloud, "closed") == [], "its policy names another rule"


def test_a_failing_function_is_tried_three_times(cloud: Cloud) -> None:
    events = cloud.client("events")
    arn = function(cloud, "failing", f"{ECHO}    raise RuntimeError('no')\n")
    rule_arn = events.put_rule(Name="failing", EventPattern=json.dumps({"source": ["failing"]}))["RuleArn"]
    cloud.client("lambda").add_permission(
        FunctionName="failing",
        StatementId="rule",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule_arn,
    )
    events.put_targets(Rule="failing", Targets=[{"Id": "failing", "Arn": arn}])
    events.put_events(Entries=[{"Source": "failing", "DetailType": "Box", "Detail": "{}"}])
    until(lambda: len(echoed(cloud, "failing")) == 3, 20, "two more attempts")


def test_part_of_an_event_cannot_be_written_to_a_log_group(cloud: Cloud) -> None:
    events = cloud.client("events")
    target = {"Id": "part", "Arn": f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{TOLD}", "InputPath": "$.detail"}
    with pytest.raises(events.exceptions.ClientError, match="leave InputPath out"):
        events.put_targets(Rule="ecs", Targets=[target])
