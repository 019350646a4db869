"""Which task definition each worker must run for a release to be live as a whole."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from ops import tasks
from ops.errors import CannotAct, OpsError
from ops.in_flight import within_update
from ops.tasks_of_release import newest_of_release
from ops.worker_wait import ExpectedWorker
from ops.workers import Worker, find_workers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ops.command import Context

_WORKER = re.compile(r"([a-z][a-z0-9-]*)=(\S+)")


def worker_option(text: str) -> tuple[str, str]:
    """Parse a worker and the task definition it must run, NAME=ARN."""
    found = _WORKER.fullmatch(text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=ARN: a worker, and the revision it must run")
    return found.group(1), found.group(2)


def expected_workers(context: Context, given: Sequence[tuple[str, str]], release: str) -> list[ExpectedWorker]:
    """Return what the workers must run: those given; by hand and with none given, all services beside web.

    Within an update, which names them, no others are looked for: one that was taken out of the stack file is still
    there until the update's end.

    Raises:
        OpsError: one runs another release, and has no task definition of this one.

    """
    if given or within_update(context):
        return [_given(context, name, arn, release) for name, arn in given]
    found = [_found(context, worker, release) for worker in find_workers(context)]
    return [item for item in found if item]


def workers_on(context: Context, release: str) -> list[str]:
    """Return the workers that run a release, as far as ECS can be asked."""
    try:
        return [worker.name for worker in find_workers(context) if worker.tasks and _runs(context, worker) == release]
    except (OpsError, ClientError, BotoCoreError):
        return []


def _runs(context: Context, worker: Worker) -> str:
    definition = tasks.find_task_definition(context.aws.ecs, worker.task_definition)
    return tasks.environment_of(definition, context.stack.container(worker.name)).get("RELEASE", "")


def _given(context: Context, name: str, arn: str, release: str) -> ExpectedWorker:
    definition = tasks.find_task_definition(context.aws.ecs, arn)
    runs = tasks.environment_of(definition, context.stack.container(name)).get("RELEASE")
    if runs != release:
        raise CannotAct(
            f"worker {name} would run {runs or 'an unnamed release'} by {arn}, and not {release} as web does. "
            "Give the revision of that release (--worker)."
        )
    return ExpectedWorker(name=name, definition=definition, release=release)


def _found(context: Context, worker: Worker, release: str) -> ExpectedWorker | None:
    ecs, name = context.aws.ecs, worker.name
    definition = tasks.find_task_definition(ecs, worker.task_definition)
    container, runs = context.stack.container(name), _runs(context, worker)
    if runs != release:
        # After ECS went back the service tells only what it went back to.
        there = newest_of_release(ecs, context.stack.family(name), container, release)
        if there is None and not worker.tasks:
            context.transcript.step(f"worker {name} is stopped: release {release} does not have it")
            return None
        if there is None:
            raise OpsError(
                f"web serves release {release}, but worker {name} runs release {runs or 'unnamed'} and has no task "
                f"definition of web's. If web is right, `pulumi up` deploys that release's worker, or takes it away; "
                f"if the worker is, `python -m ops rollback {context.stack.options}` shows a way back (--dry-run)."
            )
        definition = there
    return ExpectedWorker(name=name, definition=definition, release=release)
