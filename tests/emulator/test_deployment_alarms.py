"""Deployments that alarms watch, of services without tasks, in this process and by a clock that the tests turn."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ministack.services import cloudwatch, ecs
from rehearsal.emulator import rollback
from rehearsal.emulator.deployment_alarms import DeploymentAlarms, is_baking
from rehearsal.emulator.service_scheduler import Scheduler, service_view

from conftest import BAKE_SECONDS, Clock

NAMES = {"cluster": "alarms", "service": "web"}
ALARM = "errors"


def configuration(**changes: object) -> dict[str, Any]:
    """A deployment configuration with one alarm, and rollback."""
    return {"alarms": {"alarmNames": [ALARM], "enable": True, "rollback": True} | changes}


def set_alarm(state: str) -> None:
    """Put the alarm into a state."""
    cloudwatch._set_alarm_state({}, {"AlarmName": ALARM, "StateValue": state, "StateReason": "test"}, False, True)


@pytest.fixture
def service(scheduler: Scheduler) -> Iterator[dict[str, Any]]:
    """A service whose first deployment has completed, and an alarm that is OK."""
    description = {
        "AlarmName": ALARM,
        "Namespace": "N",
        "MetricName": "M",
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 1,
    }
    cloudwatch._put_metric_alarm({}, description, False, True)
    set_alarm("OK")
    ecs._create_cluster({"clusterName": "alarms"})
    ecs._create_service(NAMES | {"serviceName": "web", "taskDefinition": "one:1", "desiredCount": 0})
    made = ecs._services["alarms/web"]
    scheduler.tend("alarms", made)
    yield made
    ecs._delete_service(NAMES)


def deploy(scheduler: Scheduler, service: dict[str, Any], **changes: object) -> None:
    """Roll the service to a second revision, watched by the alarm, and have the scheduler look once."""
    update = {"taskDefinition": "two:1", "deploymentConfiguration": configuration(**changes)}
    ecs._update_service(NAMES | update)
    scheduler.tend("alarms", service)


def states(service: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """(status, rolloutState) by task definition."""
    return {d["taskDefinition"]: (d["status"], d["rolloutState"]) for d in service["deployments"]}


def test_a_watched_deployment_bakes_before_it_is_complete(
    scheduler: Scheduler, service: dict[str, Any], bake_clock: Clock
) -> None:
    deploy(scheduler, service)
    bake_clock.now += BAKE_SECONDS - 1
    scheduler.tend("alarms", service)
    assert states(service) == {"two:1": ("PRIMARY", "IN_PROGRESS"), "one:1": ("ACTIVE", "COMPLETED")}, (
        "ECS keeps what it would return to until the bake time is over"
    )
    bake_clock.now += 1
    scheduler.tend("alarms", service)
    assert states(service) == {"two:1": ("PRIMARY", "COMPLETED")}, "no alarm went off"


def test_an_alarm_while_it_bakes_rolls_back_to_the_last_completed_deployment(
    scheduler: Scheduler, service: dict[str, Any], bake_clock: Clock
) -> None:
    earlier = service["deployments"][0]["id"]
    deploy(scheduler, service)
    bake_clock.now += BAKE_SECONDS - 1
    set_alarm("ALARM")
    scheduler.tend("alarms", service)
    assert states(service) == {"one:1": ("PRIMARY", "COMPLETED"), "two:1": ("ACTIVE", "FAILED")}, (
        "the alarm is in ALARM still, and must neither fail the rollback nor make it bake"
    )
    assert service["taskDefinition"] == "one:1", "what DescribeServices says that runs"
    assert service["deployments"][0]["id"] == earlier, "AWS returns to the deployment itself, under its own id"
    failed = service["deployments"][1]
    assert failed["rolloutStateReason"] == "ECS deployment failed: alarm detected.", "what a verdict reads"
    messages = [event["message"] for event in service["events"]]
    assert f"(service web) (deployment {failed['id']}) deployment failed: alarm detected." in messages, "ECS's words"
    assert f"(service web) rolling back to deployment {earlier}." in messages, "ECS's words"


def test_what_was_noted_of_a_deployments_first_time_does_not_hold_when_it_is_returned_to(
    scheduler: Scheduler, service: dict[str, Any], bake_clock: Clock
) -> None:
    deploy(scheduler, service)
    bake_clock.now += BAKE_SECONDS
    scheduler.tend("alarms", service)
    ecs._update_service(NAMES | {"taskDefinition": "three:1"})
    scheduler.tend("alarms", service)
    set_alarm("ALARM")
    three = service["deployments"][0]
    two = rollback.fail(service, three, reason="why", said="what", returning="rolling back to {id}")
    assert two is not None and two["taskDefinition"] == "two:1", "the last that completed"  # noqa: PT018
    watching = DeploymentAlarms(BAKE_SECONDS, bake_clock)
    watching.begun(service, two)
    assert not watching.failed(service, two), "it was watched once; the way back is not, with the alarm on"


def test_a_deployment_that_is_rolled_back_is_listed_as_in_progress_a_moment_longer(
    scheduler: Scheduler, service: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(scheduler, service)
    set_alarm("ALARM")
    clock = Clock()
    monkeypatch.setattr(rollback.time, "monotonic", clock)
    scheduler.tend("alarms", service)
    assert listed() == {"one:1": "COMPLETED", "two:1": "IN_PROGRESS"}, "as it was seen on AWS"
    clock.now += rollback.FAILED_IS_SHOWN_AFTER_SECONDS
    assert listed() == {"one:1": "COMPLETED", "two:1": "FAILED"}, "in the end ECS says so"


def listed() -> dict[str, str]:
    """The rolloutState by task definition, as DescribeServices answers."""
    answer = json.loads(ecs._describe_services({"cluster": "alarms", "services": ["web"]})[2])
    return {d["taskDefinition"]: d["rolloutState"] for d in answer["services"][0]["deployments"]}


def test_an_alarm_that_is_on_before_a_deployment_does_not_fail_it(
    scheduler: Scheduler, service: dict[str, Any]
) -> None:
    set_alarm("ALARM")
    deploy(scheduler, service)
    assert states(service) == {"two:1": ("PRIMARY", "COMPLETED")}, "or nobody could deploy the fix"


def test_without_rollback_the_deployment_stays_failed(scheduler: Scheduler, service: dict[str, Any]) -> None:
    deploy(scheduler, service, rollback=False)
    set_alarm("ALARM")
    scheduler.tend("alarms", service)
    assert states(service)["two:1"] == ("PRIMARY", "FAILED"), "nobody asked ECS to return"


def test_alarms_that_are_not_enabled_are_nobodys_business(scheduler: Scheduler, service: dict[str, Any]) -> None:
    deploy(scheduler, service, enable=False)
    assert states(service) == {"two:1": ("PRIMARY", "COMPLETED")}, "no bake time without alarms"


@pytest.mark.usefixtures("service")
def test_alarms_count_from_the_first_task_that_runs(bake_clock: Clock) -> None:
    watching = DeploymentAlarms(BAKE_SECONDS, bake_clock)
    deployment = {"id": "ecs-svc/9", "rolloutState": "IN_PROGRESS", "status": "PRIMARY", "_watched": True}
    service = {
        "serviceName": "web",
        "serviceArn": "arn-of-web",
        "clusterArn": "arn",
        "deployments": [deployment],
        "events": [],
        "deploymentConfiguration": configuration(),
    }
    set_alarm("ALARM")
    task = {"clusterArn": "arn", "_deployment_id": "ecs-svc/9", "lastStatus": "PENDING"}
    ecs._tasks["alarm-test"] = task
    assert not watching.failed(service, deployment), "the new revision cannot have caused it yet"
    task["lastStatus"] = "RUNNING"
    assert watching.failed(service, deployment), "now it can"
    del ecs._tasks["alarm-test"]


def test_a_task_lost_while_it_bakes_is_replaced_by_its_own_revision(
    scheduler: Scheduler, service: dict[str, Any]
) -> None:
    deploy(scheduler, service)
    primary = service["deployments"][0]
    assert is_baking(primary), "all its tasks, none, are healthy and alone"
    assert service_view(service, primary).fallback == "", "the revision before has been scaled down for good"
