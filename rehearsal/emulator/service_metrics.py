"""What ECS reports each minute of a service's tasks: how much of their CPU and memory they use."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from docker.errors import DockerException
from ministack.core.responses import request_scope
from ministack.services import ecs

from rehearsal.cloudwatch.statistics import value
from rehearsal.emulator import metric_store
from rehearsal.emulator.patching import Extension

EXTENSION = Extension(
    name="service metrics",
    rule=(
        "CPUUtilization and MemoryUtilization per cluster and service: each running task's share, in percent, of what "
        "its definition reserves, one datum a task a minute (so SampleCount counts running tasks); nothing without one"
    ),
    source="Amazon ECS service utilization metrics; Service RUNNING task count",
)
NAMESPACE = "AWS/ECS"
CPU_UNITS = 1024  # of one CPU
NANOSECONDS = 1e9
MIB = 2**20
PERCENT = 100
Task = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What a task had used of its CPU, in seconds, and what it uses of memory, in bytes, at a moment."""

    at: float
    cpu_seconds: float
    memory: float


class ServiceMetrics:
    """Looks at Docker's numbers once a minute: what a container used since the look before, or since its start."""

    def __init__(self, docker_client: Any, clock: Callable[[], float] = time.time) -> None:
        self._docker = docker_client
        self._clock = clock
        self._before: dict[str, Usage] = {}

    def publish(self, minute: int) -> None:
        """Publish what all running tasks of services used in the minute that is over."""
        seen: dict[str, Usage] = {}
        for (account, region, arn), task in list(ecs._tasks._data.items()):
            service = str(task.get("group", "")).removeprefix("service:")
            if task.get("lastStatus") != "RUNNING" or service == task.get("group"):
                continue
            # A container that is gone meanwhile belongs to a task that has ended.
            with suppress(DockerException, OSError, KeyError):
                seen[arn] = self._usage(task)
                shares = self._shares(task, self._before.get(arn) or started(task), seen[arn])
                dimensions = {"ClusterName": task["clusterArn"].rpartition("/")[2], "ServiceName": service}
                with request_scope(account, region):
                    for metric, percent in shares.items():
                        metric_store.put(NAMESPACE, metric, dimensions, minute, "Percent", [value(percent)])
        self._before = seen

    def _usage(self, task: Task) -> Usage:
        cpu = memory = 0.0
        for container in task.get("_docker_ids") or []:
            stats = self._docker.api.stats(container, stream=False, one_shot=True)
            cpu += stats["cpu_stats"]["cpu_usage"]["total_usage"] / NANOSECONDS
            memory += used_memory(stats["memory_stats"])
        return Usage(at=self._clock(), cpu_seconds=cpu, memory=memory)

    @staticmethod
    def _shares(task: Task, before: Usage, now: Usage) -> dict[str, float]:
        cpus, bytes_reserved = int(task["cpu"]) / CPU_UNITS, int(task["memory"]) * MIB
        seconds = max(now.at - before.at, 1.0)
        return {
            "CPUUtilization": round((now.cpu_seconds - before.cpu_seconds) / seconds / cpus * PERCENT, 2),
            "MemoryUtilization": round(now.memory / bytes_reserved * PERCENT, 2),
        }


def started(task: Task) -> Usage:
    """What a task had used when it started: nothing."""
    return Usage(at=datetime.fromisoformat(task["startedAt"]).timestamp(), cpu_seconds=0.0, memory=0.0)


def used_memory(stats: dict[str, Any]) -> float:
    """Memory in use, without files that are cached and could be dropped (whichever cgroups the kernel has)."""
    detail = stats.get("stats", {})
    return float(stats["usage"] - detail.get("total_inactive_file", detail.get("inactive_file", 0)))
