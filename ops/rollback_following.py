"""The processes beside web on their way back: told right after web, waited for after it, and what became of each.

That one of them cannot go back does not undo web's return: it is said, and the exit code is not 0.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
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
    from collections.abc import Mapping, Sequence

    from ops.clock import Deadline
    from ops.command import Context
    from ops.release_record import Record
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
        self._note(stopped={move.process.name: move.process.tasks for move in self.untold if move.stops})
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
        self._note(started=[move.process.name for move in self._told if move.starts])
        for move in self._told:
            self._say_what_goes_on(move)

    def take_back(self) -> None:
        """Tell those that were told to be again what they were, for so is web; whether one is refused or not."""
        told, self._told = self._told, []
        back: list[Move] = []
        for move in told:
            try:
                move.take_back(self._context)
            except (ClientError, BotoCoreError) as error:
                self._told.append(move)
                self._context.transcript.step(f"{move.name} was not told to be as before: {explain(error)}")
            else:
                back.append(move)
        if back:
            names = ", ".join(move.name for move in back)
            self._context.transcript.step(f"told to be as before, for web is: {names}")
        self._note(
            stopped={move.process.name: move.tasks for move in back if move.starts},
            started=[move.process.name for move in back if move.stops],
        )

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

    def _note(self, *, stopped: Mapping[str, int] = MappingProxyType({}), started: Sequence[str] = ()) -> None:
        """Remember how many tasks those had that are stopped; of those that are started again, nothing.

        What a person stops later would be started by what is remembered.
        """

        def change(record: Record) -> Record:
            kept = {name: tasks for name, tasks in record.stopped.items() if name not in started}
            return replace(record, stopped={**kept, **stopped})

        notes = [f"{name} is stopped" for name in stopped] + [f"{name} is started again" for name in started]
        if notes:
            quietly(self._context, f"that {', '.join(notes)}", change)

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
                f"python -m ops stop {stack.options} --job {move.process.name} --task {task_id(arn)}"
            )
