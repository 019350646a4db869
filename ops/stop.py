"""`python -m ops stop --job NAME`: ends what a scheduled job has running now, and leaves its schedule as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops.command import Command, Context
from ops.container_logs import task_id
from ops.errors import CannotAct, OpsError
from ops.logs import process_name
from ops.one_off import RunningTask
from ops.schedules import find_job

if TYPE_CHECKING:
    import argparse


def _stop(context: Context, options: argparse.Namespace) -> None:
    job = find_job(context, options.job)
    chosen = _chosen(_running(context, job.name), job.name, options.task)
    context.answer["tasks"] = [task_id(arn) for arn in chosen]
    if not chosen:
        context.transcript.result(f"no task of job {job.name} runs")
        return
    for arn in chosen:
        if context.dry_run:
            context.transcript.step(f"would stop task {task_id(arn)}")
            continue
        task = RunningTask(context, arn)
        said = task.stop("by hand")
        if not task.ended:
            raise OpsError(said)
        context.transcript.step(said)
    count = "1 task" if len(chosen) == 1 else f"{len(chosen)} tasks"
    did = "would stop" if context.dry_run else "stopped"
    context.transcript.result(f"{did} {count} of job {job.name}; its schedule starts it again when it is due")


def _running(context: Context, job: str) -> list[str]:
    """Return the ARNs of the job's tasks, whether its schedule started them or `ops run`."""
    stack = context.stack
    pages = context.aws.ecs.get_paginator("list_tasks").paginate(
        cluster=stack.cluster, family=stack.family(job), desiredStatus="RUNNING"
    )
    return [arn for page in pages for arn in page["taskArns"]]


def _chosen(running: list[str], job: str, wanted: str) -> list[str]:
    """Return the task whose id begins with `wanted`; all of them when none is wanted."""
    found = [arn for arn in running if task_id(arn).startswith(wanted)]
    if wanted and len(found) != 1:
        which = "several tasks" if found else "no task"
        ids = ", ".join(task_id(arn) for arn in running)
        there = f"There run {ids}." if running else "None runs."
        raise CannotAct(f"--task {wanted} names {which} of job {job}; nothing was stopped. {there}")
    return found


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--job", required=True, type=process_name, metavar="NAME", help="whose tasks are stopped")
    parser.add_argument(
        "--task", default="", metavar="ID", help="only this task of the job; the beginning of its id is enough"
    )


COMMAND = Command(
    name="stop",
    summary="stop what a scheduled job has running now",
    description="Stop the tasks of a scheduled job that run now, whether its schedule or `ops run --job` started\n"
    "them, and wait until they are gone. What a job had half done stays half done. Its schedule is left as it is,\n"
    "and starts it again when it is due.",
    add_options=_options,
    run=_stop,
)
