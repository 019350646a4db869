"""What a rollback tells the person who asked for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops.errors import OpsError

if TYPE_CHECKING:
    from ops.command import Context
    from ops.release_record import Record
    from ops.rollback_beside import Moves
    from ops.rollback_following import Following
    from ops.rollback_order import Order
    from ops.rollback_plan import Plan, Serving
    from ops.serving import Expected, Served


def announce(context: Context, plan: Plan, expected: Expected, record: Record) -> None:
    """Say what will be done, before it is."""
    say = context.transcript.step
    target, left = plan.target, plan.leaving
    if record.in_flight:
        say(f"stops, or takes over, what is in flight: {record.in_flight}")
    if plan.already:
        say("it is what serves already: only what runs beside web is to follow")
    else:
        say(f"leaves {left.digest}, {left.verdict}" if left else f"leaves {plan.bad_digest or 'what serves now'}")
    say(
        f"returns to {target.digest} of commit {target.commit or 'unknown'}, deployed at {target.began_at} by "
        f"{target.who or 'unknown'}, last verified at {target.verified_at}: {expected.name}"
    )
    same = "nothing is left" if plan.already else "it is the same image, otherwise configured"
    say(f"denies {plan.bad_digest}" if plan.bad_digest else f"denies nothing: {same}")
    if plan.stops_only:
        say("it serves already: only the update is stopped. Run this again to return further than that")
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


def announce_moves(context: Context, moves: Moves) -> None:
    """Say what becomes of workers and scheduled jobs."""
    for line in (*(move.will for move in moves.moves), *moves.problems):
        context.transcript.step(line)
    context.answer["beside"] = [
        {
            "kind": move.process.kind,
            "name": move.process.name,
            "task_definition": move.definition["taskDefinitionArn"] if move.definition else None,
            "tasks": move.tasks,
        }
        for move in moves.moves
    ]


def report_moves(context: Context, plan: Plan, following: Following) -> None:
    """Say what did not follow web.

    Raises:
        OpsError: there is something.

    """
    context.answer["not_returned"] = following.problems
    if following.problems:
        raise OpsError(
            f"web serves {plan.target.digest}, but not all that runs beside it has followed:\n"
            + "\n".join(following.problems)
            + f"\n`{_again(context, plan)}` tells those again that do not run it, and leaves web as it is."
        )


def failed(context: Context, plan: Plan, serving: Serving, following: Following, *, returned: bool) -> None:
    """Say what is written down of a target that cannot serve."""
    if following.told:
        context.transcript.step(
            f"told to go to that release, and left so until the next rollback or update: {following.told}"
        )
    context.transcript.step(f"{plan.target.digest} is not a release to return to any more: the next rollback passes it")
    if returned:
        context.transcript.step(
            f"ECS returned to {serving.digest}: it serves, and stays denied"
            if plan.bad_digest
            else f"ECS returned to {serving.task_definition}: it serves"
        )


def interrupted(context: Context, plan: Plan, expected: Expected, order: Order, following: Following) -> str:
    """Say what ECS does after an interruption, as far as is known."""
    if order.told is False:
        return "interrupted before ECS was told anything: nothing was changed."
    verify = f"python -m ops verify {context.stack.options} --task-definition {expected.name}"
    if order.told:
        untold = ", ".join(move.name for move in following.untold)
        left = f"\nNot told to go back are {untold}: `{_again(context, plan)}` tells them." if untold else ""
        return f"interrupted, but ECS goes on rolling back to {expected.name}. To wait for it again: {verify}{left}"
    denied = (
        f" {plan.bad_digest} is denied all the same; `{_allow(context, plan)}` lifts that." if plan.bad_digest else ""
    )
    return (
        f"interrupted while ECS was being told to run {expected.name}, and whether it does is not known: "
        f"`python -m ops status {context.stack.options}` shows what serves.{denied}"
    )


def report(context: Context, plan: Plan, served: Served) -> None:
    """Say how it went, and what comes next."""
    context.answer.update(seconds=round(served.seconds, 1), complete=served.complete)
    if not served.complete:
        context.transcript.step("ECS does not call it complete yet: tasks of the release that is left may still end")
    if plan.bad_digest:
        context.transcript.step(
            f"updates with {plan.bad_digest} are refused now; `{_allow(context, plan)}` lifts that. "
            "Before the next update, set imageDigest to a good image, or fix and build a new one"
        )
    context.transcript.step("the database was left as it is")
    context.transcript.result(f"rolled back: {plan.target.digest} serves all traffic after {served.seconds:.1f} s")


def _again(context: Context, plan: Plan) -> str:
    return f"python -m ops rollback {plan.target.digest[:19]} {context.stack.options}"


def _allow(context: Context, plan: Plan) -> str:
    return f"python -m ops allow {plan.bad_digest} {context.stack.options}"
