"""The wait until one release is what answers users; when it will not be, the one cause, and what is known about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ops import tasks
from ops.balancer import Balancer, find_balancer
from ops.clock import Deadline
from ops.deployment import EventFeed, Rollout, State, read_rollout, who_ended_it
from ops.diagnosis import Cause, Ending
from ops.errors import CannotAct, OpsError
from ops.lacking import Lacking
from ops.revision import Revision
from ops.unserved import explain_unserved

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_ecs.type_defs import ServiceTypeDef, TaskDefinitionTypeDef

    from ops.command import Context

# ECS shows a new deployment some moments after the update that made it. An answer without the service may be older
# than the service, too, or come from a part of ECS that is not up to date.
GRACE_SECONDS = 10
# The circuit breaker marks a deployment FAILED while it is still the primary, and puts the one to return to in its
# place some moments later. With nothing to return to, it stays as it is for good. FAILED is seen 3 s late at most, and
# the last log lines take 10 s at most: with all requests in between, the verdict comes within 30 s of FAILED.
SETTLE_SECONDS = 10
_PAUSE_WHEN_FAILED_SECONDS = 1


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What must serve."""

    definition: TaskDefinitionTypeDef
    release: str
    tasks: int
    """How many tasks of it must run at least."""
    balancer: Balancer

    @property
    def name(self) -> str:
        """The task definition as people call it."""
        return f"{self.definition.get('family')}:{self.definition.get('revision')}"


@dataclass(frozen=True, kw_only=True)
class Served:
    """How the release came to serve."""

    seconds: float
    complete: bool
    """Whether ECS calls the rollout complete; if not, it still watches the deployment alarms, and may roll back."""
    running: int
    events: list[str]


class NotServing(OpsError):  # noqa: N818 - reads as what happened
    """The release is not what answers users, and waiting will not help; the message says all that is known."""

    def __init__(self, message: str, *, cause: Cause, seconds: float, events: list[str]) -> None:
        super().__init__(message)
        self.cause = cause
        self.seconds = seconds
        self.events = events


def expect(
    context: Context,
    service: ServiceTypeDef,
    definition: TaskDefinitionTypeDef,
    *,
    release: str | None = None,
    minimum: int = 1,
    host: str | None = None,
) -> Expected:
    """Put together what must serve: the release a task definition runs, and the balancer to ask it through.

    Raises:
        CannotAct: the definition names no release and none is given, or the balancer cannot be found.

    """
    container = context.stack.container(context.stack.service)
    environment = tasks.environment_of(definition, container)
    release = release or environment.get("RELEASE")
    if not release:
        raise CannotAct(
            f"{definition['taskDefinitionArn']} has no RELEASE in the environment of its container {container}, "
            "so what should answer is unknown. Give --release.",
        )
    balancer = find_balancer(
        context.aws.elbv2,
        service,
        domain=host,
        allowed_hosts=environment.get("ALLOWED_HOSTS", "").split(","),
        environment=context.environment,
    )
    if "READINESS_PATH" in environment:
        balancer = replace(balancer, readiness_path=environment["READINESS_PATH"])
    return Expected(definition=definition, release=release, tasks=max(1, minimum), balancer=balancer)


def wait_until_serving(
    context: Context,
    expected: Expected,
    *,
    timeout_seconds: float,
    baked: bool,
    each_look: Callable[[], object] = lambda: None,
    by_hand: Callable[[], str] = lambda: "",
    overruled: Callable[[bool], tuple[Ending, str] | None] = lambda _last: None,
) -> Served:
    """Return when the release answers users: all of them, and `baked` also past the watch of the deployment alarms.

    `each_look` is called at every look at ECS, `by_hand` when the release was put aside: it says who did that by hand,
    or nothing. `overruled` is asked at every look whether the release may serve at all, and with True once more when it
    does: it says why not.

    Raises:
        NotServing: it was overruled, rolled back, replaced, given up, or not there in time.

    """
    return _Wait(context, expected, timeout_seconds, baked, each_look, by_hand, overruled).wait()


