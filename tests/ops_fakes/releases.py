"""A stack with a past, for the tests of the release memory's commands."""

from __future__ import annotations

from ops.release_record import LIVE, InFlight, Record, Release
from tests.ops_fakes.account import OLD_RELEASE, RELEASE

OLDER_RELEASE = "sha256:" + "c" * 64
UPDATE = {"PACTUM_WITHIN_UPDATE": "1", "OPS_TRANSCRIPT": "/dev/null", "GITHUB_ACTOR": "ana", "GITHUB_SHA": "beef" * 10}
"""The surroundings a pipeline's update runs a command in."""


def was_live(digest: str, minute: int, task_definition: str = "") -> Release:
    """A release that served from that minute of the hour on."""
    at = f"2026-11-22T11:{minute:02}:00Z"
    return Release(
        digest=digest, commit=f"{minute:040}", who="eva", began_at=at, ended_at=at, verified_at=at, verdict=LIVE,
        task_definition=task_definition, migrations=(),
    )  # fmt: skip


def flight(digest: str = RELEASE, *, kind: str = "update", seen_at: str = "2026-11-22T12:00:00Z") -> InFlight:
    """Something another machine put in flight, with its last sign of life at the start of the tests' clock."""
    return InFlight(
        kind=kind, digest=digest, who="ben", host="elsewhere", began_at="2026-11-22T11:58:00Z", seen_at=seen_at, beat=3
    )


PAST = Record(releases=(was_live(OLD_RELEASE, 30), was_live(OLDER_RELEASE, 10)))
