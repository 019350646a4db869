"""`python -m ops verify`: the verdict on a deployment. It passes only when the release is what answers users.

A green update is no proof: ECS may roll a service back after the update ended. So this waits for the rollout's end,
counts the tasks of that very revision, and asks the release through the balancer. Within an update it also writes the
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
from ops.serving import Expected, NotServing, Served, expect, wait_until_serving

if TYPE_CHECKING:
    import argparse

TIMEOUT_SECONDS = 900


def _run(context: Context, options: argparse.Namespace) -> None:
    try:
        expected = _expected(context, options)
        context.answer.update(
            {"release": expected.release, "task_definition": expected.definition["taskDefinitionArn"]}
        )
        served = _wait(context, expected, options.timeout)
    except NotServing as error:
        verdict = ROLLED_BACK if error.cause.rolled_back else FAILED
        context.answer.update({"verdict": verdict, "cause_kind": error.cause.kind, "cause": error.cause.sentence})
        context.answer.update({"seconds": error.seconds, "events": error.events})
        _record(context, options, verdict, error.cause.sentence)
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


def _wait(context: Context, expected: Expected, timeout_seconds: int) -> Served:
    claim = _Claim(context, expected.release)
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
    "readiness path answers with the release through the load balancer. Ends early when ECS rolls it back or gives it\n"
    "up, and names the one cause: a crash, failed health checks, an image, a secret, an alarm, capacity, time.\n"
    "Touches nothing that serves. Within an update it writes the verdict into the release memory, and is red for a\n"
    "release that was denied or put aside by hand meanwhile. By hand it writes down that a release serves, so that\n"
    "one whose update ended red counts as good from then on, unless it is denied or something is in flight.",
    add_options=_options,
    run=_run,
)
