"""What a stack file says of the web service: what its tasks are, and how many."""

from dataclasses import dataclass

from infra.aws_rules import MOST_CPU, MOST_MEMORY_MIB, fargate_size_problem
from infra.config_reader import ConfigReader
from infra.process_settings import ProcessSettings
from infra.serving import GENERATIONS, Serving, connection_budget, fewest_connections, serving
from infra.times_settings import TimesSettings, check_patience, check_rollout


@dataclass(frozen=True, kw_only=True)
class WebSettings:
    """What the web service's tasks are. `serving` is derived from their size."""

    cpu: int
    memory_mib: int
    minimum: int
    maximum: int
    scale_cpu_percent: int
    scale_requests_per_minute: int
    """Requests to one task, at which there are as many tasks as it takes."""
    serving: Serving
    deployment_timeout_seconds: int


def read_web(
    config: ConfigReader, instance_class: str, times: TimesSettings, processes: ProcessSettings
) -> WebSettings:
    """Read the web service's keys; what is wrong with them is left with `config`."""
    cpu = config.whole("taskCpu", 256, MOST_CPU)
    memory = config.whole("taskMemoryMib", 512, MOST_MEMORY_MIB)
    problem = fargate_size_problem(cpu, memory, key="taskCpu")
    if problem and not config.is_refused("taskCpu", "taskMemoryMib"):
        config.refuse("taskMemoryMib" if problem.of_memory else "taskCpu", problem.rule, problem.remedy)
    minimum, maximum = config.whole("webMinimum", 1, 100), config.whole("webMaximum", 1, 100)
    if maximum < minimum and not config.is_refused("webMinimum", "webMaximum"):
        config.refuse("webMaximum", f"is less than webMinimum ({minimum}).", f"Choose {minimum} or more.")
    timeout_seconds = config.whole("deploymentTimeoutSeconds", 60, 3600)
    check_rollout(config, times, key="webMinimum", count=minimum)
    check_patience(config, times, counts=range(minimum, maximum + 1), timeout_seconds=timeout_seconds)
    return WebSettings(
        cpu=cpu,
        memory_mib=memory,
        minimum=minimum,
        maximum=maximum,
        scale_cpu_percent=config.whole("scaleCpuPercent", 10, 90),
        scale_requests_per_minute=config.whole("scaleRequestsPerMinute", 1, 1_000_000),
        serving=_serving(config, (cpu, memory), maximum, processes, instance_class),
        deployment_timeout_seconds=timeout_seconds,
    )


def _serving(
    config: ConfigReader, task: tuple[int, int], maximum: int, processes: ProcessSettings, instance_class: str
) -> Serving:
    """The size of a web task when as many of them run as there may be, beside all workers and jobs."""
    budget = connection_budget(instance_class) if instance_class else 0
    left = budget - processes.connections
    size = serving(cpu=task[0], memory_mib=task[1], connections=left, tasks=maximum)
    fewest = fewest_connections(size, maximum)
    refused = config.is_refused("taskCpu", "taskMemoryMib", "webMinimum", "webMaximum", "workers", "jobs")
    if instance_class and fewest > left and not refused:
        beside = f", and workers and jobs {processes.connections}" if processes.connections else ""
        config.refuse(
            "webMaximum",
            f"needs {fewest} database connections{beside}: {maximum} tasks x {GENERATIONS} generations in a rollout"
            f" x {size.processes} processes x {fewest // (maximum * GENERATIONS * size.processes)}."
            f" {instance_class} has {budget} in all.",
            "Choose a larger databaseInstanceClass, fewer tasks, or fewer workers, jobs or connections of theirs.",
        )
    return size
