"""`python -m ops verify`: the verdict on a deployment. It passes only when the release is what answers users.

A green update is no proof: ECS may roll a service back after the update ended. So this waits for the rollout's end,
counts the tasks of that very revision, and asks the release through the balancer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ops import tasks
from ops.balancer import Balancer, Readiness, ask_readiness, find_balancer
from ops.clock import Deadline
from ops.command import Command, Context, count, seconds
from ops.deployment import EventFeed, Revision, Rollout, State, read_rollout
from ops.errors import CannotAct, OpsError

if TYPE_CHECKING:
    import argparse

    from mypy_boto3_ecs.type_defs import ServiceTypeDef, TaskDefinitionTypeDef

PROCESS = "web"
TIMEOUT_SECONDS = 900
# ECS shows a new deployment some moments after the update that made it.
GRACE_SECONDS = 10
# The circuit breaker marks a deployment FAILED while it is still the primary, and puts the one to return to in its
# place some moments later. With nothing to return to, it stays as it is for good.
SETTLE_SECONDS = 30
# One good answer may come from a task that is on its way out, or from one of several: ask again.
ANSWERS_IN_A_ROW = 2


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What must be live."""

    definition: TaskDefinitionTypeDef
    release: str
    tasks: int

    @property
    def name(self) -> str:
        """The task definition as people call it."""
        return f"{self.definition.get('family')}:{self.definition.get('revision')}"


class Verdict:
    """One wait for one release to be live."""

    def __init__(self, context: Context, expected: Expected, balancer: Balancer, timeout_seconds: int) -> None:
        self._context = context
        self._expected = expected
        self._balancer = balancer
        self._deadline = Deadline(context.clock, timeout_seconds)
        self._revision = Revision(context.aws, context.stack, expected.definition)
        self._feed = EventFeed()
        self._said = ""
        self._answers = 0
        self._missing = ""
        self._was_there = False
        self._failed_since: float | None = None

    def wait(self) -> None:
        """Return when the release is live.

        Raises:
            OpsError: it was rolled back, it failed, or it was not live in time.

        """
        while not self._live():
            if self._deadline.passed:
                raise self._no(f"not live after {self._deadline.timeout_seconds:.0f} s (--timeout): {self._missing}")
            self._deadline.pause()

    def _live(self) -> bool:
        service = tasks.find_service(self._context.aws.ecs, self._context.stack)
        if service is None:
            raise self._no("the service is gone, or was deleted while we waited")
        for line in self._feed.new(service, self._revision.arn):
            self._context.transcript.step(f"  ECS: {line}")
        rollout = read_rollout(service, self._revision.arn)
        self._give_up_if_over(rollout, service)
        self._missing = self._what_is_missing(rollout)
        self._say(self._missing or "all there")
        return not self._missing

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
        serving = f"ECS now runs {_short(rollout.now_serving)}."
        if rollout.state is State.ROLLED_BACK:
            raise self._no(f"ECS rolled it back. {serving}", rollout)
        if rollout.state is State.REPLACED:
            raise self._no(f"another deployment took its place. {serving} Was there a second update?", rollout)
        if self._was_there:
            raise self._no(f"ECS rolled it back: its deployment is gone. {serving}")
        if service.get("taskDefinition") != self._revision.arn:
            raise self._no(f"ECS has no deployment of it: it was rolled back, or never started. {serving}")

    def _give_up_if_it_stays_failed(self, rollout: Rollout) -> None:
        now = self._context.clock.now()
        if self._failed_since is None:
            self._failed_since = now
        if now - self._failed_since < SETTLE_SECONDS:
            return
        why = (
            f"ECS did not return to {_short(rollout.earlier)}, which it still lists (is the rollback switched on?)"
            if rollout.earlier
            else "there was nothing to return to: ECS lists no earlier deployment that was ever completed"
        )
        raise self._no(f"its rollout failed, and {why}. {self._way_out()}", rollout)

    def _way_out(self) -> str:
        stack = self._context.stack
        return (
            "ECS starts no more tasks of it until it is told to.\n"
            "Fix the cause, which is shown below. A fix that makes a new release or task definition is deployed by "
            "`pulumi up`. After any other (a permission, a secret's value, a quota), tell ECS to try again:\n"
            f"  aws ecs update-service --cluster {stack.cluster} --service {stack.service} --force-new-deployment\n"
            f"  python -m ops verify {stack.options}"
        )

    def _what_is_missing(self, rollout: Rollout) -> str:
        if rollout.state is not State.COMPLETED:
            self._answers = 0
            return f"{rollout.state.value} ({rollout.running} of {rollout.desired} tasks run)"
        needed = self._expected.tasks
        running = min(self._revision.running(), rollout.running)
        if running < needed:
            self._answers = 0
            return f"{running} of at least {needed} tasks of this revision run (ECS wants {rollout.desired})"
        answer = ask_readiness(self._balancer)
        self._answers = self._answers + 1 if answer.serves(self._expected.release) else 0
        if self._answers >= ANSWERS_IN_A_ROW:
            return ""
        return self._unready(answer)

    def _unready(self, answer: Readiness) -> str:
        if self._answers:
            return f"/readyz answers with the release ({self._answers} of {ANSWERS_IN_A_ROW} times in a row)"
        if answer.status == 200 and answer.release:  # noqa: PLR2004
            return f"/readyz answers with another release, {answer.release}"
        return f"/readyz at {self._balancer} is not ready: {answer.detail}"

    def _say(self, text: str) -> None:
        if text != self._said:
            self._said = text
            self._context.transcript.step(f"[{self._deadline.elapsed_seconds:4.0f} s] {text}")

    def _no(self, what: str, rollout: Rollout | None = None) -> OpsError:
        lines = [f"release {self._expected.release} ({self._expected.name}) is not live: {what}"]
        if rollout and rollout.reason:
            lines.append(f"ECS says: {rollout.reason}")
        lines.append(self._revision.evidence(self._feed.last, self._context.clock))
        return OpsError("\n".join(lines))


