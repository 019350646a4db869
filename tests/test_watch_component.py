"""infra/observability/watch.py: the function as the program asks for it, what starts it, and what it is told."""

from __future__ import annotations

import functools
import json
from typing import Any

import pytest

from infra.observability.watch import shortened
from infra.process_settings import MOST_PROCESSES
from ops.watch.assignment import Assignment, read
from stacks import application
from tests.recorder import DIGEST, Recorded, Recorder, configure, record

FUNCTION, RULE = "aws:lambda/function:Function", "aws:cloudwatch/eventRule:EventRule"
TARGET = "aws:cloudwatch/eventTarget:EventTarget"
PERMISSION, SCHEDULE = "aws:lambda/permission:Permission", "aws:scheduler/schedule:Schedule"
SERVICE = "aws:ecs/service:Service"
WORKER = {"command": ["python", "manage.py", "mail"]}
NAME = "pactum-prod-watch"
# Lambda quotas: "Environment variables: 4 KB, for all of them".
MOST_ENVIRONMENT_BYTES = 4096


@functools.cache
def prod() -> Recorder:
    configure("prod", imageDigest=DIGEST, workers={"mail": WORKER})
    recorder = record(application.deploy, stack="prod")
    assert recorder.error is None, recorder.error
    return recorder


def told(recorder: Recorder) -> dict[str, str]:
    variables: dict[str, str] = recorder.only(FUNCTION).inputs["environment"]["variables"]
    return variables


def assignment(recorder: Recorder) -> Assignment:
    return read(told(recorder))


def started_by(name: str) -> tuple[Recorded, Recorded, Recorded]:
    recorder = prod()
    return recorder.only(RULE, name), recorder.only(TARGET, name), recorder.only(PERMISSION, name)


def test_the_function_is_small_current_and_logs_where_logs_of_ours_end() -> None:
    asked = prod().only(FUNCTION, NAME).inputs
    assert (asked["name"], asked["runtime"], asked["architectures"]) == (NAME, "python3.13", ["arm64"])
    assert (asked["memorySize"], asked["handler"]) == (128, "ops.watch.handler.handle")
    assert "vpcConfig" not in asked, "it asks at the door that users come through"
    assert asked["timeout"] < 60, "the next pass must not find the last one under way"
    assert asked["loggingConfig"]["logGroup"] == "/pactum/prod/watch"
    assert asked["loggingConfig"]["systemLogLevel"] == "WARN", "three lines a minute would be kept for a year"
    assert prod().only("aws:cloudwatch/logGroup:LogGroup", NAME).inputs["retentionInDays"] == 365


def test_it_is_told_what_there_is_to_look_at() -> None:
    found = assignment(prod())
    assert (found.name, found.namespace, found.table) == ("pactum-prod", "pactum/prod", "pactum-prod-releases")
    assert found.services == ("web", "mail")
    assert found.jobs == ("clear-sessions",)
    assert found.readiness_url == "https://pactum.example.com/readyz", "as users do, by the domain"
    assert found.balancer == "pactum-prod-web-1.us-east-1.elb.amazonaws.com"
    assert {arn.rpartition(":")[2] for arn in found.secrets} == {"pactum-prod-secret-key", "pactum-prod-database-login"}
    names = {each.inputs["name"] for each in prod().of_type(SERVICE)}
    assert names == set(found.services), "a service that is not looked at can be without tasks for weeks"


def test_what_it_is_told_of_schedules_is_what_they_are_called() -> None:
    (schedule,) = prod().of_type(SCHEDULE)
    found = assignment(prod())
    assert (schedule.inputs["groupName"], schedule.inputs["name"]) == (found.name, found.family("clear-sessions"))


def test_it_starts_each_minute_from_the_verdict_on() -> None:
    rule, target, permission = started_by(f"{NAME}-minutes")
    assert (rule.inputs["scheduleExpression"], rule.inputs["state"]) == ("rate(1 minute)", "ENABLED")
    timeline = prod().timeline
    assert timeline.index("ops verify") < timeline.index(f"{RULE} {NAME}-minutes"), "a stack that is made is not ready"
    function = prod().only(FUNCTION)
    assert target.inputs["arn"].endswith(f":{NAME}")
    assert prod().waits(target, function)
    assert prod().waits(target, permission), "or the first minutes are refused"


