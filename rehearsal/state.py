"""What this rehearsal has made, and what an update asks to be different. Kept for the time of one rehearsal only."""

import json
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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
    """The resources of one program by URN. Safe to use from the threads that make them."""

    resources: dict[str, Deployed] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, urn: str) -> Deployed | None:
        with self._lock:
            return self.resources.get(urn)

    def put(self, deployed: Deployed) -> None:
        with self._lock:
            self.resources[deployed.urn] = deployed

    def forget(self, urn: str) -> None:
        with self._lock:
            self.resources.pop(urn, None)

    def by_type(self) -> dict[str, int]:
        with self._lock:
            return dict(sorted(Counter(resource.type for resource in self.resources.values()).items()))

    def export(self, path: Path) -> None:
        """Write what a state file would hold: every input and output of every resource."""
        with self._lock:
            content = [
                {"urn": it.urn, "type": it.type, "id": it.id, "inputs": it.inputs, "outputs": it.outputs}
                for it in self.resources.values()
            ]
        path.write_text(json.dumps(content, indent=1, default=str), encoding="utf-8")


@dataclass
class Tally:
    """What one update did, by resource type; `reasons` says what made it change an existing resource."""

    created: Counter[str] = field(default_factory=Counter)
    updated: Counter[str] = field(default_factory=Counter)
    unchanged: Counter[str] = field(default_factory=Counter)
    deleted: Counter[str] = field(default_factory=Counter)
    reasons: list[str] = field(default_factory=list)

    @property
    def changed(self) -> int:
        return self.created.total() + self.updated.total() + self.deleted.total()
