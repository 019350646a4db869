"""Claiming a stack: one update or rollback at a time, and what a killed one left is taken over."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ops import release_changes
from ops.clock import Deadline, stamp
from ops.errors import OpsError
from ops.in_flight import BEAT_SECONDS, DEAD_AFTER_SECONDS, UNREACHABLE_SECONDS, this_host
from ops.release_record import InFlight, Record
from ops.who import commit, who

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from ops.command import Context
    from ops.release_memory import Memory

# However old the last sign of life looks: the clocks of two machines may differ, and a living one beats in this time,
# also when the record did not answer it a moment ago, or a look at ECS took long.
WATCH_AT_LEAST_SECONDS = UNREACHABLE_SECONDS + BEAT_SECONDS


class Busy(OpsError):  # noqa: N818 - reads as what happened
    """Something else is in flight."""

    def __init__(self, flight: InFlight) -> None:
        super().__init__(str(flight))
        self.flight = flight


def new_flight(context: Context, kind: str, digest: str) -> InFlight:
    """Return what this command would put in flight."""
    now = stamp(context.clock.date())
    return InFlight(
        kind=kind, digest=digest, who=who(context), host=this_host(), began_at=now, seen_at=now, commit=commit(context)
    )


def taking_over(record: Record, dead: InFlight | None, at: str) -> Record:
    """Return the record with nothing in flight, given that `dead` is known to have ended without a word.

    Raises:
        Busy: something else is in flight, or it showed itself alive since.

    """
    if record.in_flight is None:
        return record
    if record.in_flight != dead:
        raise Busy(record.in_flight)
    return release_changes.take_over(record, release_changes.INTERRUPTED, at)


def claim(context: Context, memory: Memory, change: Callable[[Record, InFlight | None], Record]) -> Record:
    """Make a change that puts something in flight; what is in flight already is watched, whether it lives.

    `change` is given the record and the flight that is known to be dead, and uses `taking_over`.

    Raises:
        OpsError: another update or rollback is alive.

    """
    dead: InFlight | None = None
    while True:
        try:
            return memory.change(lambda record, dead=dead: change(record, dead))  # type: ignore[misc]
        except Busy as busy:
            dead = watch(context, memory, busy.flight)


def watch(context: Context, memory: Memory, flight: InFlight) -> InFlight:
    """Watch what is in flight until it has shown no sign of life for long enough, and return it as it was then.

    Returns early when it has ended, or something else has taken its place.

    Raises:
        OpsError: it is alive.

    """
    context.transcript.step(f"in flight: {flight}")
    waits = min(max(DEAD_AFTER_SECONDS - _age_seconds(context, flight), WATCH_AT_LEAST_SECONDS), DEAD_AFTER_SECONDS)
    context.transcript.step(f"watching for {waits:.0f} s whether it is alive (its clock may differ from ours)")
    deadline = Deadline(context.clock, waits)
    while not deadline.passed:
        deadline.pause()
        now = memory.read().in_flight
        if now is None or dataclasses.replace(now, beat=0, seen_at="") != dataclasses.replace(
            flight, beat=0, seen_at=""
        ):
            return flight
        if now.beat != flight.beat:
            raise alive(context, now)
    context.transcript.step(f"no sign of life in {waits:.0f} s: it was killed. Taking over.")
    return flight


def alive(context: Context, flight: InFlight) -> OpsError:
    """Say that this is in flight, and what to do."""
    return OpsError(
        f"{context.stack} is busy: {flight}.\n"
        "Nothing was done. Wait until it has ended and run again. If it was killed, the next update or rollback takes "
        f"over {DEAD_AFTER_SECONDS} s after its last sign of life; `python -m ops rollback {context.stack.options} "
        "--interrupt` overrules it.",
    )


def _age_seconds(context: Context, flight: InFlight) -> float:
    return (context.clock.date() - _moment(context, flight.seen_at)).total_seconds()


def _moment(context: Context, text: str) -> dt.datetime:
    now = context.clock.date()
    try:
        return type(now).fromisoformat(text).astimezone(now.tzinfo)
    except ValueError:
        return now
