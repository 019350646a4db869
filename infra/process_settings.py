"""What a stack file says of the processes beside web: workers that run all the time, and jobs that run by the clock."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from infra.aws_rules import MOST_CPU, MOST_MEMORY_MIB, NAME, fargate_size_problem
from infra.config_reader import ConfigReader
from infra.name_rules import PROCESS_NAME_LENGTH
from infra.schedule_expression import ScheduleError, parse_future, time_zone
from infra.serving import GENERATIONS
from infra.table_reader import Entry, entries
from infra.times_settings import LONGEST_STOP_SECONDS, TimesSettings, check_rollout

TAKEN = ("web", "migrate", "shell")
# All jobs are started with one role, whose inline policy (10,240 characters) names family and roles of each, 300 each.
MOST_PROCESSES = 20
DEFAULT_CONNECTIONS, MOST_CONNECTIONS = 2, 100


@dataclass(frozen=True, kw_only=True)
class WorkerSettings:
    """A process that runs all the time and answers no requests. `connections` are one task's, to the database."""

    name: str
    command: tuple[str, ...]
    cpu: int
    memory_mib: int
    count: int
    stop_seconds: int
    connections: int


@dataclass(frozen=True, kw_only=True)
class JobSettings:
    """A process that runs to its end, at the times of an EventBridge Scheduler expression in a time zone."""

    name: str
    command: tuple[str, ...]
    schedule: str
    time_zone: str
    cpu: int
    memory_mib: int
    connections: int


@dataclass(frozen=True, kw_only=True)
class ProcessSettings:
    """All processes beside web, in the order of their names."""

    workers: tuple[WorkerSettings, ...]
    jobs: tuple[JobSettings, ...]

    @property
    def connections(self) -> int:
        """Database connections of all of them: of old and new workers during a rollout, and of jobs as often.

        A job that takes longer than its interval runs beside itself, as it does when an update comes meanwhile.
        """
        tasks = [worker.count * worker.connections for worker in self.workers] + [job.connections for job in self.jobs]
        return GENERATIONS * sum(tasks)


def read_processes(config: ConfigReader, times: TimesSettings) -> ProcessSettings:
    """Read the tables `workers` and `jobs`; what is wrong with them is left with `config`."""
    settings = ProcessSettings(
        workers=tuple(_worker(entry) for entry in entries(config, "workers")),
        jobs=tuple(_job(entry) for entry in entries(config, "jobs")),
    )
    _check_names(config, "workers", [worker.name for worker in settings.workers])
    _check_names(config, "jobs", [job.name for job in settings.jobs])
    for worker in settings.workers:
        check_rollout(config, times, key="workers", count=worker.count, what=f"{worker.name}.count is")
    for name in sorted({worker.name for worker in settings.workers} & {job.name for job in settings.jobs}):
        config.refuse("jobs", f"{name} is a worker too, and their task definitions would be one.", "Rename one.")
    return settings


def _worker(entry: Entry) -> WorkerSettings:
    cpu, memory_mib = _size(entry)
    worker = WorkerSettings(
        name=entry.name,
        command=entry.command(),
        cpu=cpu,
        memory_mib=memory_mib,
        count=entry.whole("count", 1, 1, 100),
        stop_seconds=entry.whole("stopSeconds", 30, 1, LONGEST_STOP_SECONDS),
        connections=entry.whole("connections", DEFAULT_CONNECTIONS, 1, MOST_CONNECTIONS),
    )
    entry.finish()
    return worker


def _job(entry: Entry) -> JobSettings:
    cpu, memory_mib = _size(entry)
    job = JobSettings(
        name=entry.name,
        command=entry.command(),
        schedule=entry.text("schedule", example="cron(15 3 * * ? *) or rate(5 minutes)"),
        time_zone=entry.text("timezone", default="UTC", example="Europe/Berlin"),
        cpu=cpu,
        memory_mib=memory_mib,
        connections=entry.whole("connections", DEFAULT_CONNECTIONS, 1, MOST_CONNECTIONS),
    )
    if job.schedule:
        try:
            parse_future(job.schedule, datetime.now(UTC))
        except ScheduleError as error:
            entry.refuse("schedule", f"{error}.", "Write it like cron(15 3 * * ? *) or rate(5 minutes).")
    try:
        time_zone(job.time_zone)
    except ScheduleError as error:
        entry.refuse("timezone", f"{error}.", "Write it like Europe/Berlin, or UTC.")
    entry.finish()
    return job


def _size(entry: Entry) -> tuple[int, int]:
    cpu = entry.whole("cpu", 256, 256, MOST_CPU)
    memory_mib = entry.whole("memoryMib", 512, 512, MOST_MEMORY_MIB)
    problem = fargate_size_problem(cpu, memory_mib)
    if problem and not {"cpu", "memoryMib"} & entry.refused:
        entry.refuse("memoryMib" if problem.of_memory else "cpu", problem.rule, problem.remedy)
    return cpu, memory_mib


def _check_names(config: ConfigReader, key: str, names: Sequence[str]) -> None:
    for name in names:
        if not re.fullmatch(NAME, name) or len(name) > PROCESS_NAME_LENGTH:
            config.refuse(
                key,
                f"{name!r} is no name that fits into those of AWS resources.",
                "Use small letters, digits and single hyphens, beginning with a letter,"
                f" {PROCESS_NAME_LENGTH} at most.",
            )
        # PROJECT-a with a worker b-web would name its task definitions like the web process of the stack PROJECT-a-b.
        elif name in TAKEN or name.endswith(tuple(f"-{taken}" for taken in TAKEN)):
            config.refuse(
                key,
                f"{name} is taken: {', '.join(TAKEN)} are processes of every stack, as which it could be mistaken.",
                "Choose another name, which does not end like that either.",
            )
    if len(names) > MOST_PROCESSES:
        config.refuse(
            key, f"has {len(names)} entries, more than {MOST_PROCESSES}.", "Do several things in one process."
        )
