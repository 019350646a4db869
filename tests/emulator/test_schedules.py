"""EventBridge Scheduler: when a schedule is due, what it starts, and where a start goes that ECS refused."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from ministack.services import scheduler as ministack_scheduler
from rehearsal.emulator import schedules
from rehearsal.emulator.schedules import Schedules, problem_of, run_task

from conftest import Clock
from emulator_cloud import CLUSTER, LOG_GROUP, Cloud, until
from emulator_functions import echoed, function

KEY = ("123456789012", "us-east-1", "group/nightly")
GROUP, ROLE = "tests", "arn:aws:iam::123456789012:role/scheduler"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:scheduled"


class Watched:
    """Schedules that only tell what they would start, on a clock that stands still."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
        self.clock = Clock(datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp())
        self.started: list[str] = []
        self._schedules = Schedules(self.clock)
        monkeypatch.setattr(schedules, "start", lambda schedule: self.started.append(schedule["Name"]))
        monkeypatch.setattr(ministack_scheduler._schedules, "_data", {})

    def add(self, expression: str, zone: str = "UTC", state: str = "ENABLED") -> dict[str, Any]:
        """Make a schedule now."""
        record = {
            "Name": "nightly",
            "ScheduleExpression": expression,
            "ScheduleExpressionTimezone": zone,
            "CreationDate": self.clock.now,
            "State": state,
        }
        ministack_scheduler._schedules._data[KEY] = record
        return record

    def after(self, *waits: float) -> list[int]:
        """How many tasks were started after each look, so many seconds after the one before."""
        counts = []
        for seconds in waits:
            self.clock.now += seconds
            self._schedules.look()
            counts.append(len(self.started))
        return counts


def test_a_rate_is_due_at_its_creation_and_after_every_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch, "2026-11-23 10:00:30")
    watched.add("rate(5 minutes)")
    assert watched.after(0, 1, 298, 2, 298, 1) == [1, 1, 1, 2, 2, 3]


def test_what_became_due_while_nobody_looked_is_started_once(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch, "2026-11-23 10:00:00")
    watched.add("rate(1 minute)")
    assert watched.after(0, 600, 1) == [1, 2, 2]


def test_cron_is_due_once_in_each_of_its_minutes_and_not_in_the_one_it_was_made_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watched = Watched(monkeypatch, "2026-11-23 10:15:10")
    watched.add("cron(15,16 10 * * ? *)")
    assert watched.after(0, 20, 30, 30, 60) == [0, 0, 1, 1, 1]


def test_cron_minutes_that_passed_while_nobody_looked_are_started_once(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch, "2026-11-23 10:13:50")
    watched.add("cron(15,16 10 * * ? *)")
    assert watched.after(0, 300, 60) == [0, 1, 1], "at 10:18:50 both minutes are over"


def test_cron_is_read_in_the_schedules_time_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch, "2026-11-23 02:14:30")
    watched.add("cron(15 3 * * ? *)", zone="Europe/Berlin")
    assert watched.after(0, 30) == [0, 1], "03:15 there is 02:15 here in winter"


def test_a_schedule_that_is_switched_off_starts_nothing_then_nor_later_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch, "2026-11-23 10:00:00")
    record = watched.add("rate(1 minute)", state="DISABLED")
    assert watched.after(0, 60) == [0, 0]
    record["State"] = "ENABLED"
    assert watched.after(1, 59) == [0, 1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ScheduleExpression": "rate(1 minutes)"}, "Invalid Schedule Expression: it has the wrong unit"),
        ({"ScheduleExpressionTimezone": "Mars/Olympus"}, "is no time zone"),
        ({"StartDate": 1795000000}, "does not know StartDate 1795000000: leave it out"),
        ({"EndDate": 1795000000}, "does not know EndDate"),
        ({"ActionAfterCompletion": "DELETE"}, "does not know ActionAfterCompletion 'DELETE'"),
        ({"Target": {"Arn": "arn:aws:sqs:us-east-1:123456789012:one"}}, "ECS tasks and of functions only"),
        ({"Target": {"Arn": FUNCTION, "Input": "<aws.scheduler.schedule-arn>"}}, "does not know the keywords"),
    ],
)
def test_a_schedule_that_would_never_run_is_refused(change: dict[str, Any], words: str) -> None:
    good = {"ScheduleExpression": "rate(1 minute)", "Target": {"EcsParameters": {"TaskDefinitionArn": "one:1"}}}
    assert problem_of(good) == ""
    assert problem_of(good | {"Target": {"Arn": FUNCTION, "Input": "{}"}}) == ""
    answered = good | {"StartDate": None, "EndDate": None, "ActionAfterCompletion": "NONE"}
    assert problem_of(answered) == "", "who changes a schedule sends back what was answered"
    assert words in problem_of(good | change)


