"""What this rehearsal has made, and what an update asks to be different. Kept for the time of one rehearsal only."""

import fcntl
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rehearsal.errors import RehearsalError

Properties = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """A resource as it was made. `outputs` holds inputs and what AWS added."""

    urn: str
    type: str
    name: str
    id: str
    inputs: Properties
    outputs: Properties


def differing(before: Mapping[str, Any], after: Mapping[str, Any], ignored: Iterable[str] = ()) -> list[str]:
    """Names of the input properties that an update changes; `ignored` are those of `ignore_changes`."""
    skipped = set(ignored)
    names = sorted((before.keys() | after.keys()) - skipped)
    return [name for name in names if before.get(name) != after.get(name)]


@dataclass
class State:
    """The resources of one program by URN. Safe to use from the threads that make them.

    With a `path` it is a checkpoint too: every resource is written there at once, so that an update that is killed
    leaves what it had made to the next. Several processes may do so: each writes the one resource it has made.
    """

    resources: dict[str, Deployed] = field(default_factory=dict)
    path: Path | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def at(cls, path: Path) -> "State":
        """The state that is kept in a file, empty when there is none. RehearsalError when it cannot be read."""
        return cls(resources=_read(path), path=path)

    def get(self, urn: str) -> Deployed | None:
        with self._lock:
            return self.resources.get(urn)

    def put(self, deployed: Deployed) -> None:
        with self._lock:
            self.resources[deployed.urn] = deployed
            self._change_file(lambda kept: kept.update({deployed.urn: deployed}))

    def forget(self, urn: str) -> None:
        with self._lock:
            self.resources.pop(urn, None)
            self._change_file(lambda kept: kept.pop(urn, None))

    def by_type(self) -> dict[str, int]:
        with self._lock:
            return dict(sorted(Counter(resource.type for resource in self.resources.values()).items()))

    def _change_file(self, change: Callable[[dict[str, Deployed]], object]) -> None:
        if self.path is None:
            return
        with self.path.with_suffix(".lock").open("a", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            kept = _read(self.path)
            change(kept)
            # Whole or not at all: a kill in the middle of writing must leave a file that can be read.
            new = self.path.with_suffix(".new")
            lines = ",\n".join(json.dumps(asdict(resource), default=str) for resource in kept.values())
            new.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
            new.replace(self.path)


def _read(path: Path) -> dict[str, Deployed]:
    try:
        return {entry["urn"]: Deployed(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, KeyError) as error:
        raise RehearsalError(
            f"{path} is not the state of a rehearsal: {error}", remedy="Remove it, and start a fresh rehearsal."
        ) from error


@dataclass
class Tally:
    """What one update did, by resource type; `reasons` says what made it change an existing resource.

    Of what a plan would create and delete, `coming` and `going` tell each as `TYPE NAME`.
    """

    created: Counter[str] = field(default_factory=Counter)
    updated: Counter[str] = field(default_factory=Counter)
    unchanged: Counter[str] = field(default_factory=Counter)
    deleted: Counter[str] = field(default_factory=Counter)
    reasons: list[str] = field(default_factory=list)
    coming: list[str] = field(default_factory=list)
    going: list[str] = field(default_factory=list)

    @property
    def changed(self) -> int:
        return self.created.total() + self.updated.total() + self.deleted.total()
