"""The release memory's content: what was deployed to a stack, what may not be, and what is under way.

Plain data and its JSON. Keys of a newer version of this program are kept as they were found.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT = 1
IN_PROGRESS = "in progress"
LIVE = "live"
"""It served, and the verdict said so: a release to return to."""
FAILED = "failed"
ROLLED_BACK = "rolled back"
UPDATE = "update"
ROLLBACK = "rollback"

_TYPES = {"str": str, "int": int, "bool": bool}


class UnreadableRecord(ValueError):  # noqa: N818 - reads as what happened
    """The text is no record this program can read."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A JSON object with known keys, and whatever else was found in it."""

    more: Mapping[str, Any] = field(default_factory=dict)
    """Keys of a newer version, written back as they were."""

    @classmethod
    def of(cls, found: object) -> Self:
        """Read a JSON object.

        Raises:
            UnreadableRecord: it is none, or a key that must be there is not.

        """
        if not isinstance(found, dict):
            raise UnreadableRecord(f"{cls.__name__} is {type(found).__name__}, not an object")
        types = {
            item.name: _TYPES.get(str(item.type), object) for item in dataclasses.fields(cls) if item.name != "more"
        }
        known = {name: value for name, value in found.items() if name in types}
        for name, value in known.items():
            if not isinstance(value, types[name]):
                raise UnreadableRecord(
                    f"{name} of {cls.__name__} is {type(value).__name__}, not {types[name].__name__}"
                )
        try:
            return cls(**known, more={name: value for name, value in found.items() if name not in types})
        except TypeError as error:
            raise UnreadableRecord(f"{cls.__name__}: {error}") from error

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        own = {item.name: getattr(self, item.name) for item in dataclasses.fields(self) if item.name != "more"}
        return {name: _plain(value) for name, value in own.items()} | dict(self.more)


@dataclass(frozen=True, kw_only=True)
class AppliedMigration(Part):
    """One database migration that a release applied."""

    name: str
    undoable: bool
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Release(Part):
    """One deployment of one image, and how it went. Times are ISO 8601 in UTC, or empty."""

    digest: str
    commit: str = ""
    who: str = ""
    began_at: str = ""
    ended_at: str = ""
    task_definition: str = ""
    """The web task definition's ARN; empty until the verdict."""
    verdict: str = IN_PROGRESS
    cause: str = ""
    migrations: tuple[AppliedMigration, ...] | None = None
    """What it applied; None when a migration ran and what it applied is not known."""
    verified_at: str = ""
    """When it was last seen to serve."""

    @property
    def good(self) -> bool:
        """Whether it served well, as far as is known."""
        return self.verdict == LIVE


@dataclass(frozen=True, kw_only=True)
class Decision(Part):
    """A person's decision: a denial or a hold."""

    who: str
    at: str
    reason: str

    def __str__(self) -> str:
        return f"{self.who} at {self.at}: {self.reason}"


@dataclass(frozen=True, kw_only=True)
class InFlight(Part):
    """An update or a rollback under way, and its last sign of life."""

    kind: str
    digest: str
    who: str
    host: str
    began_at: str
    seen_at: str
    commit: str = ""
    beat: int = 0
    """Counts up while it lives."""

    def is_of(self, kind: str, digest: str, host: str) -> bool:
        """Whether it is this one, whichever of its processes asks."""
        return (self.kind, self.digest, self.host) == (kind, digest, host)

    def __str__(self) -> str:
        doing = "rolling back to" if self.kind == ROLLBACK else "deploying"
        return (
            f"{self.who} on {self.host} has been {doing} {self.digest} since {self.began_at}, "
            f"last sign of life {self.seen_at}"
        )


@dataclass(frozen=True, kw_only=True)
class Record(Part):
    """Everything remembered of one stack."""

    releases: tuple[Release, ...] = ()
    """Newest first."""
    denials: Mapping[str, Decision] = field(default_factory=dict)
    """By digest."""
    hold: Decision | None = None
    in_flight: InFlight | None = None
    stopped: Mapping[str, int] = field(default_factory=dict)
    """Workers and jobs that a rollback stopped, by name, with the number of tasks each had."""

    @property
    def live(self) -> Release | None:
        """The good release that was last seen to serve."""
        return max((item for item in self.releases if item.good), key=lambda item: item.verified_at, default=None)

    def newest(self, digest: str) -> Release | None:
        """Return the newest release of a digest."""
        return next((item for item in self.releases if item.digest == digest), None)

    def of_task_definition(self, arn: str) -> Release | None:
        """Return the newest release that had this task definition."""
        return next((item for item in self.releases if arn and item.task_definition == arn), None)

    def replacing(self, old: Release, new: Release) -> Record:
        """Return it with one release in another's place."""
        return dataclasses.replace(self, releases=tuple(new if item is old else item for item in self.releases))


def dump(record: Record) -> str:
    """Write a record as JSON."""
    return json.dumps({**record.as_json(), "format": FORMAT}, separators=(",", ":"))


def load(text: str) -> Record:
    """Read a record from JSON.

    Raises:
        UnreadableRecord: it is not JSON, has another shape, or was written in a newer format.

    """
    try:
        found = json.loads(text)
    except ValueError as error:
        raise UnreadableRecord(f"it is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise UnreadableRecord("it is not a JSON object")
    written_as = found.pop("format", FORMAT)
    if not isinstance(written_as, int) or written_as > FORMAT:
        raise UnreadableRecord(f"it has format {written_as!r}, and this version of ops reads up to {FORMAT}: update it")
    releases, denials, stopped = found.get("releases", []), found.get("denials", {}), found.get("stopped", {})
    if not isinstance(releases, list) or not isinstance(denials, dict):
        raise UnreadableRecord("its releases are no list, or its denials no object")
    if not isinstance(stopped, dict) or not all(isinstance(count, int) for count in stopped.values()):
        raise UnreadableRecord("what was stopped is no object of numbers")
    return Record.of(
        {
            **found,
            "releases": tuple(_release(item) for item in releases),
            "denials": {digest: Decision.of(item) for digest, item in denials.items()},
            "hold": Decision.of(found["hold"]) if found.get("hold") is not None else None,
            "in_flight": InFlight.of(found["in_flight"]) if found.get("in_flight") is not None else None,
        }
    )


def _release(found: object) -> Release:
    release = Release.of(found)
    if release.migrations is None:
        return release
    if not isinstance(release.migrations, list):
        raise UnreadableRecord("the migrations of a release are no list")
    applied = tuple(AppliedMigration.of(item) for item in release.migrations)
    return dataclasses.replace(release, migrations=applied)


def _plain(value: object) -> object:
    if isinstance(value, Part):
        return value.as_json()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return value
