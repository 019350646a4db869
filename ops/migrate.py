"""`python -m ops migrate`: the database brought to the schema of a release, by a one-off task on its image.

The task makes sure of the app's database login and applies the migrations under an advisory lock; this command starts
it, shows its log, and answers with its exit code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from ops import tasks
from ops.clock import Deadline
from ops.command import Command, Context, seconds
from ops.container_logs import LogTail, log_stream, task_id
from ops.errors import CannotAct, OpsError, explain

if TYPE_CHECKING:
    import argparse

    from mypy_boto3_ecs.type_defs import TaskDefinitionTypeDef, TaskTypeDef

PROCESS = "migrate"
STARTED_BY = "ops-migrate"
TIMEOUT_SECONDS = 900
# The longest a stopped Fargate task takes to be gone: 120 s to stop at most, and its network interface.
STOP_SECONDS = 180
# How long to look for the last lines of an ended container.
LATE_LINES_SECONDS = 2
LATE_LINES_OF_A_FAILURE_SECONDS = 10

UNFINISHED = (
    "PostgreSQL rolls back what the interrupted migration had not committed; the ones before it stay applied. "
    "Only a migration with `atomic = False` can be left half done. Running migrate again goes on from there."
)


@dataclass(frozen=True, kw_only=True)
class MigrationTask:
    """What is to be run: one task definition in one cluster and network."""

    cluster: str
    container: str
    definition: TaskDefinitionTypeDef
    network: tasks.TaskNetwork

    @property
    def release(self) -> str:
        """The release whose migrations these are, as the image names itself."""
        return tasks.environment_of(self.definition, self.container).get("RELEASE", "")


class Migration:
    """One run of the migration task, from its start to its exit code."""

    def __init__(self, context: Context, task: MigrationTask, timeout_seconds: int) -> None:
        self._context = context
        self._ecs = context.aws.ecs
        self._task = task
        self._timeout_seconds = timeout_seconds
        self._arn = ""
        self._status = ""
        self._tail = LogTail(context.aws.logs, None)

    def run(self) -> None:
        """Run it to its end.

        Raises:
            OpsError: it failed, did not start, or did not end in time (then it was stopped).
            KeyboardInterrupt: we were interrupted; the task was stopped.

        """
        try:
            ended = self._start_and_wait()
        except KeyboardInterrupt as interruption:
            raise type(interruption)(f"interrupted. {self._stop('ops migrate was interrupted')}") from interruption
        except (ClientError, BotoCoreError) as error:
            if not self._arn:
                raise
            raise OpsError(
                f"lost sight of the migration task {task_id(self._arn)}, which may go on by itself: {explain(error)}\n"
                f"{self._where()}",
            ) from error
        if ended is None:
            raise OpsError(
                f"the migration had not ended after {self._timeout_seconds} s (--timeout). "
                f"{self._stop(f'ops migrate waited {self._timeout_seconds} s')}\n{self._report()}",
            )
        if tasks.container_of(ended, self._task.container).get("exitCode") != 0:
            raise OpsError(self._failure(ended))

    def _start_and_wait(self) -> TaskTypeDef | None:
        self._arn = tasks.start(
            self._ecs,
            cluster=self._task.cluster,
            definition_arn=self._task.definition["taskDefinitionArn"],
            network=self._task.network,
            started_by=STARTED_BY,
        )
        stream = log_stream(self._task.definition, self._task.container, self._arn)
        self._tail = LogTail(self._context.aws.logs, stream)
        self._context.transcript.step(f"started task {task_id(self._arn)}; its log: {stream or 'not kept'}")
        return self._wait(Deadline(self._context.clock, self._timeout_seconds))

    def _wait(self, deadline: Deadline) -> TaskTypeDef | None:
        return tasks.wait_until_stopped(
            self._ecs,
            cluster=self._task.cluster,
            task_arn=self._arn,
            clock=self._context.clock,
            deadline=deadline,
            look=self._look,
        )

    def _look(self, task: TaskTypeDef) -> None:
        status = task.get("lastStatus", "")
        if status != self._status:
            self._status = status
            self._context.transcript.step(f"task is {status}")
        self._show(self._tail.new_lines())
        if status == "STOPPED":
            code = tasks.container_of(task, self._task.container).get("exitCode")
            patience = LATE_LINES_SECONDS if code == 0 else LATE_LINES_OF_A_FAILURE_SECONDS
            # A container that never started never wrote.
            self._show(self._tail.drain(self._context.clock, patience) if code is not None else [])

    def _show(self, lines: list[str]) -> None:
        for line in lines:
            self._context.transcript.log(self._task.container, line)

    def _stop(self, reason: str) -> str:
        """Stop the task, so that nothing goes on unwatched, and say how that went."""
        if not self._arn:
            return (
                "It came while the migration task was being started; `aws ecs list-tasks "
                f"--cluster {self._task.cluster} --family {self._task.definition.get('family')}` shows whether it was."
            )
        self._context.transcript.step(f"stopping task {task_id(self._arn)}: {reason}")
        try:
            self._ecs.stop_task(cluster=self._task.cluster, task=self._arn, reason=reason)
            ended = self._wait(Deadline(self._context.clock, STOP_SECONDS))
        except KeyboardInterrupt:
            return f"Task {task_id(self._arn)} was asked to stop, and is stopping unwatched. {UNFINISHED}"
        except (ClientError, BotoCoreError, OpsError) as error:
            problem = error if isinstance(error, OpsError) else explain(error)
            return (
                f"Task {task_id(self._arn)} may still run, it could not be stopped: {problem}\n"
                f"Stop it: aws ecs stop-task --cluster {self._task.cluster} --task {self._arn}"
            )
        if ended is None:
            return f"Task {task_id(self._arn)} was asked to stop but had not after {STOP_SECONDS} s. {UNFINISHED}"
        if tasks.container_of(ended, self._task.container).get("exitCode") == 0:
            return f"Task {task_id(self._arn)} ended before it could be stopped: all migrations are applied."
        return f"Task {task_id(self._arn)} was stopped. {UNFINISHED}"

    def _failure(self, ended: TaskTypeDef) -> str:
        how = tasks.how_it_ended(ended, tasks.container_of(ended, self._task.container))
        return f"the migration failed: {how}\n{tasks.indented(tasks.describe_end(ended))}\n{self._report()}"

    def _report(self) -> str:
        lines = list(self._tail.last_lines)
        if not lines:
            return f"no log lines: {self._tail.problem or 'the container wrote none'}\n{self._where()}"
        return f"last {len(lines)} log lines:\n{tasks.indented(lines)}\n{self._where()}"

    def _where(self) -> str:
        stream = log_stream(self._task.definition, self._task.container, self._arn)
        return f"task {task_id(self._arn)} in cluster {self._task.cluster}" + (f"; {stream}" if stream else "")


def _run(context: Context, options: argparse.Namespace) -> None:
    stack = context.stack
    definition = tasks.find_task_definition(context.aws.ecs, options.task_definition or stack.family(PROCESS))
    task = MigrationTask(
        cluster=stack.cluster,
        container=stack.container(PROCESS),
        definition=definition,
        network=_network(context, options),
    )
    name = f"{definition.get('family')}:{definition.get('revision')}"
    context.transcript.step(
        f"will run one task of {name}, release {task.release or 'unnamed'}, in cluster {task.cluster}, "
        f"subnets {', '.join(task.network.subnets)}; waits {options.timeout} s at most",
    )
    running = context.aws.ecs.list_tasks(cluster=task.cluster, family=stack.family(PROCESS))["taskArns"]
    if running:
        context.transcript.step(
            f"another migration task runs already ({', '.join(map(task_id, running))}): "
            "the advisory lock in the database lets one work at a time",
        )
    Migration(context, task, options.timeout).run()
    context.transcript.result(f"migrated: {task.release or name}")


def _network(context: Context, options: argparse.Namespace) -> tasks.TaskNetwork:
    subnets, groups = _split(options.subnets), _split(options.security_groups)
    if subnets and groups:
        return tasks.TaskNetwork(subnets=subnets, security_groups=groups, public_ip=options.assign_public_ip)
    service = tasks.find_service(context.aws.ecs, context.stack)
    live = (service or {}).get("networkConfiguration", {}).get("awsvpcConfiguration")
    if not live:
        raise CannotAct(
            f"no live service {context.stack.service} in cluster {context.stack.cluster} to take the network from. "
            "Check the stack's name, account and region, or give --subnets and --security-groups.",
        )
    return tasks.TaskNetwork(
        subnets=subnets or tuple(live["subnets"]),
        security_groups=groups or tuple(live.get("securityGroups", [])),
        public_ip=options.assign_public_ip or live.get("assignPublicIp") == "ENABLED",
    )


def _split(text: str | None) -> tuple[str, ...]:
    return tuple(part for part in (piece.strip() for piece in (text or "").split(",")) if part)


def _options(parser: argparse.ArgumentParser) -> None:
    live = "(default: the live service's)"
    parser.add_argument(
        "--task-definition", metavar="ARN", help="what to run (default: the newest of the stack's family)"
    )
    parser.add_argument("--subnets", metavar="ID,ID", help=f"subnets of the task {live}")
    parser.add_argument("--security-groups", metavar="ID,ID", help=f"security groups of the task {live}")
    parser.add_argument(
        "--assign-public-ip", action="store_true", help="for subnets whose way out is an internet gateway"
    )
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=TIMEOUT_SECONDS,
        metavar="SECONDS",
        help="how long the task may take; then it is stopped (default: %(default)s)",
    )


COMMAND = Command(
    name="migrate",
    summary="bring the database to the schema of a release, by a one-off task on its image",
    description="Run the stack's migration task, show its log, and answer with its exit code.\n"
    "Ctrl-C and the timeout stop the task: nothing goes on unwatched.",
    add_options=_options,
    run=_run,
)
