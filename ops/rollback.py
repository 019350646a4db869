"""`python -m ops rollback`: back to a release that was good, without a build, verified as a deployment is.

The service is told to run the task definition that release had, and this waits until it is what answers users. Workers
and scheduled jobs go back with it. The database is left as it is. The image that is left is denied, so that no update
brings it back.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ops import rollback_changes, rollback_plan, rollback_words, tasks
from ops.claim import alive, new_flight, watch
from ops.clock import Deadline, stamp
from ops.command import Command, Context, add_host, seconds, text
from ops.diagnosis import Ending
from ops.errors import CannotAct, OpsError
from ops.in_flight import Heartbeat, quietly
from ops.release_memory import Memory
from ops.release_record import ROLLBACK
from ops.rollback_beside import plan_moves
from ops.rollback_changes import Outcome
from ops.rollback_following import Following
from ops.rollback_order import Order
from ops.rollback_serving import find_serving
from ops.serving import Expected, NotServing, Served, expect, wait_until_serving

if TYPE_CHECKING:
    import argparse

    from mypy_boto3_ecs.type_defs import TaskDefinitionTypeDef

    from ops.release_record import InFlight, Record
    from ops.rollback_plan import Plan, Serving

TIMEOUT_SECONDS = 600
NO_REASON = "no reason given"
# How it ends when the target itself does not come to serve: neither a person's doing nor a lack of time.
_CANNOT_SERVE = {
    Ending.ALARM,
    Ending.BREAKER,
    Ending.ROLLED_BACK,
    Ending.GIVEN_UP,
    Ending.GIVEN_UP_BY_ALARM,
}


def _run(context: Context, options: argparse.Namespace) -> None:
    memory = Memory(context)
    over = _in_flight(context, memory, interrupt=options.interrupt)
    service = tasks.live_service(context.aws.ecs, context.stack)
    record = memory.read()
    serving = find_serving(context, service, record)
    _refuse_if_busy(context, record, over, interrupt=options.interrupt)
    plan = rollback_plan.make_plan(record, options.release, serving, context.stack, interrupt=options.interrupt)
    moves = plan_moves(context, plan.target, record)
    if plan.already and not moves.moves:
        raise OpsError("\n".join([plan.already, *moves.problems]))
    definition = _definition(context, plan)
    # At least one: how many the service wants may change meanwhile, and the wait asks ECS for that.
    expected = expect(context, service, definition, release=plan.target.digest, host=options.host)
    rollback_words.announce(context, plan, expected, record)
    rollback_words.announce_moves(context, moves)
    _refuse_crossing(plan, despite=options.despite_migrations)
    if context.dry_run:
        context.transcript.result(f"would return to {plan.target.digest}")
        return
    flight = new_flight(context, ROLLBACK, plan.target.digest)

    def begin(record: Record) -> Record:
        _refuse_if_busy(context, record, over, interrupt=options.interrupt)
        now = rollback_plan.make_plan(record, options.release, serving, context.stack, interrupt=options.interrupt)
        if (now.target.task_definition, now.obstacles) != (plan.target.task_definition, plan.obstacles):
            raise OpsError("the releases changed while this was being decided. Nothing was changed; run again.")
        return rollback_changes.carry_out(record, now, flight, options.reason)

    order = Order(context, service, plan.target.task_definition)
    memory.change(begin)
    following = Following(context, moves, plan.target.digest)
    served = _go(context, plan, flight, expected, options.timeout, order, serving, following)
    rollback_words.report(context, plan, served)
    rollback_words.report_moves(context, plan, following)


def _in_flight(context: Context, memory: Memory, *, interrupt: bool) -> InFlight | None:
    """Return what is in flight and may be taken over: it was killed, or is to be interrupted.

    Raises:
        OpsError: it is alive.

    """
    flight = memory.read().in_flight
    return flight if flight is None or interrupt else watch(context, memory, flight)


def _go(
    context: Context,
    plan: Plan,
    flight: InFlight,
    expected: Expected,
    timeout_seconds: int,
    order: Order,
    serving: Serving,
    following: Following,
) -> Served:
    """Tell ECS, wait, and write down how it went."""
    deadline = Deadline(context.clock, timeout_seconds)
    outcome = Outcome()
    heart = Heartbeat(context, flight.digest, kind=ROLLBACK, active=True)
    try:
        if not order.told:
            order.give()
            context.transcript.step(f"ECS was told to run {expected.name}")
        # At once: until it has stopped, the code that is left goes on working on the data.
        following.tell()
        served = wait_until_serving(
            context,
            expected,
            timeout_seconds=timeout_seconds,
            baked=False,
            each_look=heart.beat,
            overruled=lambda _last: (Ending.BY_HAND, heart.lost) if heart.lost else None,
        )
        outcome = Outcome(served=True)
        seconds = deadline.elapsed_seconds
        following.wait(deadline, heart)
    except NotServing as error:
        if error.cause.ending in _CANNOT_SERVE:
            returned = plan.target.task_definition != serving.task_definition and order.runs(serving.task_definition)
            outcome = Outcome(failed=error.cause.sentence, returned=returned)
            if returned:
                following.take_back()
            rollback_words.failed(context, plan, serving, following, returned=returned)
        raise
    except KeyboardInterrupt as interruption:
        raise type(interruption)(
            rollback_words.interrupted(context, plan, expected, order, following)
        ) from interruption
    finally:
        _end(context, plan, flight, order, outcome)
    return replace(served, seconds=seconds)


def _end(context: Context, plan: Plan, flight: InFlight, order: Order, outcome: Outcome) -> None:
    if order.told is False:
        quietly(context, "that ECS was told nothing", lambda record: rollback_changes.undone(record, plan, flight))
        return
    at = stamp(context.clock.date())
    quietly(
        context,
        f"that the rollback to {plan.target.digest} ended",
        lambda record: rollback_changes.ended(record, plan, flight, at, outcome),
    )


def _definition(context: Context, plan: Plan) -> TaskDefinitionTypeDef:
    definition = tasks.find_task_definition(context.aws.ecs, plan.target.task_definition)
    if definition.get("status") != "ACTIVE":
        raise CannotAct(
            f"{plan.target.task_definition} of release {plan.target.digest} is {definition.get('status')}: ECS starts "
            "nothing new of it. Nothing was changed. Name another release (`python -m ops releases`), or deploy this "
            f"image again: set imageDigest to {plan.target.digest} and run `pulumi up`.",
        )
    return definition


def _refuse_if_busy(context: Context, record: Record, over: InFlight | None, *, interrupt: bool) -> None:
    if record.in_flight and not interrupt and record.in_flight != over:
        raise alive(context, record.in_flight)


def _refuse_crossing(plan: Plan, *, despite: bool) -> None:
    if not plan.obstacles or despite:
        return
    raise OpsError(
        f"between {plan.target.digest} and now are migrations that cannot be undone, or are not known:\n"
        f"{tasks.indented(plan.obstacles)}\n"
        "Nothing was changed. A rollback leaves the database as it is: the older code ran on it while the newer was "
        "rolled out, but may miss what a migration took away or changed. If it can do with the database as it is:\n"
        "  the same command with --despite-migrations",
    )


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "release",
        nargs="?",
        metavar="RELEASE",
        help="where to: the first 7 or more digits of its digest or commit "
        "(default: the newest good release before the one that serves)",
    )
    parser.add_argument("--reason", type=text, default=NO_REASON, metavar="TEXT", help="why, for the record")
    parser.add_argument(
        "--despite-migrations",
        action="store_true",
        help="also across migrations that cannot be undone or are not known; the database stays as it is",
    )
    parser.add_argument(
        "--interrupt",
        action="store_true",
        help="stop the update or the rollback that is in flight, too (one that was killed is taken over without this)",
    )
    add_host(parser)
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=TIMEOUT_SECONDS,
        metavar="SECONDS",
        help="how long it may take until it serves all traffic (default: %(default)s)",
    )


COMMAND = Command(
    name="rollback",
    summary="return to a release that was good, without a build",
    description="Tell the service to run the task definition of a release that was good, and wait until it is what\n"
    "answers users. Workers and scheduled jobs go back with it; one that release does not have is stopped. The image\n"
    "that is left is denied, so no update brings it back. The database stays as it is: refused across migrations that\n"
    "cannot be undone, unless told so.",
    add_options=_options,
    run=_run,
)
