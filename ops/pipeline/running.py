"""What a stack runs now: as ECS says, with what the release memory knows of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ops import tasks
from ops.errors import OpsError
from ops.release_memory import Memory
from ops.release_record import Record
from ops.tasks_of_release import serving_digest

if TYPE_CHECKING:
    from ops.command import Context
    from ops.release_record import Release


@dataclass(frozen=True, kw_only=True)
class Running:
    """What a stack runs, and what is remembered of it."""

    digest: str
    """Empty: nothing; the stack was never deployed."""
    release: Release | None
    """Its release, if one is remembered."""
    record: Record

    @property
    def commit(self) -> str:
        """The commit it was built of, without the mark of a checkout with changes; empty when nobody knows."""
        return self.release.commit.partition("-")[0] if self.release else ""


def find(context: Context) -> Running:
    """Return what a stack runs.

    After a rollback that is the older release. An update that is under way has told ECS what to run, or will.
    """
    digest = serving_digest(context)
    if not digest and tasks.find_service(context.aws.ecs, context.stack) is None:
        return Running(digest="", release=None, record=Record())
    record = Memory(context).read()
    release = record.newest(digest) if digest else record.live
    return Running(digest=digest or (release.digest if release else ""), release=release, record=record)


def served_well(context: Context) -> Release:
    """Return the release that a stack runs: the one that was last seen to serve, with nothing under way or denied.

    Raises:
        OpsError: it is not, or what it runs is not known.

    """
    running = find(context)
    stack, live = context.stack, running.record.live
    if not running.digest:
        raise OpsError(f"{stack} was never deployed, so it serves nothing. Nothing was done. Deploy it first.")
    if running.record.in_flight:
        raise OpsError(f"{stack} is being changed: {running.record.in_flight}. Nothing was done. Wait for its end.")
    if live is None or live.digest != running.digest:
        verdict = f"its verdict is: {running.release.verdict}" if running.release else "its memory does not know it"
        raise OpsError(
            f"{stack} runs {running.digest}, and that was not seen to serve well ({verdict}). Nothing was done. "
            f"`python -m ops status {stack.options}` shows what is the matter; `make ci-verify STACK={stack.name}` "
            "says when it serves.",
        )
    if denial := running.record.denials.get(live.digest):
        raise OpsError(
            f"{stack} serves {live.digest}, and that is denied there, by {denial}. Nothing was done. Deploy another "
            f"commit to {stack.name} first; if this one is good after all, allow it and run again:\n"
            f"  python -m ops allow {live.digest} {stack.options}",
        )
    return live
