"""A record kept small enough to store, without losing a way back or what stands in it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ops.release_record import Part, Record, Release

MOST_RELEASES = 100
GOOD_KEPT = 10
# DynamoDB takes items of 400 KB, attribute names included.
MOST_BYTES = 300_000
# A denial is a person's decision and is never dropped, so there may not be any number of them.
MOST_DENIALS = 200
MOST_DENIAL_BYTES = 100_000


def pruned(record: Record) -> Record:
    """Return it small enough to store: the oldest releases go, never the newest, the live one or the newest good ones.

    A migration that cannot be undone, of a release that goes, becomes the next newer one's: whoever returns further
    than that crosses it still.
    """
    kept = list(record.releases)
    protected = [item for item in kept if item.good][:GOOD_KEPT]
    protected += [record.live] if record.live else []
    total = denial_bytes(record) + sum(map(_size, kept))
    for place in range(len(kept) - 1, 0, -1):
        if len(kept) <= MOST_RELEASES and total <= MOST_BYTES:
            break
        candidate = kept[place]
        if any(candidate is item for item in protected):
            continue
        del kept[place]
        total -= _size(candidate)
        if any(item.good for item in kept[place:]):
            heir = kept[place - 1]
            kept[place - 1] = _inheriting(heir, candidate)
            protected = [kept[place - 1] if item is heir else item for item in protected]
            total += _size(kept[place - 1]) - _size(heir)
    return record if len(kept) == len(record.releases) else replace(record, releases=tuple(kept))


def denial_bytes(record: Record) -> int:
    """Return how much of the record is denials."""
    return sum(_size(item) + len(digest) + len('"":') for digest, item in record.denials.items())


def _inheriting(heir: Release, gone: Release) -> Release:
    if gone.migrations is None or heir.migrations is None:
        return replace(heir, migrations=None) if _stands_in_the_way(gone) else heir
    names = {item.name for item in heir.migrations}
    final = [item for item in gone.migrations if not item.undoable and item.name not in names]
    return replace(heir, migrations=(*final, *heir.migrations))


def _stands_in_the_way(release: Release) -> bool:
    return release.migrations is None or any(not item.undoable for item in release.migrations)


def _size(part: Part) -> int:
    return len(json.dumps(part.as_json(), separators=(",", ":"))) + len(",")
