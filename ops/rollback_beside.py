"""What a rollback does with the processes beside web: workers and scheduled jobs go back to the same release.

Each goes to the newest revision of its family that runs the release's image. One that has none came with the release
that is left, or with one between: it is stopped, for the code that knows its work is the code that is taken away, and
nobody had it before. How many tasks it had is remembered, for the way forward; a `pulumi up` sets it in any case.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from ops.errors import OpsError, explain
from ops.schedules import Job, find_jobs
from ops.tasks_of_release import newest_of_release
from ops.workers import Worker, find_workers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mypy_boto3_ecs.type_defs import TaskDefinitionTypeDef

    from ops.command import Context
    from ops.release_record import Record, Release


@dataclass(frozen=True, kw_only=True)
class Move:
    """What becomes of one process."""

    process: Worker | Job
    definition: TaskDefinitionTypeDef | None
    """What it goes back to; None: it is stopped."""
    tasks: int

    @property
    def name(self) -> str:
        """The process as people call it."""
        return f"{self.process.kind} {self.process.name}"

    @property
    def will(self) -> str:
        """What happens to it, in words."""
        if self.definition is None:
            return (
                f"{self.name} is stopped: that release does not have it, and only the code that is left knows its "
                "work. The next `pulumi up` of a release that has it starts it again"
            )
        goes = f"{self.name} returns to {self.definition.get('family')}:{self.definition.get('revision')}"
        return f"{goes}, and is started again" if self.starts else goes

    @property
    def stops(self) -> bool:
        """Whether it is stopped because that release does not have it."""
        return self.definition is None

    @property
    def starts(self) -> bool:
        """Whether it is started again."""
        return self.tasks > 0 and not self.process.tasks

    def give(self, context: Context) -> None:
        """Tell ECS, or EventBridge Scheduler."""
        wanted = self.definition["taskDefinitionArn"] if self.definition else self.process.task_definition
        self._order(context, wanted, self.tasks)

    def take_back(self, context: Context) -> None:
        """Tell it to be again what it was before."""
        self._order(context, self.process.task_definition, self.process.tasks)

    def _order(self, context: Context, task_definition: str, tasks: int) -> None:
        # Where the move changes only the definition, somebody may have changed how many there are meanwhile.
        same = self.tasks == self.process.tasks
        self.process.order(context, task_definition=task_definition, tasks=None if same else tasks)


@dataclass(frozen=True, kw_only=True)
class Moves:
    """What becomes of all that has to go with web."""

    moves: tuple[Move, ...]
    problems: tuple[str, ...]
    """What could not be found out, in words."""


def find_beside(context: Context) -> tuple[list[Worker | Job], list[str]]:
    """Return the stack's workers and jobs, and what could not be found out: web must go back all the same."""
    problems: list[str] = []
    found: list[Worker | Job] = []
    asks: tuple[tuple[str, Callable[[Context], Sequence[Worker | Job]]], ...] = (
        ("workers", find_workers),
        ("scheduled jobs", find_jobs),
    )
    for what, ask in asks:
        try:
            found += ask(context)
        except (ClientError, BotoCoreError) as error:
            problems.append(f"{what} are left as they are, for it is not known which there are: {explain(error)}")
    return found, problems


def plan_moves(context: Context, release: Release, record: Record) -> Moves:
    """Decide what becomes of each worker and job when web goes to this release."""
    found, problems = find_beside(context)
    moves: list[Move] = []
    for process in found:
        try:
            move = _move(context, process, release, record)
        except (OpsError, ClientError, BotoCoreError) as error:
            problem = error if isinstance(error, OpsError) else explain(error)
            problems.append(f"{process.kind} {process.name} is left as it is: {problem}")
            continue
        moves += [move] if move else []
    return Moves(moves=tuple(moves), problems=tuple(problems))


def _move(context: Context, process: Worker | Job, release: Release, record: Record) -> Move | None:
    stack = context.stack
    definition = newest_of_release(
        context.aws.ecs,
        stack.family(process.name),
        stack.container(process.name),
        release.digest,
        # The same image may have been configured otherwise since: that is what was not there yet when it served.
        by=_moment(release.verified_at),
    )
    if definition is None:
        return Move(process=process, definition=None, tasks=0) if process.tasks else None
    # What a person stopped stays stopped; what a rollback stopped is started again.
    wanted = process.tasks or record.stopped.get(process.name, 0)
    if (definition["taskDefinitionArn"], wanted) == (process.task_definition, process.tasks):
        return None
    return Move(process=process, definition=definition, tasks=wanted)


def _moment(text: str) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return None
