"""A one-off task a person started: beside the service, in its network, and never left running unwatched."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from ops import tasks
from ops.clock import Deadline
from ops.container_logs import task_id
from ops.errors import OpsError, explain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mypy_boto3_ecs.type_defs import ContainerOverrideTypeDef, TaskDefinitionTypeDef, TaskTypeDef

    from ops.command import Context

# The longest a stopped Fargate task takes to be gone: 120 s to stop at most, and its network interface.
STOP_SECONDS = 180


@dataclass(frozen=True, kw_only=True)
class OneOff:
    """What is run: one container of one task definition, with a command of its own or the definition's."""

    definition: TaskDefinitionTypeDef
    container: str
    network: tasks.TaskNetwork
    started_by: str
    command: Sequence[str] = ()
    exec_sessions: bool = False

    @property
    def name(self) -> str:
        """The task definition as people call it, and the release it runs."""
        release = tasks.environment_of(self.definition, self.container).get("RELEASE", "unnamed")
        return f"{self.definition.get('family')}:{self.definition.get('revision')}, release {release}"


@contextlib.contextmanager
def started(context: Context, what: OneOff) -> Iterator[RunningTask]:
    """Start the task, and stop it at the end if it still runs, whatever that end is.

    Raises:
        OpsError: ECS did not start it.
        KeyboardInterrupt: with what became of the task.

    """
    task = RunningTask(context, _start(context, what))
    context.answer["task"] = task_id(task.arn)
    try:
        yield task
    except KeyboardInterrupt as interruption:
        raise type(interruption)(f"interrupted. {task.stop('interrupted')}") from interruption
    finally:
        if not (task.ended or task.asked_to_stop):
            context.transcript.step(task.stop("done with it"))


def _start(context: Context, what: OneOff) -> str:
    override: ContainerOverrideTypeDef = {"name": what.container, "command": list(what.command)}
    try:
        return tasks.start(
            context.aws.ecs,
            cluster=context.stack.cluster,
            definition_arn=what.definition["taskDefinitionArn"],
            network=what.network,
            started_by=what.started_by,
            overrides={"containerOverrides": [override]} if what.command else None,
            exec_sessions=what.exec_sessions,
        )
    except KeyboardInterrupt as interruption:
        raise type(interruption)(
            "interrupted while the task was being started; `aws ecs list-tasks "
            f"--cluster {context.stack.cluster} --family {what.definition.get('family')}` shows whether it was."
        ) from interruption


class RunningTask:
    """A started task."""

    def __init__(self, context: Context, arn: str) -> None:
        self._context = context
        self.arn = arn
        self.ended = False
        self.asked_to_stop = False

    def wait(self, deadline: Deadline, look: Callable[[TaskTypeDef], None]) -> TaskTypeDef | None:
        """Return the task when it has stopped; None at the deadline. `look` sees every answer of ECS.

        Raises:
            OpsError: ECS forgot the task.

        """
        ended = tasks.wait_until_stopped(
            self._context.aws.ecs,
            cluster=self._context.stack.cluster,
            task_arn=self.arn,
            clock=self._context.clock,
            deadline=deadline,
            look=look,
        )
        self.ended = ended is not None
        return ended

    def look(self) -> TaskTypeDef:
        """Return the task as ECS shows it now; an empty one while ECS does not know it yet."""
        found = self._context.aws.ecs.describe_tasks(cluster=self._context.stack.cluster, tasks=[self.arn])["tasks"]
        nothing: TaskTypeDef = {}
        task = found[0] if found else nothing
        self.ended = task.get("lastStatus") == "STOPPED"
        return task

    def stop(self, why: str) -> str:
        """Stop the task, wait until it is gone, and say how that went."""
        if self.ended:
            return f"Task {task_id(self.arn)} had ended."
        self.asked_to_stop = True
        name, cluster = task_id(self.arn), self._context.stack.cluster
        command = f"aws ecs stop-task --cluster {cluster} --task {self.arn}"
        try:
            # It may take minutes, in which a second Ctrl-C would leave the task unwatched.
            self._context.transcript.step(f"stopping task {name} ({why}), and waiting until it is gone")
            self._context.aws.ecs.stop_task(
                cluster=cluster, task=self.arn, reason=f"ops {self._context.answer.get('command', '')}: {why}".strip()
            )
            gone = self.wait(Deadline(self._context.clock, STOP_SECONDS), lambda _task: None)
        except KeyboardInterrupt:
            return f"Task {name} was asked to stop, and is stopping unwatched."
        except (ClientError, BotoCoreError, OpsError) as error:
            problem = error if isinstance(error, OpsError) else explain(error)
            return f"Task {name} may still run, it could not be stopped: {problem}\nStop it: {command}"
        return f"Task {name} was stopped." if gone else f"Task {name} has not stopped yet. To stop it: {command}"