def test_what_ecs_is_asked_for_is_spelled_as_ecs_spells_it() -> None:
    network = {"awsvpcConfiguration": {"Subnets": ["a"], "SecurityGroups": ["b"], "AssignPublicIp": "DISABLED"}}
    parameters = {"TaskDefinitionArn": "arn:aws:ecs:us-east-1:1:task-definition/job:3", "NetworkConfiguration": network}
    schedule = {"Name": "nightly", "Target": {"Arn": "cluster", "EcsParameters": parameters}}
    assert run_task(schedule) == {
        "cluster": "cluster",
        "taskDefinition": "arn:aws:ecs:us-east-1:1:task-definition/job:3",
        "count": 1,
        "launchType": None,
        "platformVersion": "",
        "networkConfiguration": {
            "awsvpcConfiguration": {"subnets": ["a"], "securityGroups": ["b"], "assignPublicIp": "DISABLED"}
        },
        "group": "family:job",
        "startedBy": "chronos-schedule/nightly",
        "tags": [],
    }


def schedule(cloud: Cloud, name: str, definition: str, **target: Any) -> Any:
    """Make a schedule that is due now, and return the client."""
    scheduler = cloud.client("scheduler")
    if GROUP not in [group["Name"] for group in scheduler.list_schedule_groups()["ScheduleGroups"]]:
        scheduler.create_schedule_group(Name=GROUP)
    ecs = {"TaskDefinitionArn": definition, "LaunchType": "FARGATE", "Tags": [{"key": "job", "value": name}]}
    cluster = f"arn:aws:ecs:us-east-1:123456789012:cluster/{CLUSTER}"
    scheduler.create_schedule(
        Name=name,
        GroupName=GROUP,
        ScheduleExpression="rate(1 minute)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": cluster, "RoleArn": ROLE, "EcsParameters": ecs, **target},
    )
    return scheduler


def test_a_schedule_really_starts_its_task_which_writes_to_its_log(cloud: Cloud) -> None:
    definition = cloud.task_definition(command=["python3", "-c", "print('done by the clock')"])
    scheduler = schedule(cloud, "really", definition)

    def lines() -> list[str]:
        events = cloud.logs.filter_log_events(logGroupName=LOG_GROUP)["events"]
        return [event["message"] for event in events if "by the clock" in event["message"]]

    assert until(lines, 20, "the job's log") == ["done by the clock"]

    def ended() -> list[str]:
        started_by = {"startedBy": "chronos-schedule/really", "desiredStatus": "STOPPED"}
        return list(cloud.ecs.list_tasks(cluster=CLUSTER, **started_by)["taskArns"])

    (arn,) = until(ended, 10, "the job's end")
    task = cloud.ecs.describe_tasks(cluster=CLUSTER, tasks=[arn], include=["TAGS"])["tasks"][0]
    assert (task["taskDefinitionArn"], task["tags"]) == (definition, [{"key": "job", "value": "really"}])
    scheduler.delete_schedule(Name="really", GroupName=GROUP)


