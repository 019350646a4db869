"""What a stack file says of the processes beside web: workers that run all the time, and jobs that run by the clock."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from infra.aws_rules import MOST_CPU, MOST_MEMORY_MIB, NAME, fargate_size_problem
from infra.config_reader import ConfigReader
from infra.name_rules import PROCESS_NAME_LENGTH
from infra.schedule_expression import AHEAD_DAYS, ScheduleError, longest_pause, parse_future, time_zone
from infra.serving import GENERATIONS
from infra.table_reader import Entry, entries
from infra.times_settings import LONGEST_STOP_SECONDS, TimesSettings, check_rollout

# The last two are no processes: their logs, and the watch's role, would have the same names.
TAKEN = ("web", "migrate", "shell", "watch", "events")
# All jobs are started with one role, whose inline policy (10,240 characters) names family and roles of each, 300 each.
MOST_PROCESSES = 20
DEFAULT_CONNECTIONS, MOST_CONNECTIONS = 2, 100
# What a run may take longer than the one before it, and a start that AWS refuses at first may come later.
LATE_MINUTES = 60
MOST_OVERDUE_MINUTES = (AHEAD_DAYS + 1) * 24 * 60


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
    """A process that runs to its end, at the times of an EventBridge Scheduler expression in a time zone.

    Somebody is told when no run has ended well for `overdue_minutes`.
    """

    name: str
    command: tuple[str, ...]
    schedule: str
    time_zone: str
    overdue_minutes: int
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
    schedule = entry.text("schedule", example="cron(15 3 * * ? *) or rate(5 minutes)")
    zone = entry.text("timezone", default="UTC", example="Europe/Berlin")
    job = JobSettings(
        name=entry.name,
        command=entry.command(),
        schedule=schedule,
        time_zone=zone,
        overdue_minutes=entry.whole("overdueMinutes", _overdue_minutes(entry, schedule, zone), 1, MOST_OVERDUE_MINUTES),
        cpu=cpu,
        memory_mib=memory_mib,
        connections=entry.whole("connections", DEFAULT_CONNECTIONS, 1, MOST_CONNECTIONS),
    )
    entry.finish()
    return job


def _overdue_minutes(entry: Entry, schedule: str, zone: str) -> int:
    """By the schedule, how long it may be from one success to the next; what is wrong with the schedule is refused."""
    now, found, pause = datetime.now(UTC), None, timedelta()
    try:
        found = time_zone(zone)
    except ScheduleError as error:
        entry.refuse("timezone", f"{error}.", "Write it like Europe/Berlin, or UTC.")
    try:
        if schedule:
            rule = parse_future(schedule, now)
            pause = longest_pause(rule, found or UTC, now)
    except ScheduleError as error:
        entry.refuse("schedule", f"{error}.", "Write it like cron(15 3 * * ? *) or rate(5 minutes).")
    # A rate may be longer than anybody counts.
    return min(pause // timedelta(minutes=1) + LATE_MINUTES, MOST_OVERDUE_MINUTES)


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
