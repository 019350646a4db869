"""What `status` shows of the processes beside web: which release each runs, whether it does, and how it last ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ops import tasks
from ops.clock import stamp
from ops.deployment import State, read_rollout
from ops.errors import CannotAct
from ops.schedules import Job, find_jobs
from ops.workers import Worker, find_workers

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import TaskTypeDef

    from ops.command import Context

_DESCRIBE_AT_ONCE = 100


def workers_beside(context: Context, awaited: str | None, problems: list[str]) -> list[dict[str, Any]]:
    """Tell of each worker; `awaited` is the release all must run, None while something is in flight."""
    return [_worker(context, worker, awaited, problems) for worker in find_workers(context)]


def jobs_beside(context: Context, awaited: str | None, problems: list[str]) -> list[dict[str, Any]]:
    """Tell of each scheduled job."""
    return [_job(context, job, awaited, problems) for job in find_jobs(context)]


def said_beside(answer: dict[str, Any]) -> list[tuple[str, str]]:
    """Lay it out for a person."""
    rows: list[tuple[str, str]] = []
    for title in ("workers", "jobs"):
        found = answer[title]
        texts = [answer["unknown"][title]] if found is None else [_said(item) for item in found]
        rows += [("" if number else title, text) for number, text in enumerate(texts)]
    return rows


def _said(item: dict[str, Any]) -> str:
    if "schedule" in item:
        how = f"{item['schedule']}{'' if item['state'] == 'ENABLED' else ', ' + item['state']}"
    else:
        how = f"{item['desired']} wanted, {item['running']} running, rollout {item['rollout']}"
    name = item["task_definition"].rsplit("/", 1)[-1]
    last = f", last end: {item['last_end']}" if item["last_end"] else ""
    return f"{item['name']}: {how}; {name}, {item['release'] or 'an unnamed release'}{last}"


def _worker(context: Context, worker: Worker, awaited: str | None, problems: list[str]) -> dict[str, Any]:
    rollout = read_rollout(worker.service, worker.task_definition)
    running = worker.service.get("runningCount", 0)
    if rollout.state is State.FAILED:
        problems.append(f"the rollout of worker {worker.name} failed: {rollout.reason or 'ECS gives no reason'}")
    elif worker.tasks and not running:
        problems.append(f"no task of worker {worker.name} runs")
    state = {State.COMPLETED: "complete", State.FAILED: "failed"}.get(rollout.state, "in progress")
    return {
        **_of(context, worker, awaited, problems),
        "desired": worker.tasks,
        "running": running,
        "rollout": state,
    }


def _job(context: Context, job: Job, awaited: str | None, problems: list[str]) -> dict[str, Any]:
    return {**_of(context, job, awaited, problems), "schedule": job.when, "state": job.schedule["State"]}


def _of(context: Context, process: Worker | Job, awaited: str | None, problems: list[str]) -> dict[str, Any]:
    try:
        definition = tasks.find_task_definition(context.aws.ecs, process.task_definition)
        release = tasks.environment_of(definition, context.stack.container(process.name)).get("RELEASE", "")
    except CannotAct:
        release = ""
        problems.append(
            f"ECS knows nothing of {process.task_definition}, which {process.kind} {process.name} is to run"
        )
    if process.tasks and release and awaited not in {None, release}:
        problems.append(f"{process.kind} {process.name} is on another release than web: {release}")
    return {
        "name": process.name,
        "release": release,
        "task_definition": process.task_definition,
        "last_end": _last_end(context, process.name),
    }


def _last_end(context: Context, name: str) -> str:
    """Tell how its newest stopped task ended; ECS knows of the last hour."""
    ecs, stack = context.aws.ecs, context.stack
    pages = ecs.get_paginator("list_tasks").paginate(
        cluster=stack.cluster, family=stack.family(name), desiredStatus="STOPPED"
    )
    arns = [arn for page in pages for arn in page["taskArns"]][:_DESCRIBE_AT_ONCE]
    if not arns:
        return ""
    found = ecs.describe_tasks(cluster=stack.cluster, tasks=arns)["tasks"]
    newest = max(found, key=_stopped_at, default=None)
    if newest is None or "stoppedAt" not in newest:
        return ""
    how = tasks.how_it_ended(newest, tasks.container_of(newest, stack.container(name)))
    return f"{how} at {stamp(newest['stoppedAt'])}"


def _stopped_at(task: TaskTypeDef) -> float:
    return task["stoppedAt"].timestamp() if "stoppedAt" in task else 0.0
