"""`python -m ops verify`: the verdict on a deployment. It passes only when the release is what answers users.

A green update is no proof: ECS may roll a service back after the update ended. So this waits for the rollout's end,
counts the tasks of that very revision, and asks the release through the balancer; then every worker must run it, too,
and stay up. Within an update it also writes the
verdict into the release memory, and is never green for a release that was denied or put aside by hand meanwhile. By
hand it writes down only that a release serves after all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from ops import tasks
from ops.command import Command, Context, add_host, count, seconds
from ops.diagnosis import Ending
from ops.errors import OpsError, explain
from ops.in_flight import Heartbeat, forbidden, record_seen_live, record_verdict, within_update
from ops.release_memory import Memory
from ops.release_record import FAILED, LIVE, ROLLBACK, ROLLED_BACK, Record
from ops.release_workers import expected_workers, worker_option, workers_on
from ops.serving import Expected, NotServing, Served, expect, wait_until_serving
from ops.worker_failure import WorkerFailed
from ops.worker_wait import wait_until_workers_run

if TYPE_CHECKING:
    import argparse

TIMEOUT_SECONDS = 900
# ECS took it away from web alone; a person's rollback takes workers along.
_TAKEN_AWAY = {Ending.ALARM, Ending.BREAKER, Ending.ROLLED_BACK}


def _run(context: Context, options: argparse.Namespace) -> None:
    try:
        expected = _expected(context, options)
        context.answer.update(
            {"release": expected.release, "task_definition": expected.definition["taskDefinitionArn"]}
        )
        claim = _Claim(context, expected.release)
        served = _wait(context, expected, options.timeout, claim)
        _wait_for_workers(context, options, expected.release, served, claim)
    except NotServing as error:
        verdict = ROLLED_BACK if error.cause.rolled_back else FAILED
        context.answer.update({"verdict": verdict, "cause_kind": error.cause.kind, "cause": error.cause.sentence})
        context.answer.update({"seconds": error.seconds, "events": error.events})
        _record(context, options, verdict, error.cause.sentence)
        raise _with_workers_that_stay(context, error) from error
    except WorkerFailed as error:
        # Web serves it, and so it was not rolled back; but a release whose worker does not run is none to return to.
        sentence = f"worker {error.worker}: {error.cause.sentence}"
        context.answer.update(
            {"verdict": FAILED, "cause_kind": error.cause.kind, "cause": sentence, "worker": error.worker}
        )
        _record(context, options, FAILED, sentence)
        raise
    except (OpsError, ClientError, BotoCoreError) as error:
        problem = error if isinstance(error, OpsError) else explain(error)
        _record(context, options, FAILED, f"no verdict: {str(problem).splitlines()[0]}")
        raise
    except KeyboardInterrupt:
        _record(context, options, FAILED, "interrupted")
        raise
    context.answer.update({"verdict": LIVE, "cause_kind": "", "cause": "", "tasks": served.running})
    context.answer.update({"seconds": served.seconds, "events": served.events})
    _record(context, options, LIVE, "")
    record_seen_live(context, expected.release, expected.definition["taskDefinitionArn"])
    context.transcript.result(f"live: {expected.release}")


def _expected(context: Context, options: argparse.Namespace) -> Expected:
    ecs, stack = context.aws.ecs, context.stack
    service = tasks.live_service(ecs, stack)
    definition = tasks.find_task_definition(ecs, options.task_definition or service["taskDefinition"])
    return expect(context, service, definition, release=options.release, minimum=options.minimum, host=options.host)


def _wait(context: Context, expected: Expected, timeout_seconds: int, claim: _Claim) -> Served:
    context.transcript.step(
        f"expects {expected.name}, release {expected.release}, at least {expected.tasks} running, ready at "
        f"{expected.balancer}{expected.balancer.readiness_path}; waits {timeout_seconds} s at most",
    )
    return wait_until_serving(
        context,
        expected,
        timeout_seconds=timeout_seconds,
        baked=True,
        each_look=claim.heart.beat,
        by_hand=lambda: _rolled_back_by_hand(_read(context), expected.release),
        overruled=claim.overruled,
    )


def _with_workers_that_stay(context: Context, error: NotServing) -> NotServing:
    """Add to what is told of web which workers run the release all the same, after ECS took it away from web."""
    if error.cause.ending not in _TAKEN_AWAY:
        return error
    names = ", ".join(workers_on(context, context.answer["release"]))
    if not names:
        return error
    stay = (
        f"Workers run it all the same, on the same data: {names}. "
        f"`python -m ops rollback {context.stack.options}` takes them to the release that web serves now."
    )
    return NotServing(f"{error}\n{stay}", cause=error.cause, seconds=error.seconds, events=error.events)


def _wait_for_workers(
    context: Context, options: argparse.Namespace, release: str, served: Served, claim: _Claim
) -> None:
    """Wait for them with what is left of the time: they were told when web was."""
    workers = expected_workers(context, options.worker, release)
    context.answer["workers"] = [item.name for item in workers]
    if not workers:
        return
    names = ", ".join(item.name for item in workers)
    context.transcript.step(f"web serves it; expects the same of the workers: {names}")
    wait_until_workers_run(
        context,
        workers,
        timeout_seconds=max(0.0, options.timeout - served.seconds),
        each_look=claim.heart.beat,
        overruled=claim.overruled,
    )


class _Claim:
    """Whether the update may still bring this release; by hand there is no such claim."""

    def __init__(self, context: Context, release: str) -> None:
        self._context = context
        self._release = release
        self._asked = False
        self.heart = Heartbeat(context, release)

    def overruled(self, last: bool) -> tuple[Ending, str] | None:
        """Say who decided against the release, and how, as far as the signs of life tell; at first and last ask."""
        if not within_update(self._context):
            return None
        ask, self._asked = last or not self._asked, True
        words = self.heart.lost or (forbidden(self._context, self._release) if ask else "")
        if not words:
            return None
        record = _read(self._context)
        by_hand = _rolled_back_by_hand(record, self._release)
        if by_hand:
            return Ending.BY_HAND, by_hand
        denied = record.denials.get(self._release)
        return (Ending.DENIED, f"by {denied}") if denied else (Ending.REPLACED, words)


def _read(context: Context) -> Record:
    """Return what is remembered; nothing when it cannot be read, which hides no verdict."""
    try:
        return Memory(context).read()
    except (OpsError, ClientError, BotoCoreError):
        return Record()


def _rolled_back_by_hand(record: Record, release: str) -> str:
    """Say who returned to another release by hand; nothing when nobody did."""
    if record.in_flight and record.in_flight.kind == ROLLBACK:
        return str(record.in_flight)
    newest = record.newest(release)
    by_hand = newest is not None and newest.verdict == ROLLED_BACK and newest.cause.startswith("by hand ")
    return newest.cause.removeprefix("by hand ") if newest and by_hand else ""


def _record(context: Context, options: argparse.Namespace, verdict: str, cause: str) -> None:
    """Write the verdict down and end what was in flight, within an update; by hand neither is ours."""
    release = context.answer.get("release") or options.release
    if within_update(context) and release:
        definition = context.answer.get("task_definition") or options.task_definition or ""
        record_verdict(context, release, verdict=verdict, cause=cause, task_definition=definition)


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--task-definition", metavar="ARN", help="the revision that must serve (default: the service's current one)"
    )
    parser.add_argument(
        "--release",
        metavar="sha256:...",
        help="what its readiness path must answer (default: RELEASE in the task definition)",
    )
    parser.add_argument(
        "--minimum", type=count, default=1, metavar="N", help="how many tasks of it must run (default: 1, never less)"
    )
    parser.add_argument(
        "--worker",
        type=worker_option,
        action="append",
        default=[],
        metavar="NAME=ARN",
        help="a worker and the revision it must run, for each (default: all services beside web, on web's release)",
    )
    add_host(parser)
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
    description="Wait until the rollout is complete on the expected revision, enough of its tasks run, and its\n"
    "readiness path answers with the release through the load balancer; then until every worker runs the release with\n"
    "all its tasks, steadily. Ends early when ECS rolls it back or gives it\n"
    "up, and names the one cause: a crash, failed health checks, an image, a secret, an alarm, capacity, time.\n"
    "Touches nothing that serves. Within an update it writes the verdict into the release memory, and is red for a\n"
    "release that was denied or put aside by hand meanwhile. By hand it writes down that a release serves, so that\n"
    "one whose update ended red counts as good from then on, unless it is denied or something is in flight.",
    add_options=_options,
    run=_run,
)
