"""What breaks inside the emulator is told or counted; nobody is left waiting for it."""

import os
import threading
import types
from pathlib import Path
from typing import Any

import pytest
import urllib3
from docker.errors import APIError
from ministack.services import ecs
from rehearsal.emulator import container_watch, repeating, target_health, target_probes, task_health
from rehearsal.emulator.service_scheduler import Scheduler
from rehearsal.emulator.target_health import TargetRegistry
from rehearsal.emulator.task_stop import Stopper

from conftest import start
from emulator_cloud import CLUSTER, Cloud, until

BROKEN_SCHEDULER = """
import runpy
from rehearsal.emulator import deployments

def decide(*_):
    raise ZeroDivisionError("a fault in the scheduler")

deployments.decide = decide
runpy.run_module("rehearsal.emulator", run_name="__main__")
"""
TASK_ARN = "arn:aws:ecs:us-east-1:123456789012:task/tests/0123456789abcdef"


def a_task(**changes: Any) -> dict[str, Any]:
    """A running task of one essential container, of no service."""
    containers = [{"name": "web", "lastStatus": "RUNNING"}]
    return {
        "taskArn": TASK_ARN,
        "taskDefinitionArn": "tests:1",
        "lastStatus": "RUNNING",
        "containers": containers,
        "version": 1,
    } | changes


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeating, "PAUSE_SECONDS", 0.0)


def test_an_emulator_whose_scheduler_always_fails_ends_with_the_reason(tmp_path: Path, docker_client: Any) -> None:
    emulator = start(tmp_path, ("-c", BROKEN_SCHEDULER), REHEARSAL_PARENT_PID=str(os.getpid()))
    cloud = Cloud(emulator.port, "none")
    cloud.ecs.create_cluster(clusterName=CLUSTER)
    cloud.unbalanced("web", cloud.task_definition())
    assert emulator.process.wait(timeout=20) == 1, "who waits for a deployment must not wait for 15 minutes instead"
    end = (tmp_path / "emulator.log").read_text()[-3000:]
    assert "Traceback" in end, "this is a fault of the program"
    assert "ZeroDivisionError: a fault in the scheduler" in end, "the end of the log is what the rehearsal shows"
    assert "tests/web" in end, "and the service is named"
    filters = {"label": f"pactum.rehearsal={emulator.port}"}
    assert docker_client.networks.list(filters=filters) == [], "it removes everything as at any other end"


def test_an_error_between_services_does_not_end_the_scheduler_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Exception] = []
    scheduler = Scheduler(None, TargetRegistry(lambda _: 0.0), Stopper(None, threading.Event()))
    monkeypatch.setattr(ecs, "_services", None)
    scheduler.wake()
    scheduler.run(threading.Event(), told.append)
    assert len(told) == 1, "a thread that just ends is a deployment that never ends"
    assert "AttributeError" in str(told[0]), "with the error itself"


def test_probes_that_cannot_be_sent_at_all_are_told() -> None:
    told: list[Exception] = []
    registry = types.SimpleNamespace(due=lambda: 1 / 0)
    target_probes.run_probes(registry, threading.Event(), told.append)  # type: ignore[arg-type]
    assert "ZeroDivisionError" in str(told[0]), "targets would stay as they are for ever"


def test_a_few_errors_with_good_steps_between_them_end_nothing() -> None:
    closing, told = threading.Event(), []
    turns = iter([*([True] * (repeating.ERRORS_IN_A_ROW - 1) + [False]) * 3])

    def step() -> None:
        fails = next(turns, None)
        if fails is None:
            closing.set()
        elif fails:
            raise OSError("for once")

    repeating.repeat("test", step, closing, told.append)
    assert told == [], "only errors in a row mean that it cannot go on"


def a_container(**api: Any) -> Any:
    """A container whose log breaks off as docker-py lets it break off."""

    def logs(**_: Any) -> Any:
        raise urllib3.exceptions.ProtocolError("Connection broken: IncompleteRead(0 bytes read)")
        yield

    return types.SimpleNamespace(
        id="c" * 64, name="web", logs=logs, client=types.SimpleNamespace(api=types.SimpleNamespace(**api))
    )


def test_a_log_that_breaks_off_does_not_hide_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ecs, "_awslogs_config", lambda *_: {"group": "g", "stream": "s"})
    monkeypatch.setattr(ecs, "_ensure_awslogs_stream", lambda _: True)
    ends: list[int] = []
    task = a_task()
    container = a_container(wait=lambda *_, **__: {"StatusCode": 3})
    container_watch.follow(task, container, 0, lambda _task, _index, code: ends.append(code))
    assert ends == [3], "a migration is judged by its exit code, not by its log"
    assert task["containers"][0]["exitCode"] == 3, "where DescribeTasks shows it"


