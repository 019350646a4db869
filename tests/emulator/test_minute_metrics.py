"""What ECS and balancers report each minute of tasks and targets."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from docker.errors import NotFound
from ministack.core.responses import get_account_id, get_region
from ministack.services import alb, cloudwatch, ecs, sqs
from rehearsal.cloudwatch.alarm import Metric
from rehearsal.cloudwatch.statistics import statistic
from rehearsal.emulator import metric_store, queue_metrics, target_metrics
from rehearsal.emulator.minute_metrics import MinuteMetrics
from rehearsal.emulator.service_metrics import ServiceMetrics, used_memory
from rehearsal.emulator.service_scheduler import Scheduler
from rehearsal.emulator.target_health import TargetRegistry

from conftest import Clock

NOON = 1_795_435_200
OF_SERVICE = {"ClusterName": "main", "ServiceName": "web"}
GROUP = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/73e2d6bc24d8a067"
BALANCER = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/web/50dc6c495c0c9188"
OF_GROUP = {"LoadBalancer": "app/web/50dc6c495c0c9188", "TargetGroup": "targetgroup/web/73e2d6bc24d8a067"}
TENANT = (get_account_id(), get_region())


@pytest.fixture(autouse=True)
def _empty(scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No tasks, target groups or metrics but the test's own."""
    assert scheduler is not None, "it has installed the extensions"
    monkeypatch.setattr(ecs._tasks, "_data", {})
    monkeypatch.setattr(alb._tgs, "_data", {})
    yield
    cloudwatch.reset()


def read(namespace: str, name: str, dimensions: dict[str, str], how: str, minute: float = NOON) -> float | None:
    """A metric's statistic in a minute."""
    metric = Metric(namespace=namespace, name=name, dimensions=frozenset(dimensions.items()), period=60, statistic=how)
    return statistic(how, metric_store.between(metric, minute, minute + 60))


class Docker:
    """An engine whose containers have used some CPU seconds, and use some MiB."""

    def __init__(self, usage: dict[str, tuple[float, int]]) -> None:
        self.usage = usage
        self.api = self

    def stats(self, container: str, *, stream: bool, one_shot: bool) -> dict[str, Any]:
        """Answer at once: an engine that is asked for more waits for a second look of its own."""
        assert (stream, one_shot) == (False, True)
        if container == "ended":
            return {"cpu_stats": {"cpu_usage": {"total_usage": 0}}, "memory_stats": {}}
        if container not in self.usage:
            raise NotFound("gone")
        seconds, mib = self.usage[container]
        memory = {"usage": (mib + 100) * 2**20, "stats": {"total_inactive_file": 100 * 2**20}}
        return {"cpu_stats": {"cpu_usage": {"total_usage": int(seconds * 1e9)}}, "memory_stats": memory}


def task(name: str, *containers: str, group: str = "service:web", status: str = "RUNNING") -> None:
    """A task of a quarter of a CPU and 512 MiB that started half a minute before noon's end."""
    ecs._tasks._data[*TENANT, name] = {
        "taskArn": name,
        "clusterArn": "arn:aws:ecs:us-east-1:123456789012:cluster/main",
        "group": group,
        "lastStatus": status,
        "cpu": "256",
        "memory": "512",
        "startedAt": "2026-11-23T12:00:30.000Z",
        "_docker_ids": list(containers),
    }


def test_a_service_reports_what_its_tasks_use_of_what_they_reserve() -> None:
    clock = Clock(NOON + 60.0)
    docker = Docker({"a": (3.0, 64), "b": (1.5, 128), "c": (9.0, 256)})
    metrics = ServiceMetrics(docker, clock)
    task("one", "a")
    task("two", "b", "c")
    metrics.publish(NOON)
    assert read("AWS/ECS", "CPUUtilization", OF_SERVICE, "Minimum") == 40, "3 s of a quarter CPU's 7.5 s since it began"
    assert read("AWS/ECS", "CPUUtilization", OF_SERVICE, "Maximum") == 140, "10.5 s: all containers of a task"
    assert read("AWS/ECS", "MemoryUtilization", OF_SERVICE, "Minimum") == 12.5, "64 of 512 MiB, without cached files"
    assert read("AWS/ECS", "MemoryUtilization", OF_SERVICE, "Maximum") == 75
    assert read("AWS/ECS", "CPUUtilization", OF_SERVICE, "SampleCount") == 2, "as many as tasks run"
    clock.now += 60
    docker.usage["a"] = (4.5, 64)
    metrics.publish(NOON + 60)
    assert read("AWS/ECS", "CPUUtilization", OF_SERVICE, "Maximum", NOON + 60) == 10, "1.5 s of 15 s since then"


