"""What a rollback writes into the record: when it begins, when it ends, and when it turns out not to have begun."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ops import release_changes
from ops.release_record import FAILED, IN_PROGRESS, LIVE, ROLLBACK, ROLLED_BACK, Decision
from ops.rollback_plan import BY_HAND, was_good

if TYPE_CHECKING:
    from ops.release_record import InFlight, Record, Release
    from ops.rollback_plan import Plan

_LONGEST_CAUSE = 500


def carry_out(record: Record, plan: Plan, flight: InFlight, reason: str) -> Record:
    """Put the rollback in flight, deny what it leaves, and say so at the release it leaves.

    Whatever was in flight is over: its release failed, for it was interrupted.
    """
    cause = f"{BY_HAND}{flight.who}: {reason}"
    left = plan.leaving
    if left and left.verdict in {LIVE, IN_PROGRESS}:
        record = record.replacing(left, replace(left, verdict=ROLLED_BACK, cause=cause, ended_at=flight.began_at))
    record = release_changes.take_over(record, f"interrupted {cause}", flight.began_at)
    denials = dict(record.denials)
    if plan.bad_digest:
        denials.setdefault(plan.bad_digest, Decision(who=flight.who, at=flight.began_at, reason=f"rollback: {reason}"))
    return replace(record, in_flight=flight, denials=denials)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a rollback's target."""

    served: bool = False
    failed: str = ""
    """Why it cannot serve; empty where it does, or where that is not known (an interruption, a timeout)."""
    returned: bool = False
    """Whether ECS has gone back to what the rollback left."""


def ended(record: Record, plan: Plan, flight: InFlight, at: str, outcome: Outcome) -> Record:
    """End the rollback's flight, and say when its target was seen to serve, or that it cannot."""
    if record.in_flight and record.in_flight.is_of(ROLLBACK, flight.digest, flight.host):
        record = replace(record, in_flight=None)
    target = record.of_task_definition(plan.target.task_definition)
    if target and outcome.served:
        record = record.replacing(target, replace(target, verified_at=at))
    elif target and outcome.failed:
        cause = f"a rollback to it failed: {outcome.failed}"[:_LONGEST_CAUSE]
        record = record.replacing(target, replace(target, verdict=FAILED, cause=cause, ended_at=at))
    if outcome.returned and plan.leaving and plan.leaving.good:
        record = _as_before(record, plan.leaving)
    return record


def allowed(record: Record, digest: str) -> Record:
    """Make the releases of an image good again that had served until a person rolled them back."""
    return replace(
        record,
        releases=tuple(
            replace(item, verdict=LIVE, cause="") if item.digest == digest and was_good(item) else item
            for item in record.releases
        ),
    )


def undone(record: Record, plan: Plan, flight: InFlight) -> Record:
    """Take back what `carry_out` wrote, because ECS was told nothing."""
    record = ended(record, plan, flight, flight.began_at, Outcome())
    mine = [name for name, denial in record.denials.items() if (denial.who, denial.at) == (flight.who, flight.began_at)]
    record = replace(record, denials={name: item for name, item in record.denials.items() if name not in mine})
    return _as_before(record, plan.leaving) if plan.leaving else record


def _as_before(record: Record, left: Release) -> Record:
    now = next((item for item in record.releases if _same_deployment(item, left)), None)
    return record.replacing(now, left) if now else record


def _same_deployment(one: Release, other: Release) -> bool:
    return (one.digest, one.began_at, one.task_definition) == (other.digest, other.began_at, other.task_definition)