def _short(definition_arn: str) -> str:
    return definition_arn.rsplit("/", 1)[-1] or "nothing"


def _run(context: Context, options: argparse.Namespace) -> None:
    ecs, stack = context.aws.ecs, context.stack
    service = tasks.find_service(ecs, stack)
    if service is None:
        raise CannotAct(
            f"there is no service {stack.service} in a cluster {stack.cluster} in this account and region. "
            "Check --stack, --project, the account and the region, or deploy it first (`pulumi up`).",
        )
    definition = tasks.find_task_definition(ecs, options.task_definition or service["taskDefinition"])
    container_environment = tasks.environment_of(definition, stack.container(PROCESS))
    release = options.release or container_environment.get("RELEASE")
    if not release:
        raise CannotAct(
            f"{definition['taskDefinitionArn']} has no RELEASE in the environment of its container "
            f"{stack.container(PROCESS)}, so what /readyz should answer is unknown. Give --release.",
        )
    expected = Expected(definition=definition, release=release, tasks=max(1, options.minimum))
    balancer = find_balancer(
        context.aws.elbv2,
        service,
        domain=options.host,
        allowed_hosts=container_environment.get("ALLOWED_HOSTS", "").split(","),
        environment=context.environment,
    )
    context.transcript.step(
        f"expects {expected.name}, release {release}, at least {expected.tasks} running, ready at {balancer}/readyz; "
        f"waits {options.timeout} s at most",
    )
    Verdict(context, expected, balancer, options.timeout).wait()
    context.transcript.result(f"live: {release}")


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--task-definition", metavar="ARN", help="the revision that must serve (default: the service's current one)"
    )
    parser.add_argument(
        "--release", metavar="sha256:...", help="what /readyz must answer (default: RELEASE in the task definition)"
    )
    parser.add_argument(
        "--minimum", type=count, default=1, metavar="N", help="how many tasks of it must run (default: 1, never less)"
    )
    parser.add_argument(
        "--host", metavar="DOMAIN", help="the domain users call, behind HTTPS (default: the first of ALLOWED_HOSTS)"
    )
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=TIMEOUT_SECONDS,
        metavar="SECONDS",
        help="how long it may take to be live (default: %(default)s)",
    )


COMMAND = Command(
    name="verify",
    summary="wait until a release is what answers users, or say why it is not",
    description="Wait until the rollout is complete on the expected revision, enough of its tasks run, and /readyz\n"
    "answers with the release through the load balancer. Ends early when ECS rolls it back or gives it up.\n"
    "Only looks, and changes nothing.",
    add_options=_options,
    run=_run,
    changes=False,
)
