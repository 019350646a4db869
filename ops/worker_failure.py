"""What a person is told of a worker that does not run the release users get: cause, what runs instead, the evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops.deployment import EventFeed, Rollout, State
from ops.diagnosis import Cause, Ending, Facts, diagnose
from ops.errors import OpsError
from ops.unserved import named

if TYPE_CHECKING:
    from ops.command import Context
    from ops.revision import Revision

_NOT_ECS_DOING = {Ending.BY_HAND, Ending.DENIED, Ending.REPLACED}


class WorkerFailed(OpsError):  # noqa: N818 - reads as what happened
    """A worker does not run what it should, and waiting will not help; the message says all that is known."""

    def __init__(self, message: str, *, worker: str, cause: Cause) -> None:
        super().__init__(message)
        self.worker = worker
        self.cause = cause


def explain_worker(
    context: Context,
    worker: str,
    revision: Revision,
    feed: EventFeed,
    *,
    release: str,
    ending: Ending,
    detail: str,
    rollout: Rollout | None,
) -> WorkerFailed:
    """Find the cause, and put everything known about it into one message."""
    stopped = revision.stopped(rollout.deployment_id if rollout else "")
    alive = revision.alive()
    facts = Facts(ending=ending, detail=detail, stopped=stopped, alive=alive, events=feed.shown)
    cause = diagnose(facts, context.stack)
    first = [task for task in stopped if task["taskArn"] == cause.task_arn]
    ordered = [*first, *(task for task in stopped if task["taskArn"] != cause.task_arn)]
    lines = [f"cause: {cause.sentence}"]
    if rollout:
        lines.append(_what_runs(context, worker, revision, rollout))
    lines.append(f"what to do: {_remedy(context, worker, cause)}")
    said = rollout and ((cause.rolled_back and rollout.why_primary) or rollout.reason)
    # Once it is back, ECS says only that what it went back to is complete.
    if said and ending not in _NOT_ECS_DOING and not said.endswith("completed."):
        lines.append(f"ECS says: {said}")
    lines.append(revision.evidence(ordered, alive, feed.last, context.clock))
    head = f"worker {worker} does not run release {release} ({revision.arn.rsplit('/', 1)[-1]}), which web serves"
    return WorkerFailed("\n".join([head, *lines]), worker=worker, cause=cause)


def _what_runs(context: Context, worker: str, revision: Revision, rollout: Rollout) -> str:
    if rollout.now_serving != revision.arn:
        other = named(context, rollout.now_serving, worker)
        return f"Worker {worker} runs {other}, on the same data as web."
    if rollout.state is State.FAILED:
        return f"ECS has nothing to return worker {worker} to: it does no work."
    return f"ECS goes on trying to run it; web's tasks are not touched by that. So far {rollout.running} of it run."


def _remedy(context: Context, worker: str, cause: Cause) -> str:
    options = context.stack.options
    return (
        f"{cause.remedy}\n"
        f"`python -m ops logs {options} --process {worker} --since 30m` shows more. Where web must not serve a release "
        f"without its worker, `python -m ops rollback {options}` takes web back too, and scheduled jobs and the other "
        "workers with it."
    )