def test_only_running_tasks_of_services_are_reported() -> None:
    metrics = ServiceMetrics(Docker({"a": (3.0, 64)}), Clock(NOON + 60.0))
    task("job", "a", group="family:nightly")
    task("starting", "a", status="PENDING")
    task("gone", "lost")
    task("ended", "ended")
    metrics.publish(NOON)
    assert not list(cloudwatch._metrics.items()), "a container that is gone meanwhile is no reason to fail either"


def test_memory_is_read_of_either_kind_of_cgroups() -> None:
    assert used_memory({"usage": 10, "stats": {"total_inactive_file": 4, "inactive_file": 1}}) == 6
    assert used_memory({"usage": 10, "stats": {"inactive_file": 4}}) == 6


def group(*states: str) -> TargetRegistry:
    """A target group behind a balancer, whose targets are in these states."""
    alb._tgs._data[*TENANT, GROUP] = {"LoadBalancerArns": [BALANCER]}
    registry = TargetRegistry(lambda _: 60.0)
    registry.registered(GROUP, [(f"10.0.0.{number}", 8000) for number in range(len(states))])
    for (_address, _port, target), state in zip(registry.of(GROUP), states, strict=True):
        target.state = state
    return registry


def test_a_balancer_reports_how_many_targets_are_well() -> None:
    target_metrics.of(group("healthy", "healthy", "unhealthy", "initial", "draining"))(NOON)
    assert read("AWS/ApplicationELB", "HealthyHostCount", OF_GROUP, "Minimum") == 2
    assert read("AWS/ApplicationELB", "UnHealthyHostCount", OF_GROUP, "Maximum") == 1


def test_a_group_in_which_nothing_is_registered_is_not_reported() -> None:
    target_metrics.of(group())(NOON)
    assert read("AWS/ApplicationELB", "HealthyHostCount", OF_GROUP, "Minimum") is None, "no zero: data are missing"
    target_metrics.of(group("draining"))(NOON)
    assert read("AWS/ApplicationELB", "HealthyHostCount", OF_GROUP, "Minimum") is None
    target_metrics.of(group("unhealthy"))(NOON)
    assert read("AWS/ApplicationELB", "HealthyHostCount", OF_GROUP, "Minimum") == 0, "registered, and none is well"


def test_a_queue_reports_the_messages_that_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    later = time.time() + 100
    messages = {"full": [{"visible_at": 0.0}, {"visible_at": 0.0}, {"visible_at": later}], "empty": []}
    queues = {(*TENANT, name): {"name": name, "messages": waiting} for name, waiting in messages.items()}
    monkeypatch.setattr(sqs._queues, "_data", queues)
    queue_metrics.publish(NOON)
    found = {name: read("AWS/SQS", queue_metrics.METRIC, {"QueueName": name}, "Maximum") for name in messages}
    assert found == {"full": 2, "empty": 0}, "one is being worked on; and a zero ends an alarm"


def test_each_minute_is_published_once_and_one_failure_spares_the_others() -> None:
    clock, published = Clock(NOON + 59.0), list[int]()

    def fail(_: int) -> None:
        raise RuntimeError("no")

    metrics = MinuteMetrics([fail, published.append], clock)
    metrics.look()
    assert published == [], "the minute is not over"
    clock.now += 1
    with pytest.raises(ExceptionGroup, match="could not be published"):
        metrics.look()
    metrics.look()
    assert published == [NOON]
    clock.now += 60
    with pytest.raises(ExceptionGroup):
        metrics.look()
    assert published == [NOON, NOON + 60]
