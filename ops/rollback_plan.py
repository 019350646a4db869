"""Which release a rollback returns to, what it leaves, and what lies between them; decided from the record alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ops.errors import CannotAct, OpsError
from ops.release_record import FAILED, IN_PROGRESS, ROLLBACK, ROLLED_BACK, UPDATE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ops.release_record import Record, Release
    from ops.stack import Stack

BY_HAND = "by hand by "
_DIGITS = re.compile(r"[0-9a-f]{7,64}")


@dataclass(frozen=True, kw_only=True)
class Serving:
    """What the service runs now, as ECS says."""

    task_definition: str
    digest: str
    """The image's; empty when its task definition does not say."""
    same: frozenset[str] = frozenset()
    """Other task definitions with the same content: returning to one of them would change nothing."""

    def runs(self, task_definition: str) -> bool:
        """Whether this is what serves, whichever its revision."""
        return task_definition == self.task_definition or task_definition in self.same


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One rollback, decided."""

    target: Release
    leaving: Release | None
    """The release it leaves, if the record knows it."""
    bad_digest: str
    """What no update may deploy afterwards; empty for none: another configuration of the same image stays allowed."""
    crossed: tuple[str, ...]
    """The migrations of newer releases, in words: they stay applied."""
    obstacles: tuple[str, ...]
    """Those of them that cannot be undone, and the releases of which they are not known."""
    stops_only: bool = False
    """Whether the target serves already, and all there is to do is to stop an update."""
    already: str = ""
    """What to say when the target serves already, and nothing that runs beside web has to follow; empty otherwise."""


class _ServesAlready(OpsError):  # noqa: N818 - reads as what happened
    def __init__(self, message: str, release: Release) -> None:
        super().__init__(message)
        self.release = release


def make_plan(record: Record, named: str | None, serving: Serving, stack: Stack, *, interrupt: bool = False) -> Plan:
    """Decide where to return to; `interrupt`: what is in flight is to be stopped.

    Raises:
        OpsError: no release is good enough to return to.
        CannotAct: it is not clear which release was named.

    """
    leaving = record.of_task_definition(serving.task_definition) or record.newest(serving.digest)
    known = _begun(record) or _same_image(record, serving) or (_interrupted_for(record, serving) if interrupt else None)
    try:
        target = _named(record, named, serving, stack) if named else known or _default(record, serving, leaving, stack)
    except _ServesAlready as error:
        if error.release.task_definition != serving.task_definition:
            raise
        return Plan(target=error.release, leaving=None, bad_digest="", crossed=(), obstacles=(), already=str(error))
    bad, stops = serving.digest, False
    if target.task_definition == serving.task_definition:
        # It serves (again): what is put aside is the update that was about to replace it.
        bad = record.in_flight.digest if record.in_flight else ""
        stops = record.in_flight is not None and record.in_flight.kind == UPDATE
        leaving = record.newest(bad)
    newer = record.releases[: record.releases.index(target)]
    obstacles = _obstacles(newer)
    # The same code serves now, on the database as it is: nothing is crossed, whatever else was migrated meanwhile.
    crosses = target.digest != serving.digest
    return Plan(
        target=target,
        leaving=leaving if leaving is not target else None,
        bad_digest="" if bad == target.digest else bad,
        crossed=tuple(
            f"{item.name}, of {_name(release)}"
            for release in newer
            for item in release.migrations or ()
            if item.undoable
        )
        + (() if crosses else obstacles),
        obstacles=obstacles if crosses else (),
        stops_only=stops,
    )


def _begun(record: Record) -> Release | None:
    """Return the target of a rollback that was interrupted: it is finished, and goes no further."""
    flight = record.in_flight
    if flight is None or flight.kind != ROLLBACK:
        return None
    return next((item for item in record.releases if item.good and item.digest == flight.digest), None)


def _same_image(record: Record, serving: Serving) -> Release | None:
    """Return the good release of the image that serves in a configuration nobody has called good (yet)."""
    if record.of_task_definition(serving.task_definition) or serving.digest in record.denials:
        return None
    newest = record.newest(serving.digest)
    # Where it is not good, its image is being deployed again, or was, and something else served in between.
    return newest if newest and newest.good and newest.task_definition else None


def _interrupted_for(record: Record, serving: Serving) -> Release | None:
    """Return the good release that serves while an update in flight has not reached the service: that is stopped."""
    release = record.of_task_definition(serving.task_definition)
    flight = record.in_flight
    return release if flight and flight.kind == UPDATE and release and release.good else None


def _obstacles(newer: Sequence[Release]) -> tuple[str, ...]:
    found: list[str] = []
    for release in newer:
        if release.migrations is None:
            found.append(f"what {_name(release)} ({release.verdict}) applied is not known")
            continue
        found += [
            f"{item.name}, of {_name(release)}, cannot be undone{f': {item.why}' if item.why else ''}"
            for item in release.migrations
            if not item.undoable
        ]
    return tuple(found)


def _default(record: Record, serving: Serving, leaving: Release | None, stack: Stack) -> Release:
    candidates = [
        item
        for item in record.releases
        if item.good
        and item.task_definition
        and not serving.runs(item.task_definition)
        and item.digest not in record.denials
    ]
    newest = record.releases[0] if record.releases else None
    if newest and leaving and leaving.good and newest is not leaving and _did_not_make_it(newest):
        older = _older(record, candidates, leaving)
        further = f"To go further back: {_command(stack, older[0])}" if older else ""
        raise _ServesAlready(
            f"{_name(newest)} ({_how_it_went(newest)}) is not what serves: "
            f"{_name(leaving)} does, which was good. Nothing needs to be done, and nothing was changed.\n"
            f"{further}".rstrip(),
            leaving,
        )
    older = _older(record, candidates, leaving) if leaving else candidates
    if older:
        return older[0]
    if candidates:
        raise OpsError(
            "no good release is older than the one that serves. Nothing was changed. To go to a newer one, name it: "
            f"{_command(stack, candidates[0])}{_denied(record, serving, stack)}",
        )
    raise OpsError(
        f"there is no release of {stack} to return to: none but the one that serves is known to have served, or is "
        "not denied. Nothing was changed. `python -m ops releases` shows them; deploy a good image by `pulumi up`."
        f"{_denied(record, serving, stack)}",
    )


def _denied(record: Record, serving: Serving, stack: Stack) -> str:
    """Name the newest release that would be a way back if it were not denied."""
    for item in record.releases:
        denial = record.denials.get(item.digest)
        if denial and item.digest != serving.digest and item.task_definition and (item.good or was_good(item)):
            return (
                f"\n{_name(item)} served too, and is denied, by {denial}. If it is good after all:\n"
                f"  python -m ops allow {item.digest} {stack.options}\n"
                f"  {_command(stack, item)}"
            )
    return ""


def was_good(release: Release) -> bool:
    """Whether it served well, as far as was known, until a person rolled it back."""
    return release.verdict == ROLLED_BACK and release.cause.startswith(BY_HAND) and release.verified_at != ""


def _did_not_make_it(newest: Release) -> bool:
    return newest.verdict in {FAILED, ROLLED_BACK, IN_PROGRESS} and not newest.cause.startswith(BY_HAND)


def _older(record: Record, candidates: list[Release], than: Release) -> list[Release]:
    place = record.releases.index(than)
    return [item for item in candidates if record.releases.index(item) > place]


def _named(record: Record, named: str, serving: Serving, stack: Stack) -> Release:
    digits = named.removeprefix("sha256:")
    if not _DIGITS.fullmatch(digits):
        raise CannotAct(f"{named!r} names no release: give the first 7 or more digits of its digest or of its commit.")
    by_commit = not named.startswith("sha256:")
    found = [
        item
        for item in record.releases
        if item.digest.startswith(f"sha256:{digits}") or (by_commit and item.commit.startswith(digits))
    ]
    digests = sorted({item.digest for item in found})
    if not found:
        raise CannotAct(f"no release of {stack} that is remembered begins with {named}. See `python -m ops releases`.")
    if len(digests) > 1:
        raise CannotAct(f"{named} may be any of {', '.join(digests)}. Name one by its digest.")
    denial = record.denials.get(digests[0])
    if denial:
        raise OpsError(
            f"release {digests[0]} is denied, by {denial}. Nothing was changed. If it is good after all:\n"
            f"  python -m ops allow {digests[0]} {stack.options}",
        )
    good = [item for item in found if item.good and item.task_definition]
    if not good:
        raise OpsError(
            f"{_name(found[0])} is not known to have served: {_how_it_went(found[0])}. "
            "A rollback returns to a release that was good. Nothing was changed.",
        )
    other = [item for item in good if not serving.runs(item.task_definition)]
    itself = next((item for item in good if item.task_definition == serving.task_definition), good[0])
    if not other and record.in_flight is None:
        raise _ServesAlready(f"{_name(itself)} is what serves already. Nothing was changed.", itself)
    return other[0] if other else itself


def _how_it_went(release: Release) -> str:
    if release.cause.startswith(release.verdict):
        return release.cause
    return f"{release.verdict}: {release.cause}" if release.cause else release.verdict


def _name(release: Release) -> str:
    return f"release {release.digest[:19]}" + (f" (commit {release.commit[:10]})" if release.commit else "")


def _command(stack: Stack, release: Release) -> str:
    return f"python -m ops rollback {release.digest[:19]} {stack.options}"
