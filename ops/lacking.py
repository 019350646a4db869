"""What a release still lacks to be what answers users: tasks, the end of its rollout, its own answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops.balancer import Readiness, ask_readiness
from ops.deployment import Rollout, State

if TYPE_CHECKING:
    from ops.revision import Revision
    from ops.serving import Expected

# One good answer may come from a task that is on its way out, or from one of several: ask again.
ANSWERS_IN_A_ROW = 2
BAKING = "it serves all traffic; ECS watches the deployment alarms for the bake time"
_HTTP_OK = 200


class Lacking:
    """Looks again and again at one release; `baked` wants ECS's watch of the deployment alarms to be over too."""

    def __init__(self, revision: Revision, expected: Expected, *, baked: bool) -> None:
        self._revision = revision
        self._expected = expected
        self._baked = baked
        self._answers = 0
        self.running = 0
        """How many tasks of it ran when we looked last."""

    def now(self, rollout: Rollout) -> str:
        """Say what it lacks; nothing when it is there."""
        lack = self._of_tasks(rollout)
        if lack:
            self._answers = 0
            return lack
        answer = ask_readiness(self._expected.balancer)
        self._answers = self._answers + 1 if answer.serves(self._expected.release) else 0
        return "" if self._answers >= ANSWERS_IN_A_ROW else self._unready(answer)

    def _of_tasks(self, rollout: Rollout) -> str:
        progress = f"{rollout.state.value} ({rollout.running} of {rollout.desired} tasks run)"
        complete = rollout.state is State.COMPLETED
        if not complete and (rollout.state is not State.ROLLING or rollout.running < max(1, rollout.desired)):
            return progress
        there = self._revision.running()
        self.running = min(there.own, rollout.running)
        # A rollback has no number of its own: it wants as many as ECS does at this moment.
        needed = max(self._expected.tasks, 0 if self._baked else rollout.desired)
        if there.others and not complete:
            return f"{progress}, and {there.others} of other revisions"
        if self.running < needed:
            return f"{self.running} of at least {needed} tasks of this revision run (ECS wants {rollout.desired})"
        if self._baked and not complete:
            return BAKING if rollout.alarms else progress
        return ""

    def _unready(self, answer: Readiness) -> str:
        balancer = self._expected.balancer
        path = balancer.readiness_path
        if self._answers:
            return f"{path} answers with the release ({self._answers} of {ANSWERS_IN_A_ROW} times in a row)"
        if answer.status == _HTTP_OK and answer.release:
            return f"{path} answers with another release, {answer.release}"
        return f"{path} at {balancer} is not ready: {answer.detail}"
