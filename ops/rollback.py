"""`python -m ops rollback`: back to a release that was good, without a build, verified as a deployment is.

The service is told to run the task definition that release had, and this waits until it is what answers users. The
database is left as it is. The image that is left is denied, so that no update brings it back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from ops import rollback_plan, tasks
from ops.claim import alive, new_flight
from ops.clock import stamp
from ops.command import Command, Context, seconds, text
from ops.errors import CannotAct, OpsError
from ops.in_flight import Heartbeat, quietly
from ops.release_memory import Memory
from ops.release_record import ROLLBACK
from ops.rollback_plan import Plan, Serving
from ops.serving import Expected, Served, expect, wait_until_serving

if TYPE_CHECKING:
    import argparse

    from mypy_boto3_ecs.type_defs import ServiceTypeDef, TaskDefinitionTypeDef

    from ops.release_record import InFlight, Record

PROCESS = "web"
TIMEOUT_SECONDS = 600
NO_REASON = "no reason given"


def _run(context: Context, options: argparse.Namespace) -> None:
    service = tasks.live_service(context.aws.ecs, context.stack)
    serving = _serving(context, service)
    memory = Memory(context)
    record = memory.read()
    _refuse_if_busy(context, record, interrupt=options.interrupt)
    plan = rollback_plan.make_plan(record, options.release, serving, context.stack)
    definition = _definition(context, plan)
    expected = expect(
        context,
        service,
        definition,
        release=plan.target.digest,
        minimum=service.get("desiredCount", 1),
        host=options.host,
    )
    _tell(context, plan, expected, record)
    _refuse_crossing(plan, despite=options.despite_migrations)
    if context.dry_run:
        context.transcript.result(f"would return to {plan.target.digest}")
        return
    flight = new_flight(context, ROLLBACK, plan.target.digest)
    reason = options.reason

    def begin(record: Record) -> Record:
        _refuse_if_busy(context, record, interrupt=options.interrupt)
        now = rollback_plan.make_plan(record, options.release, serving, context.stack)
        if (now.target.task_definition, now.obstacles) != (plan.target.task_definition, plan.obstacles):
            raise OpsError("the releases changed while this was being decided. Nothing was changed; run again.")
        return rollback_plan.carry_out(record, now, flight, reason)

    memory.change(begin)
    served = _go(context, plan, flight, expected, options.timeout, serving)
    _report(context, plan, served)


def _go(
    context: Context, plan: Plan, flight: InFlight, expected: Expected, timeout_seconds: int, serving: Serving
) -> Served:
    """Tell ECS, wait, and write down how it went."""
    began = context.clock.now()
    arn = plan.target.task_definition
    if arn != serving.task_definition:
        try:
            context.aws.ecs.update_service(
                cluster=context.stack.cluster, service=context.stack.service, taskDefinition=arn
            )
        except (ClientError, BotoCoreError):
            quietly(context, "that ECS was told nothing", lambda record: rollback_plan.undone(record, plan, flight))
            raise
        context.transcript.step(f"ECS was told to run {expected.name}")
    served: Served | None = None
    try:
        heart = Heartbeat(context, flight.digest, kind=ROLLBACK, active=True)
        served = wait_until_serving(
            context, expected, timeout_seconds=timeout_seconds, baked=False, each_look=heart.beat
        )
    except KeyboardInterrupt as interruption:
        raise type(interruption)(
            f"interrupted, but ECS goes on rolling back to {expected.name}. To wait for it again: "
            f"python -m ops verify {context.stack.options} --task-definition {expected.name}",
        ) from interruption
    finally:
        at = stamp(context.clock.date())
        quietly(
            context,
            f"that the rollback to {plan.target.digest} ended",
            lambda record: rollback_plan.ended(record, plan, flight, at, served=served is not None),
        )
    return Served(
        seconds=context.clock.now() - began, complete=served.complete, running=served.running, events=served.events
    )


def _serving(context: Context, service: ServiceTypeDef) -> Serving:
    definition = tasks.find_task_definition(context.aws.ecs, service["taskDefinition"])
    environment = tasks.environment_of(definition, context.stack.container(PROCESS))
    return Serving(task_definition=definition["taskDefinitionArn"], digest=environment.get("RELEASE", ""))


def _definition(context: Context, plan: Plan) -> TaskDefinitionTypeDef:
    definition = tasks.find_task_definition(context.aws.ecs, plan.target.task_definition)
    if definition.get("status") != "ACTIVE":
        raise CannotAct(
            f"{plan.target.task_definition} of release {plan.target.digest} is {definition.get('status')}: ECS starts "
            "nothing new of it. Nothing was changed. Name another release (`python -m ops releases`), or deploy this "
            f"image again: set imageDigest to {plan.target.digest} and run `pulumi up`.",
        )
    return definition


def _refuse_if_busy(context: Context, record: Record, *, interrupt: bool) -> None:
    if record.in_flight and not interrupt:
        raise alive(context, record.in_flight)


def _tell(context: Context, plan: Plan, expected: Expected, record: Record) -> None:
    say = context.transcript.step
    target, left = plan.target, plan.leaving
    if record.in_flight:
        say(f"interrupts what is in flight: {record.in_flight}")
    say(f"leaves {left.digest}, {left.verdict}" if left else f"leaves {plan.bad_digest or 'what serves now'}")
    say(
        f"returns to {target.digest} of commit {target.commit or 'unknown'}, deployed at {target.began_at} by "
        f"{target.who or 'unknown'}, last verified at {target.verified_at}: {expected.name}"
    )
    say(
        f"denies {plan.bad_digest}" if plan.bad_digest else "denies nothing: it is the same image, otherwise configured"
    )
    for crossed in plan.crossed:
        say(f"stays applied: {crossed}")
    for obstacle in plan.obstacles:
        say(f"stays applied: {obstacle}")
    context.answer.update(
        target=target.as_json(),
        leaving=left.as_json() if left else None,
        denies=plan.bad_digest or None,
        migrations_that_stay=[*plan.crossed, *plan.obstacles],
    )


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


def _report(context: Context, plan: Plan, served: Served) -> None:
    context.answer.update(seconds=round(served.seconds, 1), complete=served.complete)
    if not served.complete:
        context.transcript.step("ECS still watches the deployment alarms, and would return if one fired")
    if plan.bad_digest:
        context.transcript.step(
            f"updates with {plan.bad_digest} are refused now; `python -m ops allow` lifts that. "
            "Before the next update, set imageDigest to a good image, or fix and build a new one"
        )
    context.transcript.step("the database was left as it is")
    context.transcript.result(f"rolled back: {plan.target.digest} serves all traffic after {served.seconds:.1f} s")


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
        "--interrupt", action="store_true", help="also while an update or a rollback is in flight, which it overrules"
    )
    parser.add_argument(
        "--host", metavar="DOMAIN", help="the domain users call, behind HTTPS (default: the first of ALLOWED_HOSTS)"
    )
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
    "answers users. The image that is left is denied, so no update brings it back. The database stays as it is:\n"
    "refused across migrations that cannot be undone, unless told so.",
    add_options=_options,
    run=_run,
)