def test_a_container_lost_from_sight_is_told_as_ended() -> None:
    def wait(*_: Any, **__: Any) -> Any:
        raise urllib3.exceptions.ReadTimeoutError(None, "/wait", "Read timed out.")  # type: ignore[arg-type]

    ends: list[int] = []
    task = a_task()
    container_watch.follow(task, a_container(wait=wait), 0, lambda _task, _index, code: ends.append(code))
    assert ends == [container_watch.LOST_EXIT_CODE], "`ops migrate` would wait for its whole time-out"
    assert container_watch.exited(task, 0).is_set(), "and so would the stop of its task"


@pytest.mark.parametrize("error", [APIError("500"), urllib3.exceptions.ReadTimeoutError(None, "/volumes", "timed out")])  # type: ignore[arg-type]
def test_a_task_is_stopped_even_if_docker_does_not_answer_for_its_volumes(error: Exception) -> None:
    def refuse(**_: Any) -> Any:
        raise error

    engine = types.SimpleNamespace(volumes=types.SimpleNamespace(list=refuse))
    task = a_task(lastStatus="DEACTIVATING", desiredStatus="STOPPED")
    Stopper(engine, threading.Event())._stop(task, [], ("123456789012", "us-east-1"))
    assert task["lastStatus"] == "STOPPED", "a waiter for STOPPED must not wait for ever"
    assert task["containers"][0]["lastStatus"] == "STOPPED", "its containers too"


def test_a_stop_goes_on_when_the_counts_of_its_service_cannot_be_refreshed(monkeypatch: pytest.MonkeyPatch) -> None:
    faults = iter([RuntimeError("a fault in the counts")])

    def recount(_cluster: str) -> None:
        for fault in faults:
            raise fault

    engine = types.SimpleNamespace(volumes=types.SimpleNamespace(list=lambda **_: []))
    task = a_task(desiredStatus="RUNNING", clusterArn="tests")
    monkeypatch.setattr(ecs, "_tasks", {TASK_ARN: task})
    monkeypatch.setattr(ecs, "_recount_cluster", recount)
    with pytest.raises(RuntimeError, match="counts"):
        Stopper(engine, threading.Event()).request(TASK_ARN, task, "why", "UserInitiated")
    until(lambda: task["lastStatus"] == "STOPPED", 5, "STOPPED, or the task would stay DEACTIVATING for ever")


@pytest.mark.parametrize("group", [{"HealthCheckPath": "/santé"}, {"Matcher": {"HttpCode": "two hundred"}}])
def test_a_target_that_cannot_be_probed_fails_its_check_and_is_probed_again(
    group: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = ("group", "127.0.0.1", 1)
    now = [0.0]
    registry = TargetRegistry(lambda _: 0.0, lambda: now[0])
    registry.registered("group", [key[1:]])
    monkeypatch.setattr(target_probes, "group_by_arn", lambda _: group)
    for _ in range(target_health.health_check({}).unhealthy_threshold):
        assert registry.due() == [key], "it must be probed again"
        target_probes.probe_target(registry, key)
        now[0] += target_health.health_check({}).interval
    assert registry.state(*key) == "unhealthy", "a deployment that stays `initial` is never decided"


SERVICE = {
    "serviceName": "web",
    "healthCheckGracePeriodSeconds": 20,
    "loadBalancers": [{"targetGroupArn": "group", "containerPort": 8000}],
}


def health_of(task: dict[str, Any], networks: dict[str, Any], age: float, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Judge a task of a balanced service whose container has these networks, so long (seconds) after it started."""
    container = types.SimpleNamespace(reload=lambda: None, attrs={"NetworkSettings": {"Networks": networks}})
    engine = types.SimpleNamespace(containers=types.SimpleNamespace(get=lambda _: container))
    monkeypatch.setattr(task_health.time, "monotonic", lambda: 1000.0 + age)
    task["_running_since"] = 1000.0
    return task_health.of_task(engine, TargetRegistry(lambda _: 0.0), SERVICE, task, None)


def test_an_address_that_could_not_be_read_at_the_start_is_read_later(monkeypatch: pytest.MonkeyPatch) -> None:
    task = a_task(_docker_ids=["c"], _network_mode="awsvpc", attachments=[])
    health_of(task, {"own": {"IPAddress": "172.20.0.9"}}, 1, monkeypatch)
    assert ecs._task_ip(task) == "172.20.0.9", "without it the task is never registered with its balancer"


def test_a_task_that_never_gets_an_address_fails_after_the_grace_period(monkeypatch: pytest.MonkeyPatch) -> None:
    task = a_task(_docker_ids=["c"], _network_mode="awsvpc", attachments=[])
    assert health_of(task, {}, 19, monkeypatch).failure == "", "it may still come"
    assert health_of(task, {}, 21, monkeypatch).failure == task_health.NO_ADDRESS, "it will not be healthy any more"
