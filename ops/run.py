"""`python -m ops run -- manage.py ...`: a command of the application, run by a one-off task beside the service.

With `--job NAME` it is a scheduled job, as its schedule would start it. Its output is shown as it comes, and its exit
code becomes ours.
"""

from __future__ import annotations

import argparse
import json
import shlex
from typing import TYPE_CHECKING

from ops import tasks
from ops.clock import Deadline
from ops.command import Command, Context, seconds
from ops.container_logs import WITH_A_COMMAND, LogTail, log_stream, task_id
from ops.errors import CannotAct, OpsError
from ops.logs import process_name
from ops.one_off import OneOff, RunningTask, started
from ops.schedules import find_job
from ops.tasks_of_release import newest_of_release, serving_digest
from ops.transcript import harmless

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_ecs.type_defs import TaskTypeDef

TIMEOUT_SECONDS = 3600
STARTED_BY = "ops-run"


def _run(context: Context, options: argparse.Namespace) -> int:
    command, stack = command_of(options.words), context.stack
    what = _job(context, options, command) if options.job else _command(context, options, command)
    runs = f"`{shlex.join(command)}`" if command else f"job {options.job}"
    will = f"run {runs} by one task of {what.name}, in cluster {stack.cluster}"
    context.answer.update({"command_line": command, "task_definition": what.definition["taskDefinitionArn"]})
    if context.dry_run:
        context.transcript.step(f"would {will}")
        return 0
    context.transcript.step(f"will {will}; waits {options.timeout} s at most")
    with started(context, what) as task:
        return _Output(context, what, task).until_it_ends(options.timeout)


def _command(context: Context, options: argparse.Namespace, command: list[str]) -> OneOff:
    if not command:
        raise CannotAct(
            "there is no command to run. Give it after `--`, such as:\n"
            f"  python -m ops run {context.stack.options} -- manage.py showmigrations"
        )
    ecs, stack = context.aws.ecs, context.stack
    process = options.process or stack.service
    service = tasks.live_service(ecs, stack)
    container, definition = stack.container(process), service["taskDefinition"]
    if process != stack.service:
        # After a rollback the newest of the family is that of the release that was taken away.
        found = newest_of_release(ecs, stack.family(process), container, serving_digest(context))
        definition = found["taskDefinitionArn"] if found else stack.family(process)
    return OneOff(
        definition=tasks.find_task_definition(ecs, definition),
        container=container,
        network=tasks.network_of(service),
        started_by=STARTED_BY,
        command=command,
    )


def _job(context: Context, options: argparse.Namespace, command: list[str]) -> OneOff:
    if command or options.process:
        raise CannotAct(
            "a job runs the command its schedule runs. Give --job alone; for another command with a job's settings, "
            f"`python -m ops run {context.stack.options} --process {options.job} -- COMMAND`."
        )
    job = find_job(context, options.job)
    if not job.tasks:
        context.transcript.step(f"the schedule of job {job.name} is switched off; this runs it all the same")
    return OneOff(
        definition=tasks.find_task_definition(context.aws.ecs, job.task_definition),
        container=context.stack.container(job.name),
        network=job.network,
        started_by=STARTED_BY,
    )


class _Output:
    """One running command: its lines as they come, and its exit code."""

    def __init__(self, context: Context, what: OneOff, task: RunningTask) -> None:
        self._context = context
        self._container = what.container
        self._task = task
        self._status = ""
        stream = log_stream(what.definition, what.container, task.arn)
        self._tail = LogTail(context.aws.logs, stream)
        context.transcript.step(f"started task {task_id(task.arn)}; its output comes from {stream or 'nowhere'}")

    def until_it_ends(self, timeout_seconds: int) -> int:
        ended = self._task.wait(Deadline(self._context.clock, timeout_seconds), self._look)
        if ended is None:
            raise OpsError(
                f"the command had not ended after {timeout_seconds} s (--timeout). {self._task.stop('timeout')}"
            )
        if self._tail.problem:
            self._context.transcript.step(f"its output could not be read: {self._tail.problem}")
        container = tasks.container_of(ended, self._container)
        code = container.get("exitCode")
        if code is None:
            raise OpsError(
                f"the command did not run to its end: {tasks.how_it_ended(ended, container)}\n"
                f"{tasks.indented(tasks.describe_end(ended))}"
            )
        self._context.transcript.step(f"the command ended: {tasks.how_it_ended(ended, container)}")
        return code

    def _look(self, task: TaskTypeDef) -> None:
        status = task.get("lastStatus", "")
        if status != self._status:
            self._status = status
            self._context.transcript.step(f"task is {status}")
        self._show(self._tail.new_lines())
        # A container that never started never wrote.
        if status == "STOPPED" and tasks.started(task, tasks.container_of(task, self._container)):
            self._show(self._tail.drain(self._context.clock, WITH_A_COMMAND))

    def _show(self, lines: Sequence[str]) -> None:
        for line in lines:
            print(json.dumps({"line": line}) if self._context.json else harmless(line), flush=True)


def command_of(words: Sequence[str]) -> list[str]:
    """Return the command that was given after `--`; Django's manage.py is run by Python."""
    command = list(words[1:] if words[:1] == ["--"] else words)
    return ["python", *command] if command[:1] in (["manage.py"], ["./manage.py"]) else command


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--process",
        type=process_name,
        metavar="NAME",
        help="whose image, settings, secrets and permissions it gets (default: web, as it serves now)",
    )
    parser.add_argument(
        "--job",
        type=process_name,
        metavar="NAME",
        help="instead of a command: this scheduled job, now, as its schedule would start it",
    )
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=TIMEOUT_SECONDS,
        metavar="SECONDS",
        help="how long the command may take; then its task is stopped (default: %(default)s)",
    )
    parser.add_argument(
        "words", nargs=argparse.REMAINDER, metavar="-- COMMAND", help="such as: -- manage.py showmigrations"
    )


COMMAND = Command(
    name="run",
    summary="run a command of the application in a task of its own",
    description="Run a command by a one-off task of what serves now, in its network, with its settings and secrets.\n"
    "With --job it is a scheduled job: the revision, command and network of its schedule, beside whatever it starts.\n"
    "Its output goes to standard output as it comes, and its exit code becomes the exit code here; what ops itself\n"
    "has to say goes to standard error. Ctrl-C and the timeout stop the task. With --json each line is an object,\n"
    "and the last object says how it ended: ok, exit_code, task.\n"
    "CloudWatch Logs keeps the output in the process's own log: `ops logs` shows it among the lines of the service,\n"
    "and with --json names each line's stream, which ends with the task's id.\n"
    "It has the application's own login to the database, which reads and writes rows and cannot change the schema:\n"
    "`manage.py migrate` belongs to `ops migrate`.",
    add_options=_options,
    run=_run,
    streams=True,
    concludes=True,
)