class _Wait:
    def __init__(
        self,
        context: Context,
        expected: Expected,
        timeout_seconds: float,
        baked: bool,
        each_look: Callable[[], object],
        by_hand: Callable[[], str],
        overruled: Callable[[bool], tuple[Ending, str] | None],
    ) -> None:
        self._context = context
        self._expected = expected
        self._each_look = each_look
        self._by_hand = by_hand
        self._overruled = overruled
        self._deadline = Deadline(context.clock, timeout_seconds)
        self._revision = Revision(context.aws, context.stack, expected.definition)
        self._lacking = Lacking(self._revision, expected, baked=baked)
        self._feed = EventFeed()
        self._said = ""
        self._was_there = False
        self._failed_since: float | None = None
        self._absent_since: float | None = None

    def wait(self) -> Served:
        while True:
            self._each_look()
            service = tasks.find_service(self._context.aws.ecs, self._context.stack)
            if service is None:
                self._give_up_if_it_stays_absent()
                continue
            self._absent_since = None
            for line in self._feed.new(service, self._revision.arn):
                self._context.transcript.step(f"  ECS: {line}")
            rollout = read_rollout(service, self._revision.arn)
            self._give_up_if_overruled(rollout)
            self._give_up_if_over(rollout, service)
            missing = self._lacking.now(rollout)
            self._say(missing or "all there")
            if not missing:
                self._give_up_if_overruled(rollout, last=True)
                seconds, complete = round(self._deadline.elapsed_seconds, 1), rollout.state is State.COMPLETED
                return Served(
                    seconds=seconds, complete=complete, running=self._lacking.running, events=self._feed.shown
                )
            if self._deadline.passed:
                waited = f"not live after {self._deadline.timeout_seconds:.0f} s (--timeout): {missing}"
                raise self._no(Ending.TIMEOUT, waited, rollout)
            self._pause()

    def _give_up_if_it_stays_absent(self) -> None:
        now = self._context.clock.now()
        if self._absent_since is None:
            self._absent_since = now
        if now - self._absent_since >= GRACE_SECONDS or self._deadline.passed:
            raise self._no(Ending.GONE)
        self._say("ECS does not show the service")
        self._deadline.pause()

    def _give_up_if_overruled(self, rollout: Rollout, *, last: bool = False) -> None:
        why = self._overruled(last)
        if why:
            raise self._no(*why, rollout)

    def _give_up_if_over(self, rollout: Rollout, service: ServiceTypeDef) -> None:
        if rollout.state is State.FAILED:
            self._was_there = True
            self._give_up_if_it_stays_failed(rollout)
            return
        self._failed_since = None
        if rollout.state in {State.ROLLING, State.COMPLETED}:
            self._was_there = True
        elif self._was_there or self._deadline.elapsed_seconds >= GRACE_SECONDS:
            self._give_up(rollout, service)

    def _give_up(self, rollout: Rollout, service: ServiceTypeDef) -> None:
        who = self._by_hand()
        if who:
            raise self._no(Ending.BY_HAND, who, rollout)
        words = [rollout.reason, rollout.why_primary, *reversed(self._feed.last)]
        if rollout.state is State.ROLLED_BACK:
            raise self._no(who_ended_it(words), rollout=rollout)
        if rollout.state is State.REPLACED:
            raise self._no(Ending.REPLACED, rollout=rollout)
        if self._was_there:
            raise self._no(who_ended_it(words), "its deployment is gone", rollout)
        if service.get("taskDefinition") != self._revision.arn:
            never = "ECS has no deployment of it: that was over before we looked, or it was never started"
            raise self._no(who_ended_it(words), never, rollout)

    def _give_up_if_it_stays_failed(self, rollout: Rollout) -> None:
        now = self._context.clock.now()
        if self._failed_since is None:
            self._failed_since = now
        if now - self._failed_since >= SETTLE_SECONDS:
            by_alarm = who_ended_it([rollout.reason, *reversed(self._feed.last)]) is Ending.ALARM
            raise self._no(Ending.GIVEN_UP_BY_ALARM if by_alarm else Ending.GIVEN_UP, rollout=rollout)

    def _pause(self) -> None:
        if self._failed_since is None:
            self._deadline.pause()
        else:
            self._deadline.pause(_PAUSE_WHEN_FAILED_SECONDS)

    def _say(self, text: str) -> None:
        if text != self._said:
            self._said = text
            self._context.transcript.step(f"[{self._deadline.elapsed_seconds:4.0f} s] {text}")

    def _no(self, ending: Ending, detail: str = "", rollout: Rollout | None = None) -> NotServing:
        seconds = round(self._deadline.elapsed_seconds, 1)
        cause, message = explain_unserved(
            self._context, self._revision, self._feed, ending=ending, detail=detail, rollout=rollout
        )
        head = f"release {self._expected.release} ({self._expected.name}) is not live"
        return NotServing(f"{head}\n{message}", cause=cause, seconds=seconds, events=self._feed.shown)
