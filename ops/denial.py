"""`python -m ops deny` and `allow`: images that no update may deploy."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from ops import rollback_changes
from ops.clock import stamp
from ops.command import Command, Context, add_reason
from ops.errors import CannotAct, OpsError
from ops.release_memory import Memory
from ops.release_pruning import MOST_DENIAL_BYTES, MOST_DENIALS, denial_bytes
from ops.release_record import Decision
from ops.rollback_plan import was_good
from ops.tasks_of_release import serving_digest
from ops.who import who

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from ops.release_record import Record

_DIGITS = re.compile(r"[0-9a-f]{7,64}")
_ALL_DIGITS = 64


def find_digest(given: str, known: Iterable[str], where: str) -> str:
    """Return the digest that was meant: a known one by its first hexadecimal digits, or any when it is whole.

    Raises:
        CannotAct: it is no digest, or several or none of the known ones begin so.

    """
    digits = given.removeprefix("sha256:")
    if not _DIGITS.fullmatch(digits):
        raise CannotAct(
            f"{given!r} is not a digest: give the first 7 or more of its hexadecimal digits, or all of it (sha256:...)."
        )
    whole = f"sha256:{digits}"
    if len(digits) == _ALL_DIGITS:
        return whole
    found = sorted({digest for digest in known if digest.startswith(whole)})
    if not found:
        raise CannotAct(
            f"no digest {where} begins with {digits}. Give the whole digest, or see `python -m ops releases`."
        )
    if len(found) > 1:
        raise CannotAct(f"several digests {where} begin with {digits}: {', '.join(found)}. Give more digits.")
    return found[0]


def _deny(context: Context, options: argparse.Namespace) -> None:
    memory = Memory(context)
    record = memory.read()
    digest = find_digest(options.digest, (item.digest for item in record.releases), f"of {context.stack}")
    denial = Decision(who=who(context), at=stamp(context.clock.date()), reason=options.reason)
    found: list[Decision | None] = []

    def change(record: Record) -> Record:
        denied = record.denials.get(digest)
        found[:] = [denied]
        if denied and denied.reason == options.reason:
            return record
        changed = dataclasses.replace(record, denials={**record.denials, digest: denial})
        _refuse_if_full(record, changed)
        return record if context.dry_run else changed

    record = memory.change(change)
    before = found[0]
    context.answer.update(digest=digest, denial=record.denials.get(digest, denial).as_json())
    _tell_what_goes_on(context, record, digest)
    instead = f"; this replaces the denial by {before}" if before else ""
    if before and before.reason == options.reason:
        context.transcript.result(f"{digest} was denied already, by {before}")
    elif context.dry_run:
        context.transcript.result(f"would deny {digest}: {options.reason}{instead}")
    else:
        context.transcript.result(f"denied: {digest}, by {record.denials[digest]}{instead}")


def _refuse_if_full(record: Record, changed: Record) -> None:
    more = len(changed.denials) > len(record.denials)
    if more and len(record.denials) < MOST_DENIALS and denial_bytes(record) < MOST_DENIAL_BYTES:
        return
    if not more and denial_bytes(changed) <= max(denial_bytes(record), MOST_DENIAL_BYTES):
        return
    oldest = min(record.denials, key=lambda digest: record.denials[digest].at)
    raise OpsError(
        f"{len(record.denials)} images are denied already, and more do not fit into the release memory. Nothing was "
        "changed. Allow some that nobody will deploy again (`python -m ops allow DIGEST`); the oldest is "
        f"{oldest}, denied by {record.denials[oldest]}",
    )


def _tell_what_goes_on(context: Context, record: Record, digest: str) -> None:
    """Say that a denial stops nothing that has begun, and what does."""
    rollback = f"python -m ops rollback {context.stack.options}"
    if record.in_flight and record.in_flight.digest == digest:
        context.transcript.step(
            f"this is what is in flight, and it is not stopped: {record.in_flight}. Its verdict will be that it is "
            f"denied. `{rollback} --interrupt` stops it"
        )
    if digest == _serving(context, record):
        context.transcript.step(
            "this is the release that serves: it goes on serving, and every update with it is refused. "
            f"`{rollback}` returns to the one before it"
        )


def _serving(context: Context, record: Record) -> str:
    """Return the digest that serves, as ECS says; as the record says when ECS cannot be asked."""
    try:
        serving = serving_digest(context)
    except (OpsError, ClientError, BotoCoreError):
        serving = ""
    return serving or (record.live.digest if record.live else "")


def _allow(context: Context, options: argparse.Namespace) -> None:
    memory = Memory(context)
    record = memory.read()
    digest = find_digest(options.digest, record.denials, "that is denied")
    before = record.denials.get(digest)
    context.answer.update(digest=digest, lifted=before.as_json() if before else None)
    if before is None:
        context.transcript.result(f"{digest} was not denied")
        return
    if context.dry_run:
        context.transcript.result(f"would allow {digest}, denied by {before}")
        return

    def change(record: Record) -> Record:
        rest = {name: denial for name, denial in record.denials.items() if name != digest or denial != before}
        changed = dataclasses.replace(record, denials=rest)
        return changed if digest in rest else rollback_changes.allowed(changed, digest)

    after = memory.change(change)
    if any(item.digest == digest and was_good(item) for item in record.releases) and digest not in after.denials:
        context.transcript.step(
            "it is a good release again, which can be returned to: "
            f"`python -m ops rollback {digest} {context.stack.options}`"
        )
    context.transcript.result(f"allowed: {digest}, denied by {before}")


def _deny_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "digest", metavar="DIGEST", help="the image's digest; of a known release its first 7 hexadecimal digits do"
    )
    add_reason(parser)


def _allow_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("digest", metavar="DIGEST", help="the denied digest, or its first 7 or more hexadecimal digits")


DENY = Command(
    name="deny",
    summary="refuse every update with an image, by its digest",
    description="Deny an image: from now on updates with it are refused by their guard, with this reason and your\n"
    "name, and `rollback` does not return to it. What runs goes on running, and what is\n"
    "being deployed is not stopped: `rollback` does that.",
    add_options=_deny_options,
    run=_deny,
)
ALLOW = Command(
    name="allow",
    summary="let a denied image be deployed again",
    description="Allow an image that was denied, by `deny` or by a rollback.",
    add_options=_allow_options,
    run=_allow,
)
