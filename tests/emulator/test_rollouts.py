"""Services behind a balancer: rollouts without a lost request, rollbacks, draining, and the front door."""

import http.client
import time
from typing import Any

import pytest

from emulator_cloud import CLUSTER, Cloud, Load, get, until

REQUESTS = 1100  # more than the 1000 after which the web server by itself would end a connection
Service = tuple[str, str, str]  # name, DNS name of the balancer, first task definition


def checked(cloud: Cloud, command: str) -> str:
    """A task definition with a container health check every 5 s."""
    check = {"command": ["CMD-SHELL", command], "interval": 5, "timeout": 2, "retries": 1}
    return cloud.task_definition(healthCheck=check)


@pytest.fixture(scope="module", autouse=True)
def _checked_services(cloud: Cloud) -> None:
    """Two services with container checks, started early because their failures take a while."""
    cloud.unbalanced("well", checked(cloud, "true"))
    cloud.unbalanced("unwell", checked(cloud, "false"))


@pytest.fixture(scope="module")
def web(cloud: Cloud) -> Service:
    """A healthy service of two tasks."""
    name, group, subnet = cloud.balancer("web", delay_seconds=3)
    definition = cloud.task_definition({"VERSION": "1"})
    cloud.service("web", definition, group, subnet, grace_seconds=20)
    cloud.settled("web", definition, 30)
    return "web", name, definition


def test_the_balancer_adds_its_headers_at_both_doors(cloud: Cloud, web: Service, emulator: Any) -> None:
    for port in (cloud.port, emulator.front_port):
        status, text = get(port, "/headers", web[1])
        headers = dict(line.split(": ", 1) for line in text.splitlines())
        assert status == 200, text
        assert headers["host"] == web[1], "the application knows the balancer by this name"
        assert headers["x-forwarded-for"] == "127.0.0.1", "the client's address"
        assert (headers["x-forwarded-proto"], headers["x-forwarded-port"]) == ("http", "80"), "of the listener"
        assert headers["x-amzn-trace-id"].startswith("Root=1-"), "the id by which a request is found in the logs"


@pytest.mark.usefixtures("web")
def test_a_browser_at_the_front_door_stays_there(emulator: Any) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", emulator.front_port, timeout=10)
    for _ in range(2):
        connection.request("GET", "/go")
        response = connection.getresponse()
        response.read()
        assert response.getheader("Location") == "/landed", "the balancer's own name means nothing to a browser"
        assert response.getheader("Set-Cookie") == "a=1", "a secure cookie would be lost on plain HTTP"
    connection.close()


@pytest.mark.usefixtures("web")
def test_the_users_domain_leads_to_the_balancer(cloud: Cloud) -> None:
    status, text = get(cloud.port, "/headers", "pactum.example.com")
    assert status == 200, "on AWS a DNS record would lead there"
    assert "host: pactum.example.com" in text, "the application sees the name that the user typed"