def test_it_asks_for_the_domain_only_when_its_name_is_there() -> None:
    rule, _, _ = started_by(f"{NAME}-minutes")
    record_of_domain = prod().only("aws:route53/record:Record", "pactum-prod-domain")
    assert prod().waits(rule, record_of_domain), "who asked too early is told for 15 minutes that there is no such name"


def test_it_is_told_of_the_ends_of_jobs_and_of_no_other_tasks() -> None:
    rule, target, permission = started_by(f"{NAME}-jobs")
    pattern = json.loads(rule.inputs["eventPattern"])
    cluster = prod().only("aws:ecs/cluster:Cluster")
    assert pattern == {
        "source": ["aws.ecs"],
        "detail-type": ["ECS Task State Change"],
        "detail": {
            "clusterArn": [f"arn:aws:ecs:us-east-1:123456789012:{cluster.name}"],
            "lastStatus": ["STOPPED"],
            "group": ["family:pactum-prod-clear-sessions"],
        },
    }
    assert prod().waits(target, permission)


@pytest.mark.parametrize("name", [f"{NAME}-minutes", f"{NAME}-jobs"])
def test_only_its_own_rules_start_it(name: str) -> None:
    rule, _, permission = started_by(name)
    asked = permission.inputs
    assert (asked["principal"], asked["action"]) == ("events.amazonaws.com", "lambda:InvokeFunction")
    assert asked["sourceArn"].endswith(f":{rule.name}")
    assert "functionUrlAuthType" not in asked


def test_what_fails_is_tried_again_and_not_for_hours() -> None:
    asked = prod().only("aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig").inputs
    assert (asked["maximumRetryAttempts"], asked["maximumEventAgeInSeconds"]) == (2, 3600)
    assert asked["functionName"] == NAME


def test_a_stack_without_jobs_has_nothing_about_them() -> None:
    configure("staging", imageDigest=DIGEST, jobs=None)
    recorder = record(application.deploy)
    assert recorder.error is None, recorder.error
    assert [each.name for each in recorder.of_type(RULE) if "watch" in each.name] == ["pactum-staging-watch-minutes"]
    assert assignment(recorder).jobs == ()
    policy = recorder.only("aws:iam/rolePolicy:RolePolicy", "pactum-staging-watch").inputs["policy"]
    assert "dynamodb" not in policy
    assert "scheduler" not in policy


def test_with_the_most_that_a_stack_file_may_have_lambda_takes_the_environment() -> None:
    processes = [f"{number:02}" + "p" * 10 for number in range(MOST_PROCESSES)]
    configure(
        "prod",
        imageDigest=DIGEST,
        workers={f"w{name}": WORKER for name in processes},
        jobs={f"j{name}": {**WORKER, "schedule": "rate(1 hour)"} for name in processes},
        secrets=[f"A{number:02}_{'LONG_NAME_' * 4}" + "X" for number in range(20)],
    )
    recorder = record(application.deploy, stack="prod")
    assert recorder.error is None, recorder.error
    asked = told(recorder)
    assert sum(len(name) + len(value) for name, value in asked.items()) < MOST_ENVIRONMENT_BYTES - 1000, (
        "with real ARNs"
    )
    assert len(assignment(recorder).secrets) == 22


def test_texts_are_shortened_to_what_differs() -> None:
    assert json.loads(shortened(["abc-2", "abc-1"])) == ["abc-", ["1", "2"]]
    assert json.loads(shortened(["one"])) == ["one", [""]]


def minutes(recorder: Recorder) -> dict[str, Any]:
    return recorder.only(RULE, f"{NAME}-minutes").inputs


def test_a_preview_of_a_stack_that_is_there_changes_nothing_of_it() -> None:
    configure("prod", imageDigest=DIGEST, workers={"mail": WORKER})
    before = record(application.deploy, stack="prod", preview=True, made_before=True)
    assert before.error is None, before.error
    assert minutes(before) == minutes(prod()), "each preview would show a change"
    assert told(before) == told(prod())
