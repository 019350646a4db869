"""What a person is told of a release that is not live: cause, what serves instead, what to do, and the evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from ops import tasks
from ops.deployment import EventFeed, Rollout, State
from ops.diagnosis import Cause, Ending, Facts, diagnose
from ops.errors import CannotAct, explain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ops.command import Context
    from ops.revision import Revision

_NOT_ECS_DOING = {Ending.BY_HAND, Ending.DENIED, Ending.REPLACED}
# Somebody decided so; ECS need not have been told.
_DECIDED = {Ending.BY_HAND, Ending.DENIED}
_BY_ALARM = {Ending.ALARM, Ending.GIVEN_UP_BY_ALARM}
# The rollout got there: tasks that failed on the way are not why it is not live now.
_TASKS_ARE_THERE = {State.COMPLETED}


def _short_name(definition_arn: str) -> str:
    """Return a task definition as people call it, `family:revision`."""
    return definition_arn.rsplit("/", 1)[-1] or "nothing"


def explain_unserved(
    context: Context, revision: Revision, feed: EventFeed, *, ending: Ending, detail: str, rollout: Rollout | None
) -> tuple[Cause, str]:
    """Find the cause, and put everything known about it into one message."""
    stopped = revision.stopped(rollout.deployment_id if rollout else "")
    alive = revision.alive()
    there = rollout is not None and rollout.state in _TASKS_ARE_THERE
    if ending in _BY_ALARM and rollout:
        detail = which_alarms(context, rollout.alarms)
    facts = Facts(
        ending=ending,
        detail=detail,
        stopped=() if there else stopped,
        alive=() if there else alive,
        events=() if there else feed.shown,
    )
    cause = diagnose(facts, context.stack)
    first = [task for task in stopped if task["taskArn"] == cause.task_arn]
    ordered = [*first, *(task for task in stopped if task["taskArn"] != cause.task_arn)]
    lines = [f"cause: {cause.sentence}"]
    if rollout:
        lines.append(_what_serves(context, rollout, ending))
        if ending in _DECIDED and rollout.now_serving == revision.arn and rollout.state is not State.FAILED:
            lines.append(f"That is this very release: `python -m ops rollback {context.stack.options}` takes it away.")
    lines.append(f"what to do: {_remedy(context, cause, ending, rollout)}")
    # On its way back ECS tells why at the deployment it returns to.
    said = rollout and ((cause.rolled_back and rollout.why_primary) or rollout.reason)
    if said and ending not in _NOT_ECS_DOING:
        lines.append(f"ECS says: {said}")
    lines.append(revision.evidence(ordered, alive, feed.last, context.clock))
    return cause, "\n".join(lines)


def which_alarms(context: Context, names: Sequence[str]) -> str:
    """Name the alarms that are raised now; when none is any more, those ECS watches."""
    if not names:
        return ""
    try:
        answer = context.aws.cloudwatch.describe_alarms(
            AlarmNames=list(names), AlarmTypes=["MetricAlarm", "CompositeAlarm"], StateValue="ALARM"
        )
    except (ClientError, BotoCoreError) as error:
        return f"one of {', '.join(names)} (which is not known: {explain(error)})"
    raised = [item.get("AlarmName", "") for item in (*answer["MetricAlarms"], *answer["CompositeAlarms"])]
    return ", ".join(raised) or f"{', '.join(names)}, which {'is' if len(names) == 1 else 'are'} not raised any more"


def _what_serves(context: Context, rollout: Rollout, ending: Ending) -> str:
    if ending is Ending.TIMEOUT:
        if rollout.state is State.COMPLETED:
            return f"ECS runs {named(context, rollout.now_serving)}."
        return f"{named(context, rollout.earlier)} goes on serving." if rollout.earlier else _NOTHING
    if rollout.state is State.FAILED:
        if not rollout.earlier:
            return _NOTHING
        return (
            f"ECS did not return to {named(context, rollout.earlier)}, which it still lists "
            "(is the rollback switched on?)."
        )
    return f"ECS now runs {named(context, rollout.now_serving)}."


_NOTHING = (
    "There was nothing to return to: ECS lists no earlier deployment that was ever completed. No release serves users "
    "until a good one is deployed."
)


def named(context: Context, definition_arn: str, process: str = "") -> str:
    """Return a task definition with the release it runs; of web unless another process is meant."""
    name = _short_name(definition_arn)
    if not definition_arn:
        return name
    try:
        definition = tasks.find_task_definition(context.aws.ecs, definition_arn)
    except (ClientError, BotoCoreError, CannotAct):
        return name
    release = tasks.environment_of(definition, context.stack.container(process or context.stack.service)).get("RELEASE")
    return f"{name} (release {release})" if release else name


def _remedy(context: Context, cause: Cause, ending: Ending, rollout: Rollout | None) -> str:
    stack = context.stack
    if ending is Ending.TIMEOUT and rollout and rollout.state is State.COMPLETED and rollout.running >= rollout.desired:
        return (
            f"ECS is done: it runs as many tasks as the service wants ({rollout.desired}), and does nothing more. "
            "For more tasks, raise `webMinimum` and run `pulumi up`, or ask for fewer (`verify --minimum`). If another "
            "release answers, check what was asked for (--release, --task-definition, --host). If it is not ready, "
            f"`python -m ops logs {stack.options} --since 30m` shows why."
        )
    if ending not in {Ending.GIVEN_UP, Ending.GIVEN_UP_BY_ALARM}:
        return cause.remedy
    return (
        f"{cause.remedy}\n"
        "ECS starts no more tasks of it until it is told to. A fix that makes a new release or task definition is "
        "deployed by `pulumi up`. After any other (a permission, a secret's value, a quota), tell ECS to try again:\n"
        f"  aws ecs update-service --cluster {stack.cluster} --service {stack.service} --force-new-deployment\n"
        f"  python -m ops verify {stack.options}"
    )
