"""The processes beside web on their way back: told right after web, waited for after it, and what became of each.

That one of them cannot go back does not undo web's return: it is said, and the exit code is not 0.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from ops.container_logs import task_id
from ops.diagnosis import Ending
from ops.errors import explain
from ops.in_flight import Heartbeat, quietly
from ops.schedules import Job
from ops.worker_failure import WorkerFailed
from ops.worker_wait import ExpectedWorker, wait_until_workers_run

if TYPE_CHECKING:
    from ops.clock import Deadline
    from ops.command import Context
    from ops.rollback_beside import Move, Moves


class Following:
    """What follows web, and how far it has come."""

    def __init__(self, context: Context, moves: Moves, release: str) -> None:
        self._context = context
        self._release = release
        self._told: list[Move] = []
        self.untold = list(moves.moves)
        self.problems = list(moves.problems)
        """What did not go back, and why, in words."""

    def tell(self) -> None:
        """Tell all of them, whether one is refused or not."""
        self._remember_stopped()
        while self.untold:
            move = self.untold[0]
            try:
                move.give(self._context)
            except (ClientError, BotoCoreError) as error:
                self.problems.append(f"{move.name} was not told: {explain(error)}")
            else:
                self._told.append(move)
                self._context.transcript.step(f"told: {move.name}")
            del self.untold[0]
        for move in self._told:
            self._say_what_goes_on(move)

    def wait(self, deadline: Deadline, heart: Heartbeat) -> None:
        """Wait until the workers that were told run what they were told."""
        expected = [
            ExpectedWorker(name=move.process.name, definition=move.definition, release=self._release)
            for move in self._told
            if move.definition and move.tasks and not isinstance(move.process, Job)
        ]
        if expected:
            names = ", ".join(item.name for item in expected)
            self._context.transcript.step(f"web serves all traffic; waits for the workers: {names}")
        while expected:
            try:
                wait_until_workers_run(
                    self._context,
                    expected,
                    timeout_seconds=max(0.0, deadline.timeout_seconds - deadline.elapsed_seconds),
                    each_look=heart.beat,
                    overruled=lambda _last: (Ending.BY_HAND, heart.lost) if heart.lost else None,
                )
            except WorkerFailed as error:
                self.problems.append(str(error))
                expected = [item for item in expected if item.name != error.worker]
            except (ClientError, BotoCoreError) as error:
                self.problems.append(f"it is not known whether the workers run it: {explain(error)}")
                return
            else:
                return

    @property
    def told(self) -> str:
        """Those that were told, as people call them."""
        return ", ".join(move.name for move in self._told)

    def _remember_stopped(self) -> None:
        stopped = {move.process.name: move.process.tasks for move in self.untold if move.definition is None}
        if stopped:
            quietly(
                self._context,
                f"that {', '.join(stopped)} is stopped",
                lambda record: replace(record, stopped={**record.stopped, **stopped}),
            )

    def _say_what_goes_on(self, move: Move) -> None:
        """Name tasks a job has started already: to end one half-way may do more harm than to let it come to its end."""
        if not isinstance(move.process, Job):
            return
        stack = self._context.stack
        try:
            running = self._context.aws.ecs.list_tasks(
                cluster=stack.cluster, family=stack.family(move.process.name), desiredStatus="RUNNING"
            )["taskArns"]
        except (ClientError, BotoCoreError):
            return
        for arn in running:
            self._context.transcript.step(
                f"{move.name} runs still, as task {task_id(arn)}, and is left to its end. To stop it: "
                f"aws ecs stop-task --cluster {stack.cluster} --task {task_id(arn)}"
            )
