"""infra/worker.py, scheduled_job.py, scheduler_role.py, autoscaling.py: what runs beside web, and how much of it."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from infra import scheduler_role
from tests.deployed import deployed
from tests.recorder import ACCOUNT, DIGEST, REGION, container

if TYPE_CHECKING:
    from tests.recorder import Recorder

SERVICE, SCHEDULE = "aws:ecs/service:Service", "aws:scheduler/schedule:Schedule"
TARGET, POLICY = "aws:appautoscaling/target:Target", "aws:appautoscaling/policy:Policy"
MIGRATE, WEB = ("command:local:Command", "pactum-staging-migrate"), (SERVICE, "pactum-staging-web")
WORKER = {"command": ["python", "worker.py"], "count": 2, "stopSeconds": 90, "connections": 3}
JOB = {"command": ["python", "job.py"], "schedule": "rate(5 minutes)", "timezone": "Europe/Berlin"}
CLUSTER = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/pactum-staging"


def stack(refuse: tuple[str, str] | None = None, **changes: Any) -> Recorder:
    return deployed(refuse=refuse, **changes)


@pytest.fixture(scope="module")
def both() -> Recorder:
    recorder = stack(workers={"mail": WORKER}, jobs={"tick": JOB})
    assert recorder.error is None
    return recorder


def test_a_worker_is_a_service_without_a_balancer_that_ecs_rolls_back_by_itself(both: Recorder) -> None:
    service = both.only(SERVICE, "pactum-staging-mail").inputs
    assert (service["name"], service["desiredCount"], service["launchType"]) == ("mail", 2, "FARGATE")
    assert "loadBalancers" not in service, "nobody asks a worker anything"
    assert service["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    assert (service["deploymentMinimumHealthyPercent"], service["deploymentMaximumPercent"]) == (100, 200)
    assert service["networkConfiguration"]["assignPublicIp"] is False
    assert service["propagateTags"] == "SERVICE", "its tasks are found, and paid for, by their tags"
    assert both.only(SERVICE, "pactum-staging-mail").ignores == frozenset(), "its count is the stack file's"


def test_workers_and_jobs_are_told_what_web_is_told_and_their_own_pool(both: Recorder) -> None:
    web = environment(both, "web")
    for process, pool in (("mail", "3"), ("tick", "2")):
        definition = container(both, f"pactum-staging-{process}")
        assert environment(both, process)["DATABASE_POOL_MAX"] == pool
        for name in ("ALLOWED_HOSTS", "DATABASE_HOST", "RELEASE", "HTTPS"):
            assert environment(both, process)[name] == web[name], "a link in a mail must lead to this very stack"
        assert "WEB_CONCURRENCY" not in environment(both, process)
        secret = {entry["name"] for entry in definition["secrets"]}
        assert {"SECRET_KEY", "DATABASE_USER", "DATABASE_PASSWORD"} <= secret
        assert not [name for name in secret if "MASTER" in name], "only the migration may change the schema"


def environment(recorder: Recorder, process: str) -> dict[str, str]:
    definition = container(recorder, f"pactum-staging-{process}")
    return {entry["name"]: entry["value"] for entry in definition["environment"]}


@pytest.mark.parametrize(("process", "command", "stop"), [("mail", "worker.py", 90), ("tick", "job.py", 30)])
def test_workers_and_jobs_are_hardened_as_web_is(both: Recorder, process: str, command: str, stop: int) -> None:
    definition = container(both, f"pactum-staging-{process}")
    assert definition["command"] == ["python", command]
    assert definition["stopTimeout"] == stop
    assert (definition["user"], definition["readonlyRootFilesystem"]) == ("10001:10001", True)
    assert definition["linuxParameters"]["capabilities"]["drop"] == ["ALL"]
    assert definition["image"].endswith(f"@{DIGEST}")
    assert "healthCheck" not in definition, "nothing answers there"
    assert definition["logConfiguration"]["options"]["awslogs-group"] == f"/pactum/staging/{process}"


def test_a_job_is_started_by_the_clock_as_exactly_this_revision(both: Recorder) -> None:
    schedule = both.only(SCHEDULE).inputs
    assert (schedule["name"], schedule["groupName"]) == ("pactum-staging-tick", "pactum-staging")
    assert (schedule["scheduleExpression"], schedule["scheduleExpressionTimezone"]) == (
        "rate(5 minutes)",
        "Europe/Berlin",
    )
    assert (schedule["flexibleTimeWindow"], schedule["state"]) == ({"mode": "OFF"}, "ENABLED")
    target = schedule["target"]
    cluster = both.only("aws:ecs/cluster:Cluster")
    assert target["arn"].endswith(cluster.name)
    assert target["retryPolicy"] == {"maximumRetryAttempts": 10, "maximumEventAgeInSeconds": 3600}
    assert target["deadLetterConfig"]["arn"].endswith("pactum-staging-jobs-not-started")
    ecs = target["ecsParameters"]
    assert ecs["taskDefinitionArn"] == f"arn:aws:ecs:{REGION}:{ACCOUNT}:pactum-staging-tick"
    assert ecs["networkConfiguration"] == {
        "subnets": ["pactum-staging-private-a-id", "pactum-staging-private-b-id"],
        "securityGroups": ["pactum-staging-tasks-id"],
        "assignPublicIp": False,
    }
    assert (ecs["propagateTags"], ecs["enableEcsManagedTags"]) == ("TASK_DEFINITION", True)
    assert ecs["tags"] == {"pactum:job": "pactum-staging-tick"}


def test_starts_that_failed_are_kept_encrypted_for_two_weeks(both: Recorder) -> None:
    queue = both.only("aws:sqs/queue:Queue").inputs
    assert queue == {"sqsManagedSseEnabled": True, "messageRetentionSeconds": 14 * 24 * 3600}


def test_people_are_told_of_starts_that_failed(both: Recorder) -> None:
    alarm = both.only("aws:cloudwatch/metricAlarm:MetricAlarm", "pactum-staging-jobs-not-started").inputs
    (query,) = alarm["metricQueries"]
    metric = query["metric"]
    assert (metric["namespace"], metric["metricName"]) == ("AWS/SQS", "ApproximateNumberOfMessagesVisible")
    queue = both.only("aws:sqs/queue:Queue")
    assert metric["dimensions"] == {"QueueName": queue.name}
    assert (alarm["comparisonOperator"], alarm["threshold"]) == ("GreaterThanOrEqualToThreshold", 1)
    assert (metric["stat"], alarm["evaluationPeriods"]) == ("Maximum", 1), "one is a job that did not run"
    assert alarm["treatMissingData"] == "notBreaching", "SQS does not count a queue that was empty for six hours"
    topic = both.only("aws:sns/topic:Topic", "pactum-staging-tickets")
    assert alarm["alarmActions"] == alarm["okActions"] == [f"arn:aws:sns:{REGION}:{ACCOUNT}:{topic.name}"]


def test_what_a_worker_or_job_wrote_outlives_its_entry(both: Recorder) -> None:
    groups = both.of_type("aws:cloudwatch/logGroup:LogGroup")
    retained = {group.inputs["name"] for group in groups if group.retained}
    assert retained == {"/pactum/staging/mail", "/pactum/staging/tick"}, (
        "a pipeline may delete no log, and an entry that goes would fail every update from then on"
    )


def test_a_stack_without_jobs_has_no_queue_no_group_and_no_role_for_them() -> None:
    recorder = stack(jobs={})
    assert recorder.error is None
    services = ("scheduler", "sqs", "not-started")
    found = [one.name for one in recorder.resources if any(word in one.type + one.name for word in services)]
    assert found == []


@pytest.mark.parametrize("name", ["mail", "tick"])
def test_workers_and_jobs_come_after_the_migration(both: Recorder, name: str) -> None:
    made = both.only(SERVICE if name == "mail" else SCHEDULE, f"pactum-staging-{name}")
    assert both.waits(made, both.only(*MIGRATE)), "new code would meet an old schema"
    policy = both.only("aws:iam/rolePolicy:RolePolicy", f"pactum-staging-{name}-execution")
    assert both.waits(made, policy), "its tasks may not read their secrets"


def test_the_verdict_comes_after_the_workers_and_jobs_change_only_after_it(both: Recorder) -> None:
    timeline = both.timeline
    assert timeline.index(f"{SERVICE} pactum-staging-mail") < timeline.index("ops verify")
    assert timeline.index("ops verify") < timeline.index(f"{SCHEDULE} pactum-staging-tick")
    refused = stack(("command:local:run", "ops verify"), jobs={"tick": JOB})
    assert refused.error is not None
    assert refused.of_type(SCHEDULE) == [], "a release that was refused must not go on working by night"


def test_a_worker_that_ecs_refuses_fails_the_update_before_the_verdict() -> None:
    refused = stack((SERVICE, "pactum-staging-mail"), workers={"mail": WORKER})
    assert refused.error is not None
    assert "ops verify" not in refused.timeline, "a release would be live whose workers are the old ones"


def test_schedules_wait_for_what_their_role_may_do(both: Recorder) -> None:
    policy = both.only("aws:iam/rolePolicy:RolePolicy", "pactum-staging-scheduler")
    assert both.waits(both.only(SCHEDULE), policy), "a first start could be refused"


@pytest.mark.parametrize(("key", "entry"), [("workers", WORKER), ("jobs", JOB)])
def test_every_further_process_costs_the_same_resources(key: str, entry: dict[str, Any]) -> None:
    counts = []
    for number in (1, 2, 3):
        table = {f"process-{index}": {**entry, "count": 1} if key == "workers" else entry for index in range(number)}
        recorder = stack(None, **{"jobs": {}, key: table})
        assert recorder.error is None
        counts.append(Counter(resource.type for resource in recorder.resources))
    first, second = counts[1] - counts[0], counts[2] - counts[1]
    assert first == second
    custom = {type_: count for type_, count in first.items() if type_.startswith("aws:")}
    started_by = "aws:ecs/service:Service" if key == "workers" else SCHEDULE
    assert custom == {
        "aws:cloudwatch/logGroup:LogGroup": 1,
        "aws:cloudwatch/logMetricFilter:LogMetricFilter": 4,
        # A service lacks tasks; a job fails, or is overdue.
        "aws:cloudwatch/metricAlarm:MetricAlarm": 1 if key == "workers" else 2,
        "aws:iam/role:Role": 2,
        "aws:iam/rolePolicy:RolePolicy": 1,
        "aws:ecs/taskDefinition:TaskDefinition": 1,
        started_by: 1,
    }


def test_the_scheduler_may_start_these_families_in_this_cluster_as_these_roles_only() -> None:
    family = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/pactum-staging-tick"
    policy = scheduler_role.scheduler_policy(CLUSTER, [family], ["arn:role-b", "arn:role-a"], "arn:queue")
    by_action = {statement["Action"]: statement for statement in policy["Statement"]}
    assert sorted(by_action) == ["ecs:RunTask", "ecs:TagResource", "iam:PassRole", "sqs:SendMessage"]
    assert by_action["ecs:RunTask"]["Resource"] == [f"{family}:*"]
    assert by_action["ecs:RunTask"]["Condition"] == {"ArnEquals": {"ecs:cluster": CLUSTER}}
    assert by_action["ecs:TagResource"]["Resource"] == f"{CLUSTER.replace(':cluster/', ':task/')}/*"
    assert by_action["ecs:TagResource"]["Condition"] == {"StringEquals": {"ecs:CreateAction": "RunTask"}}
    assert by_action["iam:PassRole"]["Resource"] == ["arn:role-a", "arn:role-b"]
    assert by_action["iam:PassRole"]["Condition"] == {
        "StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
    }
    assert by_action["sqs:SendMessage"]["Resource"] == "arn:queue"


def test_the_schedulers_role_is_given_what_the_jobs_have_and_nothing_of_web(both: Recorder) -> None:
    policy = json.loads(both.only("aws:iam/rolePolicy:RolePolicy", "pactum-staging-scheduler").inputs["policy"])
    resources = {statement["Action"]: statement["Resource"] for statement in policy["Statement"]}
    assert [arn.rpartition("/")[2] for arn in resources["ecs:RunTask"]] == ["pactum-staging-tick:*"]
    assert [arn.rpartition(":")[2] for arn in resources["iam:PassRole"]] == [
        "pactum-staging-tick-execution",
        "pactum-staging-tick-task",
    ]


def test_only_schedules_of_the_stacks_own_group_may_use_the_role(both: Recorder) -> None:
    trust = json.loads(both.only("aws:iam/role:Role", "pactum-staging-scheduler").inputs["assumeRolePolicy"])
    (statement,) = trust["Statement"]
    assert statement["Principal"] == {"Service": "scheduler.amazonaws.com"}
    group = f"arn:aws:scheduler:{REGION}:{ACCOUNT}:pactum-staging"
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": group}}


def test_all_roles_are_bounded_by_the_policy_that_the_account_wants_and_reach_the_media_bucket() -> None:
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/pactum-boundary"
    recorder = stack(workers={"mail": WORKER}, jobs={"tick": JOB}, permissionsBoundaryArn=boundary, mediaBucket=True)
    assert recorder.error is None
    bounds = {role.name: role.inputs.get("permissionsBoundary") for role in recorder.of_type("aws:iam/role:Role")}
    assert {name for name, bound in bounds.items() if bound != boundary} == set(), "IAM would refuse to make them"
    for process in ("mail", "tick"):
        policy = recorder.only("aws:iam/rolePolicy:RolePolicy", f"pactum-staging-{process}-media").inputs["policy"]
        assert "s3:PutObject" in policy, "what a user uploads is worked on in the background"


def test_how_many_web_tasks_there_are_is_autoscalings_after_the_creation() -> None:
    recorder = stack(webMinimum=2, webMaximum=5)
    service = recorder.only(*WEB)
    assert service.inputs["desiredCount"] == 2
    assert service.ignores == {"desiredCount"}, "an update in the middle of the day would scale five tasks down to two"
    target = recorder.only(TARGET).inputs
    assert (target["minCapacity"], target["maxCapacity"]) == (2, 5)
    assert target["resourceId"] == "service/pactum-staging/web"
    assert (target["serviceNamespace"], target["scalableDimension"]) == ("ecs", "ecs:service:DesiredCount")
    (verify,) = [arguments["command"] for _, arguments in recorder.calls if "ops verify" in arguments["command"]]
    assert "--minimum 2" in verify, "what must run is the minimum, however many there are"


def test_a_raised_minimum_is_brought_about_before_the_verdict_asks_for_it() -> None:
    recorder = stack((TARGET, "pactum-staging-web"))
    assert recorder.error is not None
    assert "ops verify" not in recorder.timeline, "it would wait for tasks that nobody starts"


def test_web_is_scaled_on_cpu_and_on_requests_out_fast_and_in_slowly() -> None:
    recorder = stack(scaleCpuPercent=50, scaleRequestsPerMinute=1234)
    found = {}
    for policy in recorder.of_type(POLICY):
        assert policy.inputs["policyType"] == "TargetTrackingScaling"
        configuration = policy.inputs["targetTrackingScalingPolicyConfiguration"]
        assert configuration["scaleOutCooldown"] < configuration["scaleInCooldown"]
        assert not configuration.get("disableScaleIn"), "tasks that nobody needs would be paid for ever"
        metric = configuration["predefinedMetricSpecification"]
        found[metric["predefinedMetricType"]] = (configuration["targetValue"], metric.get("resourceLabel"))
    balancer, group = (f"{kind}/pactum-staging-web/0123456789abcdef" for kind in ("loadbalancer", "targetgroup"))
    assert found == {
        "ECSServiceAverageCPUUtilization": (50, None),
        "ALBRequestCountPerTarget": (1234, f"{balancer}/{group}"),
    }
