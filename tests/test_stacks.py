"""stacks/: the whole program on real values, in a preview with unknown ones, and when a step fails."""

from __future__ import annotations

import pulumi
import pytest

from rehearsal.cloudwatch import metric_math
from stacks.application import deploy
from stacks.outputs import StackOutputs
from tests.deployed import deployed
from tests.recorder import DIGEST, REFUSED, Recorder, configure, container, record

COMMAND, SERVICE = "command:local:Command", "aws:ecs/service:Service"
RUN = "command:local:run"
TABLE = ("aws:dynamodb/table:Table", "pactum-staging-releases")
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"


def run(*, refuse: tuple[str, str] | None = None) -> Recorder:
    configure("staging", imageDigest=DIGEST)
    return record(deploy, refuse=refuse)


@pytest.mark.parametrize("name", ["staging", "prod"])
def test_a_preview_with_unknown_values_registers_what_an_update_registers(name: str) -> None:
    preview, update = deployed(name, preview=True), deployed(name)
    assert preview.error is None
    assert update.error is None
    assert sorted(preview.names()) == sorted(update.names()), "a reviewer would see something else than what happens"


@pytest.mark.parametrize("made_before", [False, True])
def test_a_preview_runs_no_command(made_before: bool) -> None:
    configure("staging", imageDigest=DIGEST)
    recorder = record(deploy, preview=True, made_before=True) if made_before else deployed(preview=True)
    assert recorder.calls == [], "a preview must change nothing and wait for nothing"


def test_guard_and_verdict_run_at_every_update_about_the_revision_being_rolled_out() -> None:
    for recorder in (deployed(), run()):
        assert [token for token, _ in recorder.calls] == [RUN, RUN]
        guard, command = (arguments["command"] for _, arguments in recorder.calls)
        whose = "--project pactum --stack staging --account 123456789012"
        assert guard.startswith(f".venv/bin/python -m ops guard {whose} --release {DIGEST} ")
        assert command.startswith(f".venv/bin/python -m ops verify {whose}")
        assert "--task-definition arn:aws:ecs:us-east-1:123456789012:pactum-staging-web" in command
        assert f"--release {DIGEST}" in command
        assert "--minimum 1" in command


def test_what_a_command_prints_within_an_update_is_kept_out_of_the_state() -> None:
    recorder = deployed()
    environments = [command.inputs["environment"] for command in recorder.of_type(COMMAND)]
    environments += [arguments["environment"] for _, arguments in recorder.calls]
    assert len(environments) == 4
    assert all(environment["PACTUM_WITHIN_UPDATE"] == "1" for environment in environments)
    assert all(environment["AWS_REGION"] == "us-east-1" for environment in environments)


MIGRATE, WEB = (COMMAND, "pactum-staging-migrate"), (SERVICE, "pactum-staging-web")


