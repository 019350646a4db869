"""What fails without anybody deploying: the database, and a task."""

import time

from rehearsal.drills.drill import expect
from rehearsal.drills.stage import Stage
from rehearsal.load import Load

HEALTH = "/healthz"
# Longer than the balancer needs to call a target unhealthy (3 probes, 5 s apart), and ECS to replace it.
OUTAGE_SECONDS = 25
# From the database's return to the last failed request: a connection attempt, and what still waits for an answer.
RECOVERY_SECONDS = 25
# From a task's sudden end to the last failed request: until the balancer stops asking it.
LOST_TASK_SECONDS = 3.0
# The share of all requests that may go to a dead task before the balancer knows.
LOST_SHARE = 0.05
CALM_SECONDS = 5.0
# Less than the 4 s that the balancer's probes wait for an answer; processors are busy in a drill.
HEALTH_SECONDS = 3.0
# Twice the threads that all tasks together have: every one of them waits for the database, and requests queue for them.
USERS_WHO_HANG = 16


def database_lost(stage: Stage) -> str:
    """The database hangs, then is gone, and comes back: pages recover, no task is killed, /healthz answers."""
    database, tasks = stage.container("db_id"), stage.tasks()
    containers = [stage.container_of(task) for task in tasks]
    with (
        stage.load(users=2, paths=(HEALTH,), requests_per_second=20) as probes,
        stage.load(users=USERS_WHO_HANG) as load,
    ):
        hanging = _outage(stage, load, ("pause", database), ("unpause", database))
        gone = _outage(stage, load, ("stop", "--time", "5", database), ("start", database))
    expect(probes.failed == 0, f"while the database was lost, {HEALTH}: {probes.verdict()}")
    expect(probes.slowest_seconds <= HEALTH_SECONDS, f"{HEALTH} waits for the database: {probes.verdict()}")
    expect(stage.tasks() == tasks, "tasks were replaced although nothing was wrong with them")
    now = [stage.container_of(task) for task in tasks]
    expect(now == containers, "containers were restarted although nothing was wrong with them")
    return f"hanging {OUTAGE_SECONDS} s: {hanging}; stopped {OUTAGE_SECONDS} s: {gone}; {HEALTH}: {probes.verdict()}"


def _outage(stage: Stage, load: Load, begin: tuple[str, ...], end: tuple[str, ...]) -> str:
    asked, began = load.requests, time.monotonic()
    expect(load.failures_between(began - CALM_SECONDS) == [], f"before the outage, {load.verdict()}")
    stage.docker(*begin)
    try:
        time.sleep(OUTAGE_SECONDS)
    finally:
        stage.docker(*end)
    back = time.monotonic()
    time.sleep(RECOVERY_SECONDS + CALM_SECONDS)
    failures = load.failures_between(began)
    expect(failures, "no request failed: was the database lost at all?")
    recovered = failures[-1].at - back
    expect(recovered <= RECOVERY_SECONDS, f"{recovered:.0f} s after the database's return: {failures[-1]}")
    return f"{len(failures)} of {load.requests - asked} requests failed, the last {recovered:+.1f} s from its return"


def task_killed(stage: Stage) -> str:
    """One of two tasks ends without warning: users notice for a moment at most, and it is replaced."""
    tasks = stage.tasks()
    expect(len(tasks) > 1, "this drill needs two tasks (pactum:webMinimum)")
    with stage.load() as load:
        container = stage.container_of(tasks[0])
        killed = time.monotonic()
        stage.docker("kill", container)
        stage.wait(lambda: tasks[0] not in stage.tasks(), "ECS still lists the killed task")
        stage.wait(stage.is_steady, "the killed task was not replaced")
        replaced = time.monotonic() - killed
        time.sleep(CALM_SECONDS)
    now = stage.tasks()
    expect(len(now) == len(tasks) and tasks[0] not in now, "the killed task was not replaced by one other")
    last = _lost(load, killed)
    return f"{load.failed} of {load.requests} requests failed within {last:.2f} s; replaced after {replaced:.0f} s"


def _lost(load: Load, killed: float) -> float:
    """How many seconds after a task's end the last request failed. DrillError when more than a few did, or earlier."""
    failures = load.failures_between(0)
    early = [failure for failure in failures if failure.at < killed]
    expect(not early, f"before the task's end, {load.verdict()}")
    last = failures[-1].at - killed if failures else 0.0
    expect(last <= LOST_TASK_SECONDS, f"{last:.0f} s after the task's end, {load.verdict()}")
    share = len(failures) / max(load.requests, 1)
    expect(share <= LOST_SHARE, f"one lost task costs more than {LOST_SHARE:.0%} of all requests: {load.verdict()}")
    return last
