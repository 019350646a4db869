"""What an update says to the release memory while it works and when it ends, without ever failing for it.

A record that cannot be reached must neither fail a migration nor a rollout that went well: it is said once, as a step.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from ops import release_changes
from ops.clock import stamp
from ops.errors import OpsError, explain
from ops.release_memory import Memory
from ops.release_record import UPDATE, Record
from ops.transcript import WITHIN_UPDATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from ops.command import Context
    from ops.release_record import Release

BEAT_SECONDS = 5
# A watcher takes for dead what gave no sign of life for as long as this.
DEAD_AFTER_SECONDS = 60
# A record that does not answer holds up what waits meanwhile, so it is not asked at every look.
UNREACHABLE_SECONDS = 30
_TRIES = 5


def within_update(context: Context) -> bool:
    """Whether a Pulumi update runs this command; by hand nothing is in flight because of it."""
    return context.environment.get(WITHIN_UPDATE) == "1"


def this_host() -> str:
    """Return the name of this machine."""
    return socket.gethostname()


class Heartbeat:
    """Signs of life of an update or a rollback, every few seconds at most, and what became of its claim."""

    def __init__(self, context: Context, digest: str, *, kind: str = UPDATE, active: bool | None = None) -> None:
        """`active`: whether it was put in flight; None: when this runs within an update, by the guard before it."""
        self._context = context
        self._kind = kind
        self._digest = digest
        self._active = within_update(context) if active is None else active
        self._next = context.clock.now()
        self._lost = ""

    @property
    def lost(self) -> str:
        """Who took over what was in flight here, in words; empty as long as nobody did."""
        return self._lost

    def beat(self) -> None:
        """Give a sign of life, unless the last was seconds ago. Never raises for the record's sake."""
        now = self._context.clock.now()
        if not self._active or now < self._next:
            return
        at = stamp(self._context.clock.date())

        def change(record: Record) -> Record:
            self._look(record)
            return release_changes.beat(record, self._kind, self._digest, this_host(), at)

        reached = quietly(self._context, "a sign of life", change)
        self._next = self._context.clock.now() + (BEAT_SECONDS if reached else UNREACHABLE_SECONDS)

    def _look(self, record: Record) -> None:
        lost = _lost(record, self._kind, self._digest)
        if lost and not self._lost:
            self._active = False
            self._lost = lost
            self._context.transcript.step(f"this {self._kind} is no longer the one in flight: {lost}")


def _lost(record: Record, kind: str, digest: str) -> str:
    """Say who took over what this process, or one before it in the same update, put in flight; nothing if nobody."""
    flight = record.in_flight
    if flight is None:
        return "it was taken over, by what has ended since"
    return "" if flight.is_of(kind, digest, this_host()) else f"it was taken over: {flight}"


def why_forbidden(context: Context, record: Record, digest: str) -> str:
    """Say what keeps a release from serving that may already be on its way, as this record tells; empty for nothing."""
    denial = record.denials.get(digest)
    if denial:
        return f"it is denied, by {denial}"
    return _lost(record, UPDATE, digest) if within_update(context) else ""


def forbidden(context: Context, digest: str) -> str:
    """Read whether a release is denied or, within an update, another has taken over; in words, empty for neither.

    Never raises: nothing is forbidden by a record that cannot be read.
    """
    found: list[str] = []

    def look(record: Record) -> Record:
        found[:] = [why_forbidden(context, record, digest)]
        return record

    quietly(context, f"whether release {digest} may still be deployed", look)
    return "".join(found)


def record_seen_live(context: Context, digest: str, task_definition: str) -> None:
    """Write down that a release was seen to serve, by hand, whatever its verdict was; never raises.

    Not while something is in flight, whose verdict it is to give, and not against a person's decision.
    """
    if within_update(context) or context.dry_run:
        return
    at = stamp(context.clock.date())
    before: list[Release | None] = []

    def change(record: Record) -> Record:
        before[:] = [record.of_task_definition(task_definition) or record.newest(digest)]
        return release_changes.seen_live(record, digest, task_definition, at)

    after = quietly(context, f"that release {digest} was seen to serve", change)
    now = after.of_task_definition(task_definition) if after else None
    if now and now.good and not (before[0] and before[0].good):
        context.transcript.step(f"release {digest} is a good one from now on, that `rollback` may return to")


def record_verdict(
    context: Context, digest: str, *, verdict: str, cause: str = "", task_definition: str = ""
) -> Record | None:
    """Write down how the update under way ended, and that it ended; None when the record could not be reached.

    `verdict` is LIVE, FAILED or ROLLED_BACK of ops.release_record.
    """
    ending = release_changes.Ending(
        at=stamp(context.clock.date()), verdict=verdict, cause=cause, task_definition=task_definition
    )
    return quietly(
        context,
        f"that release {digest} is {verdict}",
        lambda record: release_changes.end_update(record, digest, this_host(), ending),
    )


def quietly(context: Context, what: str, change: Callable[[Record], Record]) -> Record | None:
    """Change the record; when that cannot be done, say so as a step and return None."""
    try:
        return Memory(context, tries=_TRIES).change(change)
    except (OpsError, ClientError, BotoCoreError) as error:
        problem = error if isinstance(error, OpsError) else explain(error)
        context.transcript.step(f"the release memory does not know {what}: {problem}")
        return None
