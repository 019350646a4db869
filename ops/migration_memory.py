"""What a migration leaves in the release memory: what it applied, and within an update that the update failed."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from ops import release_changes
from ops.errors import CannotAct, OpsError, explain
from ops.in_flight import Heartbeat, forbidden, quietly, record_verdict, why_forbidden, within_update
from ops.release_memory import Memory
from ops.release_record import FAILED, AppliedMigration, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ops.command import Context
    from ops.migration import Migration

_KEY = "migrations"


def read_report(line: str, otherwise: tuple[AppliedMigration, ...] | None) -> tuple[AppliedMigration, ...] | None:
    """Read which migrations were applied, if this log line of the migration task is the one that tells."""
    # Most lines are not, and some are long.
    if f'"{_KEY}"' not in line:
        return otherwise
    try:
        found = json.loads(line)
    except ValueError:
        return otherwise
    listed = found.get(_KEY) if isinstance(found, dict) else None
    if not isinstance(listed, list) or not all(_is_migration(item) for item in listed):
        return otherwise
    return tuple(
        AppliedMigration(name=item["name"], undoable=item["undoable"], why=str(item.get("why") or ""))
        for item in listed
    )


def _is_migration(item: object) -> bool:
    return isinstance(item, dict) and isinstance(item.get("name"), str) and isinstance(item.get("undoable"), bool)


@contextlib.contextmanager
def failing_the_update(context: Context, digest: str) -> Iterator[None]:
    """Within an update, write down that it failed, and is no longer in flight, when this fails."""
    try:
        yield
    except (OpsError, ClientError, BotoCoreError, KeyboardInterrupt) as error:
        if within_update(context) and not context.dry_run:
            record_verdict(context, digest, verdict=FAILED, cause=_first_line(error))
        raise


def refuse_if_forbidden(context: Context, digest: str, heart: Heartbeat) -> None:
    """Go no further with an update whose release was denied meanwhile, or whose turn it no longer is.

    Raises:
        OpsError: a person or another update has decided so.

    """
    words = heart.lost or (forbidden(context, digest) if within_update(context) else "")
    if words:
        raise _may_not_go_on(words)


def _may_not_go_on(words: str) -> OpsError:
    return OpsError(
        f"this update may not go on: {words}\n"
        "The service was not touched by this update. See `python -m ops releases`, and run again.",
    )


@contextlib.contextmanager
def remembering(context: Context, digest: str, migration: Migration) -> Iterator[None]:
    """Write down at the release what a migration applied, however it ends; a kill leaves it as not known.

    Raises:
        OpsError: within an update, that it migrates could not be written down, or may not be. Nothing ran.

    """
    before: list[tuple[AppliedMigration, ...] | None] = []

    def begin(record: Record) -> Record:
        words = why_forbidden(context, record, digest) if within_update(context) else ""
        if words:
            raise _may_not_go_on(words)
        release = record.newest(digest)
        before[:] = [release.migrations] if release else []
        return release_changes.begin_migration(record, digest)

    begun = _begin(context, digest, begin)
    if begun is not None and not before:
        context.transcript.step(f"release {digest} is not in the release memory: what is applied is not written down")
    try:
        yield
    finally:
        applied = migration.applied
        context.answer[_KEY] = None if applied is None else [item.as_json() for item in applied]
        if before or begun is None:
            quietly(context, "what was migrated", lambda record: _end(record, digest, before, applied))


def _begin(context: Context, digest: str, begin: Callable[[Record], Record]) -> Record | None:
    """Write down that what this release applies is not known from now on; by hand it is only tried."""
    if not within_update(context):
        return quietly(context, f"that release {digest} migrates", begin)
    try:
        return Memory(context).change(begin)
    except (ClientError, BotoCoreError) as error:
        raise CannotAct(
            f"that release {digest} migrates could not be written down: {explain(error)}\n"
            "Nothing was migrated: a later rollback would not know what it crosses. Run again when the release memory "
            "can be written.",
        ) from error


def _end(
    record: Record,
    digest: str,
    before: list[tuple[AppliedMigration, ...] | None],
    applied: tuple[AppliedMigration, ...] | None,
) -> Record:
    release = record.newest(digest)
    if release is None:
        return record
    known = before[0] if before else release.migrations
    return release_changes.end_migration(record, digest, known, applied)


def _first_line(error: BaseException) -> str:
    if isinstance(error, (ClientError, BotoCoreError)):
        error = explain(error)
    return str(error).partition("\n")[0] or "interrupted"
