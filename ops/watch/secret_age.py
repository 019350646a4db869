"""How old the oldest value among the stack's secrets is. No value is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops.watch.measure import Measure

if TYPE_CHECKING:
    import datetime as dt

    from ops.watch.assignment import Assignment
    from ops.watch.clients import Clients

DAY_SECONDS = 24 * 3600
# Each look costs a call for each secret (USD 0.05 for 10,000), and days pass slowly.
EVERY_MINUTES = 15


def gauge(assignment: Assignment, clients: Clients, now: dt.datetime) -> list[Measure]:
    """Days since the oldest current value was put; nothing when no secret has one.

    Not since the secret was changed (`LastChangedDate`): a new description or tag is no new value.
    """
    moments = [moment for arn in assignment.secrets if (moment := _put(clients, arn))]
    if not moments:
        return []
    age = max(0.0, (now - min(moments)).total_seconds()) / DAY_SECONDS
    return [Measure(name="SecretAgeDays", value=round(age, 3), unit="None")]


def is_due(now: dt.datetime) -> bool:
    """Whether this minute's pass looks at it."""
    return now.minute % EVERY_MINUTES == 0


def _put(clients: Clients, arn: str) -> dt.datetime | None:
    """When the value that a task is given was put."""
    # One page: without the deprecated ones, a secret has no more versions than labels, of which 20 are the most.
    versions = clients.secretsmanager.list_secret_version_ids(SecretId=arn)["Versions"]
    return next((each["CreatedDate"] for each in versions if "AWSCURRENT" in each.get("VersionStages", [])), None)
