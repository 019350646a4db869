"""`python -m ops hold` and `unhold`: no update of a stack until a person says so."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ops.clock import stamp
from ops.command import Command, Context, add_reason
from ops.release_memory import Memory
from ops.release_record import Decision
from ops.who import who

if TYPE_CHECKING:
    import argparse

    from ops.release_record import Record


def _hold(context: Context, options: argparse.Namespace) -> None:
    hold = Decision(who=who(context), at=stamp(context.clock.date()), reason=options.reason)

    found: list[Decision | None] = []

    def change(record: Record) -> Record:
        found[:] = [record.hold]
        if context.dry_run or (record.hold and record.hold.reason == options.reason):
            return record
        return dataclasses.replace(record, hold=hold)

    record = Memory(context).change(change)
    before = found[0]
    same = before is not None and before.reason == options.reason
    instead = f"; this replaces the hold by {before}" if before else ""
    context.answer["hold"] = (record.hold or hold).as_json()
    if record.in_flight:
        context.transcript.step(f"a hold does not stop what is in flight: {record.in_flight}")
    if same:
        context.transcript.result(f"{context.stack} was on hold already, by {before}")
    elif context.dry_run:
        context.transcript.result(f"would put {context.stack} on hold: {options.reason}{instead}")
    else:
        context.transcript.result(f"{context.stack} is on hold, by {record.hold}{instead}")


def _unhold(context: Context, _options: argparse.Namespace) -> None:
    memory = Memory(context)
    before = memory.read().hold
    context.answer["lifted"] = before.as_json() if before else None
    if before is None:
        context.transcript.result(f"{context.stack} was not on hold")
        return
    if context.dry_run:
        context.transcript.result(f"would lift the hold on {context.stack} by {before}")
        return
    # Only the hold that was seen: another person's, put on meanwhile, stays.
    memory.change(lambda record: dataclasses.replace(record, hold=None) if record.hold == before else record)
    context.transcript.result(f"lifted the hold on {context.stack} by {before}")


def _no_options(_parser: argparse.ArgumentParser) -> None:
    """Take none."""


HOLD = Command(
    name="hold",
    summary="refuse every update of a stack until `unhold`",
    description="Put a stack on hold: from now on its updates are refused by their guard, with this reason and your\n"
    "name. What is in flight already goes on, and `rollback` still works.",
    add_options=add_reason,
    run=_hold,
)
UNHOLD = Command(
    name="unhold",
    summary="lift the hold on a stack",
    description="Lift the hold on a stack: its updates are let through again.",
    add_options=_no_options,
    run=_unhold,
)