@pytest.mark.parametrize("door", ["port", "front_port"])
def test_a_connection_stays_open_over_any_number_of_requests(web: Service, emulator: Any, door: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", getattr(emulator, door), timeout=10)
    connection.auto_open = 0  # a connection that was closed must be noticed, not opened again
    connection.connect()
    for number in range(REQUESTS):
        connection.request("GET", "/", headers={"Host": web[1]})
        response = connection.getresponse()
        assert (response.status, response.read()) == (200, b"version 1"), f"request {number}"
        assert not response.will_close, f"the balancer ends the connection after {number} requests"
    connection.close()


def test_paths_of_the_emulator_itself_reach_the_application(cloud: Cloud, web: Service) -> None:
    assert get(cloud.port, "/_ministack/health", web[1]) == (200, "version 1"), "AWS's balancer has no pages of its own"


def test_a_slow_boot_loses_no_request_and_the_old_tasks_drain(cloud: Cloud, web: Service) -> None:
    service, name, _ = web
    old = cloud.ecs.list_tasks(cluster=CLUSTER, serviceName=service)["taskArns"]
    definition = cloud.task_definition({"VERSION": "2", "BOOT_SECONDS": "3"})
    with Load(cloud.port, name) as load, Load(cloud.port, name, "/slow") as in_flight:
        cloud.update(service, definition)
        cloud.settled(service, definition, 45)
        gone = time.monotonic()
        states = {cloud.task(arn)["lastStatus"] for arn in old}
        until(lambda: all(cloud.task(arn)["lastStatus"] == "STOPPED" for arn in old), 20, "old tasks to stop")
        drained = time.monotonic() - gone
    assert load.failed == {}, "a rolling update must be invisible to users"
    assert in_flight.failed == {}, "requests of 2 s that were under way finish within the deregistration delay"
    assert in_flight.answers["slow"] > 0, "there were such requests"
    assert load.answers["version 2"] > 0, "the new version serves"
    assert states <= {"DEACTIVATING", "STOPPING"}, "old tasks leave the balancer before they get SIGTERM"
    assert 1 < drained < 15, "they wait for the deregistration delay of 3 s"


def test_a_release_that_never_gets_healthy_is_rolled_back_unnoticed(cloud: Cloud, web: Service) -> None:
    service, name, _ = web
    good = cloud.describe(service)["taskDefinition"]
    cloud.ecs.update_service(cluster=CLUSTER, service=service, healthCheckGracePeriodSeconds=0)
    bad = cloud.task_definition({"VERSION": "bad", "HEALTH": "500"})
    with Load(cloud.port, name) as load:
        cloud.update(service, bad)
        revision = bad.rsplit(":", 1)[-1]
        until(lambda: cloud.deployments(service).get(revision, {}).get("rolloutState") == "FAILED", 60, "FAILED")
        cloud.settled(service, good, 15)
    assert load.failed == {}, "the release before must go on serving"
    assert "version bad" not in load.answers, "an unhealthy target must not get a request"
    assert cloud.deployments(service)[revision]["rolloutStateReason"].endswith("tasks failed to start."), "ECS's words"
    events = [event["message"] for event in cloud.describe(service)["events"]]
    assert any("rolling back to deployment ecs-svc/" in event for event in events), "what an operator looks for"
    tasks = [cloud.task(arn) for arn in cloud.ecs.list_tasks(cluster=CLUSTER, desiredStatus="STOPPED")["taskArns"]]
    reasons = {task["stoppedReason"] for task in tasks if task["taskDefinitionArn"] == bad}
    assert any("Task failed ELB health checks in (target-group arn:aws:" in reason for reason in reasons), reasons


def test_a_release_that_crashes_is_rolled_back(cloud: Cloud, web: Service) -> None:
    service, name, _ = web
    good = cloud.describe(service)["taskDefinition"]
    bad = cloud.task_definition({"CRASH": "1"})
    with Load(cloud.port, name) as load:
        cloud.update(service, bad)
        revision = bad.rsplit(":", 1)[-1]
        until(lambda: cloud.deployments(service).get(revision, {}).get("rolloutState") == "FAILED", 40, "FAILED")
        cloud.settled(service, good, 15)
    assert load.failed == {}, "the release before must go on serving"
    assert cloud.deployments(service)[revision]["failedTasks"] == 3, "the breaker's threshold for two tasks"


def test_a_killed_task_is_replaced(cloud: Cloud, web: Service, docker_client: Any) -> None:
    service, name, _ = web
    arns = cloud.ecs.list_tasks(cluster=CLUSTER, serviceName=service)["taskArns"]
    with Load(cloud.port, name) as load:
        docker_client.containers.list(filters={"label": f"com.amazonaws.ecs.task-arn={arns[0]}"})[0].kill()
        time.sleep(1)
    assert load.failed.keys() <= {502}, "a balancer answers so for a target that is gone, and tries no other"

    def replaced() -> bool:
        now = cloud.ecs.list_tasks(cluster=CLUSTER, serviceName=service)["taskArns"]
        return arns[0] not in now and cloud.describe(service)["runningCount"] == 2

    with Load(cloud.port, name) as load:
        until(replaced, 20, "a second task")
    assert load.failed == {}, "a second later the balancer knows"
    assert cloud.stopped(arns[0])["containers"][0]["exitCode"] == 137, "killed"


def test_a_first_deployment_that_fails_stays_failed(cloud: Cloud) -> None:
    name, group, subnet = cloud.balancer("first")
    cloud.service("first", cloud.task_definition({"CRASH": "1"}), group, subnet)
    until(lambda: cloud.describe("first")["deployments"][0]["rolloutState"] == "FAILED", 40, "FAILED")
    until(lambda: not cloud.ecs.list_tasks(cluster=CLUSTER, serviceName="first")["taskArns"], 10, "the last crash")
    started = len(cloud.ecs.list_tasks(cluster=CLUSTER, serviceName="first", desiredStatus="STOPPED")["taskArns"])
    time.sleep(2)
    assert cloud.describe("first")["deployments"][0]["status"] == "PRIMARY", "there is nothing to go back to"
    now = len(cloud.ecs.list_tasks(cluster=CLUSTER, serviceName="first", desiredStatus="STOPPED")["taskArns"])
    assert now == started, "a failed deployment starts no more tasks"
    assert get(cloud.port, "/", name)[0] == 503, "no target has registered"


def test_container_health_checks_decide_where_no_balancer_does(cloud: Cloud) -> None:
    until(lambda: cloud.describe("unwell")["deployments"][0]["rolloutState"] == "FAILED", 40, "FAILED")
    well = cloud.ecs.list_tasks(cluster=CLUSTER, serviceName="well")["taskArns"]
    assert cloud.describe("well")["deployments"][0]["rolloutState"] == "COMPLETED", "its check passes"
    assert cloud.task(well[0])["healthStatus"] == "HEALTHY", "what DescribeTasks says of it"
    stopped = cloud.ecs.list_tasks(cluster=CLUSTER, serviceName="unwell", desiredStatus="STOPPED")["taskArns"]
    assert len(stopped) == 3, "the breaker's threshold for one task"
    reasons = {cloud.task(arn)["stoppedReason"] for arn in stopped}
    assert reasons == {"Task failed container health checks"}, "ECS's words"
