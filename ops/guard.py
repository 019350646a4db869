"""`python -m ops guard`: may this release be deployed now? Asked by every update before it changes anything.

No to a digest that was denied, to a stack on hold, and while another update or rollback is under way. Within an update
a yes is written down: this release is in flight from now on, until verify has its verdict or migrate fails.
"""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

from ops import release_changes
from ops.claim import claim, new_flight, taking_over
from ops.clock import stamp
from ops.command import Command, Context
from ops.errors import OpsError
from ops.in_flight import within_update
from ops.release_memory import Memory
from ops.release_record import UPDATE, InFlight, Record

if TYPE_CHECKING:
    from ops.stack import Stack

# The update made the table a moment ago, and DynamoDB may not know it everywhere yet.
TABLE_SECONDS = 20
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def refuse_if_forbidden(record: Record, digest: str, stack: Stack) -> None:
    """Refuse what a person has forbidden.

    Raises:
        OpsError: the digest is denied, or the stack is on hold.

    """
    denial = record.denials.get(digest)
    if denial:
        raise OpsError(
            f"release {digest} is denied, by {denial}\n"
            "Nothing was changed. Deploy another release; if this one is good after all, allow it and run again:\n"
            f"  python -m ops allow {digest} {stack.options}",
        )
    if record.hold:
        raise OpsError(
            f"{stack} is on hold, by {record.hold}\n"
            "Nothing was changed. When the reason is gone, lift it and run again:\n"
            f"  python -m ops unhold {stack.options}",
        )


def _run(context: Context, options: argparse.Namespace) -> None:
    memory = Memory(context, missing_patience_seconds=TABLE_SECONDS)
    flight = new_flight(context, UPDATE, options.release)
    claims = within_update(context) and not context.dry_run
    taken_over: list[InFlight] = []

    def change(record: Record, dead: InFlight | None) -> Record:
        taken_over.clear()
        refuse_if_forbidden(record, options.release, context.stack)
        free = taking_over(record, dead, stamp(context.clock.date()))
        if not claims:
            return record
        if record.in_flight:
            taken_over.append(record.in_flight)
        return release_changes.begin_update(free, flight)

    record = claim(context, memory, change)
    for dead in taken_over:
        context.transcript.step(f"the {dead.kind} of {dead.digest} by {dead.who} was interrupted, and is over")
    _tell(context, record, options.release)
    flying = record.in_flight.as_json() if claims and record.in_flight else None
    context.answer.update(release=options.release, in_flight=flying)
    context.transcript.result("guard: passed")


def _tell(context: Context, record: Record, digest: str) -> None:
    live = record.live
    if live is None:
        context.transcript.step("no release of this stack is known to have served yet")
    elif live.digest == digest:
        context.transcript.step(f"{digest} is the live release, verified at {live.verified_at}")
    else:
        context.transcript.step(f"the live release is {live.digest}, verified at {live.verified_at}")


def digest(text: str) -> str:
    """Parse an image digest."""
    if not _DIGEST.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not an image digest: give sha256: and 64 hexadecimal digits")
    return text


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--release", required=True, type=digest, metavar="sha256:...", help="the digest of the image to be deployed"
    )


COMMAND = Command(
    name="guard",
    summary="refuse a release that is denied, a stack on hold, and a second update at a time",
    description="Ask whether a release may be deployed now. Refuses a denied release (`ops deny`), a stack on hold\n"
    "(`ops hold`), and while another update or rollback is under way; one that was killed is taken over a minute\n"
    "after its last sign of life. Within an update, a release that passes is written down as in flight;\n"
    "by hand this only asks.",
    add_options=_options,
    run=_run,
)
