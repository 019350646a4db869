"""`python -m ops shell`: a person beside the application, in a task of their own, by ECS Exec.

The tasks that serve have a read-only root filesystem, which ECS Exec cannot enter, and should not be entered anyway:
the stack has a task definition for this, with the same image, settings and secrets.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shlex
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

from ops import tasks
from ops.clock import Deadline
from ops.command import Command, Context, seconds
from ops.container_logs import task_id
from ops.errors import CannotAct, OpsError, code_of, message_of
from ops.one_off import OneOff, RunningTask, started
from ops.run import command_of
from ops.tasks_of_release import newest_of_release

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_ecs.type_defs import (
        ContainerTypeDef,
        ExecuteCommandResponseTypeDef,
        ServiceTypeDef,
        TaskDefinitionTypeDef,
    )

PROCESS = "shell"
STARTED_BY = "ops-shell"
PLUGIN = "session-manager-plugin"
# The image has no other shell. ECS Exec starts a command without one.
DEFAULT_COMMAND = ("python", "manage.py", "shell")
START_SECONDS = 180
# The agent says RUNNING some moments before it can be reached.
_REACH_SECONDS = 20
_NOT_REACHABLE_YET = {"TargetNotConnectedException", "InvalidParameterException"}
_AGENT = "ExecuteCommandAgent"


def _run(context: Context, options: argparse.Namespace) -> int:
    stack = context.stack
    if context.json:
        raise CannotAct(
            "a session is for a person and takes standard output for itself, so there is no --json. Nothing was "
            "started.\n"
            f"For a program: python -m ops run {stack.options} --json -- manage.py ..."
        )
    command = shlex.join(command_of(options.words) or DEFAULT_COMMAND)
    plugin = _plugin(context)
    service = tasks.live_service(context.aws.ecs, stack)
    what = OneOff(
        definition=_definition(context, service),
        container=stack.container(PROCESS),
        network=tasks.network_of(service),
        started_by=STARTED_BY,
        exec_sessions=True,
    )
    will = f"start one task of {what.name}, in cluster {stack.cluster}, and run `{command}` in it"
    if context.dry_run:
        context.transcript.step(f"would {will}, and stop it afterwards")
        return 0
    context.transcript.step(f"will {will}; the task is stopped when you leave, and ends by itself after an hour")
    with started(context, what) as task:
        context.transcript.step(f"started task {task_id(task.arn)}; it takes up to a minute to be ready")
        runtime_id = _until_it_can_be_entered(context, task, what.container, options.timeout)
        session = _enter(context, task, what.container, command)
        target = f"ecs:{stack.cluster}_{task_id(task.arn)}_{runtime_id}"
        return _converse(
            [
                plugin,
                json.dumps(session["session"]),
                context.whereabouts.region,
                "StartSession",
                "",
                json.dumps({"Target": target}),
                context.aws.ecs.meta.endpoint_url,
            ]
        )


def _definition(context: Context, service: ServiceTypeDef) -> TaskDefinitionTypeDef:
    """Return the shell's revision of the release that serves; its newest where there is none, and say so.

    The newest may be that of a release that was rolled back.
    """
    ecs, stack = context.aws.ecs, context.stack
    serving = tasks.find_task_definition(ecs, service["taskDefinition"])
    release = tasks.environment_of(serving, stack.container(stack.service)).get("RELEASE", "")
    family = stack.family(PROCESS)
    found = newest_of_release(ecs, family, stack.container(PROCESS), release)
    if found is not None:
        return found
    context.transcript.step(
        f"no revision of {family} runs the release that serves, {release or 'which has no name'}: takes the newest"
    )
    return tasks.find_task_definition(ecs, family)


def _plugin(context: Context) -> str:
    """Find the program that speaks ECS Exec, before anything is started that it would be needed for."""
    found = shutil.which(PLUGIN, path=context.environment.get("PATH"))
    if found is None:
        raise CannotAct(
            f"{PLUGIN} is not on the PATH; it carries the session. Nothing was started.\n"
            "Install it: https://docs.aws.amazon.com/systems-manager/latest/userguide/"
            "session-manager-working-with-install-plugin.html\n"
            f"For one command without a session: python -m ops run {context.stack.options} -- manage.py ..."
        )
    return found


def _until_it_can_be_entered(context: Context, task: RunningTask, container_name: str, timeout_seconds: int) -> str:
    """Wait for the task and its agent, and return the container's runtime id, by which the session is addressed."""
    deadline = Deadline(context.clock, timeout_seconds)
    while True:
        found = task.look()
        if task.ended:
            raise OpsError(f"the task ended before it could be entered:\n{tasks.indented(tasks.describe_end(found))}")
        container = tasks.container_of(found, container_name)
        if found.get("lastStatus") == "RUNNING" and _agent_runs(container):
            return container.get("runtimeId", "")
        if deadline.passed:
            raise OpsError(f"the task could not be entered after {timeout_seconds} s (--timeout): its agent is not up")
        deadline.pause()


def _agent_runs(container: ContainerTypeDef) -> bool:
    """Whether the agent of ECS Exec runs; where none is listed (as in the rehearsal) there is none to wait for."""
    agents = [item for item in container.get("managedAgents", []) if item.get("name") == _AGENT]
    return all(item.get("lastStatus") == "RUNNING" for item in agents)


def _enter(context: Context, task: RunningTask, container: str, command: str) -> ExecuteCommandResponseTypeDef:
    ecs, deadline = context.aws.ecs, Deadline(context.clock, _REACH_SECONDS)
    while True:
        try:
            return ecs.execute_command(
                cluster=context.stack.cluster, task=task.arn, container=container, command=command, interactive=True
            )
        except ecs.exceptions.ClientError as error:
            if code_of(error) not in _NOT_REACHABLE_YET:
                raise
            if deadline.passed:
                raise OpsError(
                    f"the task cannot be entered: {message_of(error)}\n"
                    "Its role needs the ssmmessages permissions, and its subnets a way to the ssmmessages endpoint."
                ) from error
            deadline.pause()


def _converse(arguments: list[str]) -> int:
    """Hand the terminal over until the session ends; Ctrl-C belongs to the session, not to us."""
    with _ctrl_c_left_to_the_session():
        try:
            session = subprocess.Popen(arguments)
        except OSError as error:
            raise CannotAct(f"{arguments[0]} could not be run: {error.strerror}. Install it again.") from error
        with session:
            try:
                code = session.wait()
            finally:
                if session.poll() is None:
                    session.terminate()
    return code if code >= 0 else 128 - code


@contextlib.contextmanager
def _ctrl_c_left_to_the_session() -> Iterator[None]:
    # A handler of ours, not SIG_IGN: what is ignored stays ignored in the program that is started.
    before = signal.signal(signal.SIGINT, lambda _signal, _frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=START_SECONDS,
        metavar="SECONDS",
        help="how long the task may take to be ready (default: %(default)s)",
    )
    parser.add_argument(
        "words",
        nargs=argparse.REMAINDER,
        metavar="-- COMMAND",
        help="what to run in it, such as: -- python manage.py showmigrations (default: python manage.py shell)",
    )


COMMAND = Command(
    name="shell",
    summary="open a shell in a task of its own, beside the application",
    description="Start a one-off task with the image, settings and secrets of the release that serves, open a session\n"
    "in it by ECS Exec, and stop it when the session ends. No task that serves users is touched.\n"
    f"Needs AWS's {PLUGIN} on this machine. There is no --json: for a program, see `ops run`.",
    add_options=_options,
    run=_run,
)
