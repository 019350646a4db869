"""The wait until a release's workers run it, all of them and steadily; when one will not, the one cause."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ops.clock import Deadline
from ops.deployment import EventFeed, Rollout, State, read_rollout, who_ended_it
from ops.diagnosis import Ending
from ops.revision import Revision
from ops.serving import GRACE_SECONDS, SETTLE_SECONDS
from ops.symptoms import Kind, symptom_of_task
from ops.worker_failure import WorkerFailed, explain_worker
from ops.workers import live_services

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mypy_boto3_ecs.type_defs import ServiceTypeDef, TaskDefinitionTypeDef

    from ops.command import Context

# Nobody asks a worker whether it is well: to ECS it is as soon as it runs, also when it crashes a second later, and the
# circuit breaker counts only tasks that never got there.
STEADY_SECONDS = 15
# As the circuit breaker does, for each deployment.
CRASHES_TOO_MANY = 3


@dataclass(frozen=True, kw_only=True)
class ExpectedWorker:
    """What a worker must run."""

    name: str
    definition: TaskDefinitionTypeDef
    release: str


def wait_until_workers_run(
    context: Context,
    expected: Sequence[ExpectedWorker],
    *,
    timeout_seconds: float,
    each_look: Callable[[], object] = lambda: None,
    overruled: Callable[[bool], tuple[Ending, str] | None] = lambda _last: None,
) -> None:
    """Return when every worker has as many tasks of its definition as it wants, no others, and they stay up.

    `each_look` and `overruled` are as in `wait_until_serving`. A worker that wants no tasks is well.

    Raises:
        WorkerFailed: one was rolled back, replaced or given up, keeps crashing, or is not there in time.

    """
    deadline = Deadline(context.clock, timeout_seconds)
    watches = [_Watch(context, item, deadline, overruled) for item in expected]
    said, missing = "", [item.name for item in expected]
    while missing:
        each_look()
        services = live_services(context, [item.name for item in expected])
        missing = [lack for watch in watches if (lack := watch.look(services.get(watch.name)))]
        if not missing:
            watches[0].give_up_if_overruled(last=True)
            return
        if "; ".join(missing) != said:
            said = "; ".join(missing)
            context.transcript.step(f"[{deadline.elapsed_seconds:4.0f} s] {said}")
        deadline.pause()


class _Watch:
    """One worker on its way to a task definition."""

    def __init__(
        self,
        context: Context,
        expected: ExpectedWorker,
        deadline: Deadline,
        overruled: Callable[[bool], tuple[Ending, str] | None],
    ) -> None:
        self._context = context
        self._overruled = overruled
        self._expected = expected
        self._deadline = deadline
        self._revision = Revision(context.aws, context.stack, expected.definition, expected.name)
        self._feed = EventFeed()
        self._was_there = False
        self._failed_since: float | None = None
        self.name = expected.name

    def look(self, service: ServiceTypeDef | None) -> str:
        """Say what it lacks; nothing when it runs."""
        if service is None:
            if self._deadline.elapsed_seconds >= GRACE_SECONDS or self._deadline.passed:
                raise self._no(Ending.GONE)
            return f"{self.name}: ECS does not show the service"
        for line in self._feed.new(service, self._revision.arn):
            self._context.transcript.step(f"  ECS: {line}")
        rollout = read_rollout(service, self._revision.arn)
        self.give_up_if_overruled(rollout)
        self._give_up_if_over(rollout, service)
        lack = self._lacks(rollout, service)
        if lack and self._deadline.passed:
            seconds = f"{self._deadline.timeout_seconds:.0f}"
            raise self._no(Ending.TIMEOUT, f"not there {seconds} s after the release served: {lack}", rollout)
        return f"{self.name}: {lack}" if lack else ""

    def give_up_if_overruled(self, rollout: Rollout | None = None, *, last: bool = False) -> None:
        """Raise when the release may not be deployed any more; `last`: to be asked without fail."""
        why = self._overruled(last)
        if why:
            raise self._no(*why, rollout)

    def _give_up_if_over(self, rollout: Rollout, service: ServiceTypeDef) -> None:
        words = [rollout.reason, rollout.why_primary, *reversed(self._feed.last)]
        if rollout.state is State.FAILED:
            self._give_up_if_it_stays_failed(rollout)
            return
        self._failed_since = None
        if rollout.state in {State.ROLLING, State.COMPLETED}:
            self._was_there = True
        elif rollout.state is State.ROLLED_BACK:
            raise self._no(who_ended_it(words), rollout=rollout)
        elif self._late and service.get("taskDefinition") != self._revision.arn:
            self.give_up_if_overruled(rollout, last=True)
            if rollout.state is State.REPLACED:
                raise self._no(Ending.REPLACED, rollout=rollout)
            raise self._no(who_ended_it(words), "ECS has no deployment of it any more", rollout)

    @property
    def _late(self) -> bool:
        return self._was_there or self._deadline.elapsed_seconds >= GRACE_SECONDS or self._deadline.passed

    def _give_up_if_it_stays_failed(self, rollout: Rollout) -> None:
        now = self._context.clock.now()
        self._was_there = True
        if self._failed_since is None:
            self._failed_since = now
        if now - self._failed_since >= SETTLE_SECONDS:
            raise self._no(Ending.GIVEN_UP, rollout=rollout)

    def _lacks(self, rollout: Rollout, service: ServiceTypeDef) -> str:
        wanted = service.get("desiredCount", 0)
        if rollout.state is State.ROLLING:
            # With several tasks ECS may never call it complete, and start them for ever.
            self._give_up_if_it_keeps_crashing(rollout)
        if rollout.state is not State.COMPLETED:
            return f"{rollout.state.value} ({rollout.running} of {wanted} tasks run)"
        running = self._revision.running()
        age = (self._context.clock.date() - running.youngest).total_seconds() if running.youngest else STEADY_SECONDS
        if running.own == wanted and not running.others and (not wanted or age >= STEADY_SECONDS):
            return ""
        self._give_up_if_it_keeps_crashing(rollout)
        if running.others:
            return f"{running.others} tasks of other revisions run still"
        if running.own != wanted:
            return f"{running.own} of {wanted} tasks run"
        return f"{running.own} of {wanted} tasks run, the newest for less than {STEADY_SECONDS} s"

    def _give_up_if_it_keeps_crashing(self, rollout: Rollout) -> None:
        symptoms = [symptom_of_task(task) for task in self._revision.stopped(rollout.deployment_id)]
        crashed = sum(symptom is not None and symptom.kind is Kind.CRASH for symptom in symptoms)
        if crashed >= CRASHES_TOO_MANY:
            raise self._no(Ending.UNSTEADY, rollout=rollout)

    def _no(self, ending: Ending, detail: str = "", rollout: Rollout | None = None) -> WorkerFailed:
        return explain_worker(
            self._context,
            self.name,
            self._revision,
            self._feed,
            release=self._expected.release,
            ending=ending,
            detail=detail,
            rollout=rollout,
        )