@pytest.mark.parametrize(
    ("what", "awaited", "why"),
    [
        (MIGRATE, (COMMAND, "pactum-staging-seed"), "tasks without secrets cannot start"),
        (MIGRATE, ("aws:rds/instance:Instance", "pactum-staging-database"), "there is nothing to migrate"),
        (MIGRATE, ("aws:iam/rolePolicy:RolePolicy", "pactum-staging-migrate-execution"), "it may not read its secrets"),
        (MIGRATE, ("aws:ec2/route:Route", "pactum-staging-private-b-nat"), "its image is out of reach"),
        (
            MIGRATE,
            ("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "pactum-staging-tasks-to-database-in"),
            "",
        ),
        (MIGRATE, ("aws:cloudwatch/logGroup:LogGroup", "pactum-staging-migrate"), "its log has no place"),
        (MIGRATE, ("aws:ecs/cluster:Cluster", "pactum-staging"), "it has no cluster to run in"),
        (WEB, MIGRATE, "new code would meet an old schema"),
        (WEB, ("aws:lb/listener:Listener", "pactum-staging-http"), "ECS refuses a target group without a balancer"),
        (
            WEB,
            ("aws:iam/rolePolicy:RolePolicy", "pactum-staging-web-execution"),
            "its tasks may not read their secrets",
        ),
        (
            ("aws:lb/loadBalancer:LoadBalancer", "pactum-staging-web"),
            ("aws:ec2/internetGateway:InternetGateway", "pactum-staging-internet"),
            "AWS refuses an internet-facing balancer in a VPC without one",
        ),
    ],
)
def test_each_step_waits_for_what_it_needs(what: tuple[str, str], awaited: tuple[str, str], why: str) -> None:
    recorder = deployed()
    assert recorder.waits(recorder.only(*what), recorder.only(*awaited)), why


def test_the_alarms_that_roll_back_do_not_wait_for_the_release() -> None:
    recorder = deployed()
    alarm = recorder.only(ALARM, "pactum-staging-release-errors")
    assert not recorder.waits(alarm, recorder.only(*WEB)), "otherwise the test above could not fail"


STEPS = [
    f"{COMMAND} pactum-staging-seed",
    "ops guard",
    " ".join(MIGRATE),
    " ".join(WEB),
    "ops verify",
]


@pytest.mark.parametrize("name", ["staging", "prod"])
def test_the_steps_of_an_update_come_in_their_order(name: str) -> None:
    """The guard and the verdict are no resources: that others wait for them is seen in time."""
    timeline = deployed(name).timeline
    steps = [step.replace("staging", name) for step in STEPS]
    assert [step for step in timeline if step in steps] == steps
    for slow in (
        TABLE,
        ("aws:rds/instance:Instance", "pactum-staging-database"),
        ("aws:lb/loadBalancer:LoadBalancer", "pactum-staging-web"),
    ):
        before = timeline.index(" ".join(slow).replace("staging", name))
        assert before < timeline.index("ops guard"), "what takes minutes would look like an update that was killed"


@pytest.mark.parametrize(
    ("refused", "step"),
    [
        ((COMMAND, "pactum-staging-seed"), 0),
        (TABLE, 0),
        ((RUN, "ops guard"), 1),
        (MIGRATE, 2),
        (WEB, 3),
        ((RUN, "ops verify"), 4),
    ],
)
def test_a_failed_step_fails_the_update_and_stops_what_follows(refused: tuple[str, str], step: int) -> None:
    recorder = deployed(refuse=refused)
    assert recorder.error is not None, "the update must not end well"
    assert [done for done in recorder.timeline if done in STEPS[step + 1 :]] == [], "the release before keeps serving"


def test_a_refused_release_touches_neither_database_nor_service() -> None:
    recorder = deployed(refuse=(RUN, "ops guard"))
    assert not [one.name for one in recorder.of_type(COMMAND) if one.name != "pactum-staging-seed"]
    assert not recorder.of_type(SERVICE)


@pytest.mark.parametrize("verb", ["guard", "verify"])
def test_a_commands_refusal_is_shown_as_it_is_and_not_as_a_traceback(verb: str) -> None:
    recorder = deployed(refuse=(RUN, f"ops {verb}"))
    assert isinstance(recorder.error, pulumi.RunError), "Pulumi shows any other error with the program's frames"
    assert str(recorder.error) == f"ops {verb}: {REFUSED}"


def test_a_command_that_ends_without_a_word_of_its_own_is_named_with_its_exit_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tests.recorder.REFUSED_SAYING", "some step\n")
    recorder = run(refuse=(RUN, "ops verify"))
    assert str(recorder.error) == "ops verify: ended with exit code 1, and said no more than this:\nsome step"


def test_a_passed_guard_leaves_no_trace_in_what_the_migration_is_run_with() -> None:
    """Its answer feeds the command that waits for it: were it not constant, every update would migrate again."""
    created = {recorder.only(*MIGRATE).inputs["create"] for recorder in (deployed(), run())}
    assert len(created) == 1
    assert "None" not in created.pop()


def test_the_migration_runs_again_for_every_image_and_whenever_its_task_definition_changes() -> None:
    command = deployed().only(COMMAND, "pactum-staging-migrate")
    definition = "arn:aws:ecs:us-east-1:123456789012:pactum-staging-migrate"
    assert command.inputs["triggers"] == [DIGEST, definition]
    assert f"--task-definition {definition}" in command.inputs["create"]


def test_ecs_returns_to_the_last_good_revision_by_itself() -> None:
    recorder = deployed()
    service = recorder.only(SERVICE).inputs
    assert service["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    alarm = recorder.only(ALARM, "pactum-staging-release-errors")
    assert service["alarms"] == {"alarmNames": [alarm.name], "enable": True, "rollback": True}
    assert recorder.waits(recorder.only(SERVICE), alarm), "ECS would be told of an alarm that is not there yet"
    assert alarm.inputs["datapointsToAlarm"] == 1, "users should not see errors for longer than must be"
    assert alarm.inputs["evaluationPeriods"] == 3, (
        "numbers that come minutes late must still count, and ECS waits for each"
    )


def test_no_alarm_that_rolls_back_is_on_the_service_itself() -> None:
    """It would be made after the service, which must be made after it."""
    alarm = deployed().only(ALARM, "pactum-staging-release-errors").inputs
    namespaces = {query["metric"]["namespace"] for query in alarm["metricQueries"] if "metric" in query}
    assert namespaces == {"AWS/ApplicationELB"}


AWS_DEFAULTS = {"interval": 30, "healthyThreshold": 5, "deregistrationDelay": 300, "stopTimeout": 30}
MOST_CONFIGURED_WAITING_SECONDS = 30


def waiting(*, interval: int, healthyThreshold: int, deregistrationDelay: int, stopTimeout: int) -> int:  # noqa: N803 - AWS's
    """Seconds that one round of a rollout waits because of configuration, whatever the release."""
    return interval * healthyThreshold + deregistrationDelay + stopTimeout


def configured_waiting(recorder: Recorder, name: str) -> int:
    group = recorder.only("aws:lb/targetGroup:TargetGroup", f"pactum-{name}-web").inputs
    service = recorder.only(SERVICE).inputs
    desired = service["desiredCount"]
    # Rounded as ECS does: new tasks fit above, old ones may leave below, round after round.
    above = desired * service["deploymentMaximumPercent"] // 100 - desired
    below = desired - -(-desired * service["deploymentMinimumHealthyPercent"] // 100)
    assert above + below > 0, "the deployment could not move"
    rounds = -(-desired // (above + below))
    return int(
        rounds
        * waiting(
            interval=group["healthCheck"]["interval"],
            healthyThreshold=group["healthCheck"]["healthyThreshold"],
            deregistrationDelay=group["deregistrationDelay"],
            stopTimeout=container(recorder, f"pactum-{name}-web")["stopTimeout"],
        )
    )


@pytest.mark.parametrize("name", ["staging", "prod"])
def test_a_rollout_waits_thirty_seconds_at_most_for_what_is_configured(name: str) -> None:
    assert waiting(**AWS_DEFAULTS) == 480, "what it would be by AWS's defaults"
    assert configured_waiting(deployed(name), name) <= MOST_CONFIGURED_WAITING_SECONDS


def test_new_tasks_are_there_before_old_ones_leave() -> None:
    service = deployed().only(SERVICE).inputs
    assert service["deploymentMinimumHealthyPercent"] == 100, "users need all the tasks there are"
    assert service["networkConfiguration"]["assignPublicIp"] is False


def test_without_a_certificate_the_balancer_speaks_http_and_with_one_http_redirects() -> None:
    plain = deployed().of_type("aws:lb/listener:Listener")
    assert [(one.inputs["port"], one.inputs["defaultActions"][0]["type"]) for one in plain] == [(80, "forward")]
    certificate = "arn:aws:acm:us-east-1:123456789012:certificate/0a1b"
    recorder = deployed(domainName="pactum.example.com", certificateArn=certificate)
    encrypted = recorder.of_type("aws:lb/listener:Listener")
    assert {(one.inputs["port"], one.inputs["defaultActions"][0]["type"]) for one in encrypted} == {
        (80, "redirect"),
        (443, "forward"),
    }


def test_a_first_deployment_is_not_rolled_back_for_having_no_tasks_yet() -> None:
    alarm = deployed().only(ALARM, "pactum-staging-release-errors").inputs
    metrics = {query["metric"]["metricName"] for query in alarm["metricQueries"] if "metric" in query}
    assert metrics == {"HTTPCode_Target_5XX_Count", "HTTPCode_ELB_502_Count", "HTTPCode_ELB_504_Count", "RequestCount"}


@pytest.mark.parametrize(
    ("errors", "requests", "rolled_back"),
    [
        (4, 4, False),  # the night's one user, unlucky
        (5, 5, True),
        (5, 1000, False),  # what any large site has
        (49, 1000, False),
        (50, 1000, True),
    ],
)
def test_a_release_is_rolled_back_for_a_share_of_errors_and_not_for_a_few(
    errors: int, requests: int, rolled_back: bool
) -> None:
    alarm = deployed().only(ALARM, "pactum-staging-release-errors").inputs
    (share,) = [query["expression"] for query in alarm["metricQueries"] if "expression" in query]
    minute = {"m0": {0: float(errors)}, "m1": {}, "m2": {}, "m3": {0: float(requests)}}
    value = metric_math.evaluate(share, minute, [0])[0]
    assert (value >= alarm["threshold"]) is rolled_back
    uncounted = metric_math.evaluate(share, minute | {"m3": {}}, [0]).get(0, 0)
    assert uncounted < alarm["threshold"], "errors that are counted before the requests are not all there is"
    assert not alarm.get("alarmActions"), "the alarm on errors tells people, by the rule they tuned"


def test_the_stack_files_outbound_ports_are_opened() -> None:
    rule = deployed(outboundPorts=[587]).only(
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", "pactum-staging-tasks-to-port-587"
    )
    assert rule.inputs["toPort"] == 587


def test_logs_are_kept_as_long_as_the_stack_says() -> None:
    groups = deployed("prod").of_type("aws:cloudwatch/logGroup:LogGroup")
    assert {group.inputs.get("name", group.name) for group in groups} == {
        "/pactum/prod/web",
        "/pactum/prod/migrate",
        "/pactum/prod/shell",
        "/pactum/prod/clear-sessions",
        "/pactum/prod/events",
        "/pactum/prod/watch",
        "/aws/rds/instance/pactum-prod-database/postgresql",
        "/aws/rds/instance/pactum-prod-database/upgrade",
        "aws-waf-logs-pactum-prod",
        "pactum-prod-flow-logs",
    }
    assert all(group.inputs["retentionInDays"] == 365 for group in groups), "without retention logs are kept for ever"


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    seen: dict[str, object] = {}
    monkeypatch.setattr(pulumi, "export", seen.__setitem__)
    return seen


def test_every_declared_output_is_exported(exported: dict[str, object]) -> None:
    run()
    assert set(exported) == set(StackOutputs.__dataclass_fields__)


def test_no_secret_marker_is_needed_because_no_secret_value_is_there() -> None:
    recorder = deployed()
    text = repr([resource.inputs for resource in recorder.resources])
    assert "4dabf18193072939515e22adb298388d" not in text, "Pulumi would have to encrypt something it should not know"
