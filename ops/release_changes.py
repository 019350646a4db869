"""What may happen to a release memory's record, as pure functions from one record to the next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ops.release_record import FAILED, IN_PROGRESS, LIVE, ROLLED_BACK, UPDATE, InFlight, Record, Release

if TYPE_CHECKING:
    from ops.release_record import AppliedMigration

INTERRUPTED = "interrupted"
_LONGEST_CAUSE = 500


def begin_update(record: Record, flight: InFlight) -> Record:
    """Mark an update as under way; a release in progress is added unless its digest is the live one's."""
    # The image may have been built from another commit than the one checked out where it is deployed (again).
    known = next((item.commit for item in record.releases if item.digest == flight.digest and item.commit), "")
    flight = replace(flight, commit=known or flight.commit)
    live = record.live
    record = replace(record, in_flight=flight)
    if live and live.digest == flight.digest:
        return record
    release = _release(flight)
    return replace(record, releases=(release, *record.releases))


def _release(flight: InFlight) -> Release:
    # Nothing is applied yet: a migration that begins makes it unknown, and one that ends makes it known again.
    return Release(digest=flight.digest, commit=flight.commit, who=flight.who, began_at=flight.began_at, migrations=())


def take_over(record: Record, cause: str, at: str) -> Record:
    """End what is in flight, whose process is gone or was overruled: its release failed, unless it served before."""
    flight = record.in_flight
    if flight is None:
        return record
    record = replace(record, in_flight=None)
    release = record.newest(flight.digest) if flight.kind == UPDATE else None
    if release is None or release.verdict != IN_PROGRESS:
        return record
    return record.replacing(release, replace(release, verdict=FAILED, cause=_short(cause), ended_at=at))


def beat(record: Record, kind: str, digest: str, host: str, at: str) -> Record:
    """Give what is in flight a sign of life, if it is this one."""
    flight = record.in_flight
    if flight is None or not flight.is_of(kind, digest, host):
        return record
    return replace(record, in_flight=replace(flight, seen_at=at, beat=flight.beat + 1))


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How an update ended."""

    at: str
    verdict: str
    cause: str = ""
    task_definition: str = ""
    """The web task definition's ARN; empty when it did not get as far."""

    def of(self, release: Release) -> Release:
        """Return the release with this ending."""
        return replace(
            release,
            ended_at=self.at,
            verdict=self.verdict,
            cause=_short(self.cause),
            task_definition=self.task_definition or release.task_definition,
            verified_at=self.at if self.verdict == LIVE else release.verified_at,
        )


def end_update(record: Record, digest: str, host: str, ending: Ending) -> Record:
    """Write down how an update ended, and that it is no longer in flight.

    An update that was taken over meanwhile ends nobody else's flight, and overrules no decision of a person.
    """
    flight = record.in_flight
    ours = flight is not None and flight.is_of(UPDATE, digest, host)
    if ours:
        # An update sets how many tasks each process has; what it did not start is nobody's to start again.
        stopped = {} if ending.verdict == LIVE else record.stopped
        record = replace(record, in_flight=None, stopped=stopped)
    release = record.newest(digest)
    if release is None:
        return record
    if release.verdict == IN_PROGRESS or (release.verdict == FAILED and release.cause == INTERRUPTED):
        return record.replacing(release, ending.of(release))
    live = record.live
    if flight is None or not ours or live is None or live.digest != digest:
        return record
    if ending.task_definition not in {"", live.task_definition} and live.task_definition:
        # The same image with another configuration: what served before stays there to be returned to.
        return replace(record, releases=(ending.of(_release(flight)), *record.releases))
    return _again(record, live, ending)


def _again(record: Record, live: Release, ending: Ending) -> Record:
    """The live release was deployed again as it is, and this is how it went."""
    if ending.verdict == LIVE:
        definition = ending.task_definition or live.task_definition
        return record.replacing(live, replace(live, verified_at=ending.at, task_definition=definition))
    if ending.verdict == ROLLED_BACK:
        # ECS took it back after it had been called live, as an alarm does within its bake time.
        return record.replacing(live, ending.of(live))
    # It served, and does not now (a lost database, a secret taken away): that does not make it a bad release.
    return record


def seen_live(record: Record, digest: str, task_definition: str, at: str) -> Record:
    """Write down that a release serves, seen by a person while nothing is in flight; a denial stands."""
    release = record.of_task_definition(task_definition) or record.newest(digest)
    if release is None or release.digest != digest or not task_definition:
        return record
    if record.in_flight or digest in record.denials:
        return record
    serving = replace(release, verdict=LIVE, cause="", verified_at=at, ended_at=release.ended_at or at)
    if release.task_definition in {"", task_definition}:
        return record.replacing(release, replace(serving, task_definition=task_definition))
    # Another configuration of the same image, by an update that was killed: it serves on the schema as it is now.
    served = replace(serving, task_definition=task_definition, began_at=at, ended_at=at, migrations=())
    return replace(record, releases=(served, *record.releases))


def begin_migration(record: Record, digest: str) -> Record:
    """From now on, until it is told, what the newest release of this digest applied is not known."""
    release = record.newest(digest)
    return record.replacing(release, replace(release, migrations=None)) if release else record


def end_migration(
    record: Record,
    digest: str,
    before: tuple[AppliedMigration, ...] | None,
    applied: tuple[AppliedMigration, ...] | None,
) -> Record:
    """Write down what was applied, beside what the release had applied `before`; None is not known."""
    release = record.newest(digest)
    if release is None or before is None or applied is None:
        return record
    names = {item.name for item in before}
    migrations = (*before, *(item for item in applied if item.name not in names))
    return record.replacing(release, replace(release, migrations=migrations))


def _short(cause: str) -> str:
    return cause if len(cause) <= _LONGEST_CAUSE else f"{cause[:_LONGEST_CAUSE]}..."