def test_a_start_that_ecs_refuses_goes_to_the_dead_letter_queue(cloud: Cloud) -> None:
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName="not-started")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    gone = "arn:aws:ecs:us-east-1:123456789012:task-definition/gone:7"
    scheduler = schedule(cloud, "refused", gone, DeadLetterConfig={"Arn": arn})

    def messages() -> Any:
        return sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"]).get("Messages")

    (message,) = until(messages, 10, "a message")
    assert json.loads(message["Body"])["taskDefinition"] == gone
    said = {name: attribute["StringValue"] for name, attribute in message["MessageAttributes"].items()}
    assert said["SCHEDULE_ARN"].endswith(":schedule/tests/refused")
    assert "Unable to find task definition" in said["ERROR_MESSAGE"]
    scheduler.delete_schedule(Name="refused", GroupName=GROUP)


def role(cloud: Cloud, name: str, *, functions: str) -> str:
    """A role that schedules of GROUP may use, which may invoke these functions."""
    group = f"arn:aws:scheduler:us-east-1:123456789012:schedule-group/{GROUP}"
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "scheduler.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"ArnEquals": {"aws:SourceArn": group}, "StringEquals": {"aws:SourceAccount": "123456789012"}},
    }
    iam = cloud.client("iam")
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
    allowed = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": functions}
    iam.put_role_policy(RoleName=name, PolicyName="invoke", PolicyDocument=json.dumps({"Statement": [allowed]}))
    return str(made["Role"]["Arn"])


def invoking(cloud: Cloud, name: str, role_arn: str, queue: str, payload: str | None) -> None:
    """Make a schedule that invokes FUNCTION now."""
    target = {"Arn": FUNCTION, "RoleArn": role_arn, "DeadLetterConfig": {"Arn": queue}}
    cloud.client("scheduler").create_schedule(
        Name=name,
        GroupName=GROUP,
        ScheduleExpression="rate(1 hour)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=target | ({"Input": payload} if payload else {}),
    )


def test_a_schedule_invokes_a_function_as_its_role(cloud: Cloud) -> None:
    groups = cloud.client("scheduler").list_schedule_groups()["ScheduleGroups"]
    if GROUP not in [group["Name"] for group in groups]:
        cloud.client("scheduler").create_schedule_group(Name=GROUP)
    assert function(cloud, "scheduled") == FUNCTION
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName="not-invoked")["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    may = role(cloud, "may", functions=FUNCTION)
    invoking(cloud, "with-payload", may, queue, '{"asked": "all"}')
    invoking(cloud, "without", may, queue, None)
    invoking(cloud, "as-another", role(cloud, "may-not", functions=f"{FUNCTION}-2"), queue, '{"asked": "in vain"}')
    invoking(cloud, "as-nobody", f"{may}-gone", queue, '{"asked": "by nobody"}')
    found = until(lambda: len(echoed(cloud, "scheduled")) == 2 and echoed(cloud, "scheduled"), 20, "two invocations")
    by_source = {event.get("source", "payload"): event for event in found}
    assert by_source["payload"] == {"asked": "all"}
    assert by_source["aws.scheduler"]["resources"] == [
        "arn:aws:scheduler:us-east-1:123456789012:schedule/tests/without"
    ]
    refused: dict[str, str] = {}

    def both() -> bool:
        for message in sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"]).get("Messages", []):
            refused[message["Body"]] = message["MessageAttributes"]["ERROR_MESSAGE"]["StringValue"]
        return len(refused) == 2

    until(both, 10, "two messages")
    assert "is not authorized to perform: lambda:InvokeFunction" in refused['{"asked": "in vain"}']
    assert "does not let Scheduler assume it" in refused['{"asked": "by nobody"}']


def test_an_expression_that_aws_refuses_is_refused_by_the_call(cloud: Cloud) -> None:
    scheduler = cloud.client("scheduler")
    with pytest.raises(scheduler.exceptions.ValidationException, match="it has 5 fields"):
        scheduler.create_schedule(
            Name="wrong",
            ScheduleExpression="cron(0 10 * * ?)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": "arn", "RoleArn": ROLE, "EcsParameters": {"TaskDefinitionArn": "one:1"}},
        )
