"""One comment out of all stacks' parts: without secrets, and no longer than the host takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ops.pipeline import telling
from ops.pipeline.event import GITLAB
from ops.pipeline.markdown import closed, code
from ops.pipeline.preview_text import details
from ops.pipeline.redaction import Redaction

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ops.pipeline.event import Event
    from ops.pipeline.preview_text import StackPreview

PREVIEW_MARKER = "<!-- pactum: preview -->"
DRIFT_MARKER = "<!-- pactum: drift -->"
# Which run it tells of, so that an older one that ends later does not write over it.
_RUN = "<!-- run {number} -->"
# What says which stack it is, and what decides what is told of a change: all else may have a secret in it.
_NO_TEXT = frozenset({"stack", "digest", "operation"})
# GitHub takes 65,536 characters. GitLab takes a million, which no browser shows with ease.
_LIMITS = {GITLAB: 200_000}
_LIMIT = 64_000
_FOLD = len(details("")) + 200


@dataclass(frozen=True, kw_only=True)
class Part:
    """One stack: what is never cut, what may be, and where the whole of it is."""

    head: str
    text: str
    file: str


def part(
    name: str, found: StackPreview, head: Callable[[StackPreview], str], root: Path, environment: Mapping[str, str]
) -> Part:
    """Return one stack's part without secrets, the whole of whose text is kept as `ci/NAME-STACK.txt`.

    Secrets are taken out of what was found, before `head` cuts it and makes Markdown of it.
    """
    shown: StackPreview = Redaction(environment).inside(found, _NO_TEXT)
    file = telling.keep(root, f"{name}-{found.stack}.txt", f"{shown.text}\n")
    return Part(head=head(shown), text=shown.text, file=file)


def limit(host: str) -> int:
    """How many bytes of UTF-8 a comment may have there; a host counts characters, of which there are fewer."""
    return _LIMITS.get(host, _LIMIT)


def compose(marker: str, title: str, parts: Sequence[Part], event: Event) -> str:
    """Put a comment together; where it would be too long, each stack's text is cut at the end of a line."""
    most = limit(event.host)
    opening = f"{marker}\n{_RUN.format(number=event.run)}\n## {title}" if event.run else f"{marker}\n## {title}"
    if event.commit:
        opening += f" at {code(event.authors_commit[:12])}"
    # Where even what is never cut is too long, every stack gets its share of it.
    room = (most - _size(opening)) // len(parts) - _FOLD
    heads = [_cut(part.head, room, part.file, event, outside=True) for part in parts]
    used = _size(opening) + sum(_size(head) + _FOLD + _size(part.file) for head, part in zip(heads, parts, strict=True))
    shares = share(most - used - _size(event.run_url) * 2 * len(parts), [_size(part.text) for part in parts])
    texts = [_cut(part.text, room, part.file, event) for part, room in zip(parts, shares, strict=True)]
    bodies = [f"{head}\n\n{details(text)}" if text else head for head, text in zip(heads, texts, strict=True)]
    return "\n\n".join([opening, *bodies]) + "\n"


def share(room: int, sizes: Sequence[int]) -> list[int]:
    """Divide the room fairly: who needs less than an equal share leaves the rest to the others."""
    given = [0] * len(sizes)
    left, waiting = max(room, 0), sorted(range(len(sizes)), key=lambda index: sizes[index])
    while waiting:
        index = waiting.pop(0)
        given[index] = min(sizes[index], left // (len(waiting) + 1))
        left -= given[index]
    return given


def _cut(text: str, room: int, file: str, event: Event, *, outside: bool = False) -> str:
    """Cut a text at the end of a line, and say so: within the block of code that it is all in, or `outside` of any."""
    if _size(text) <= room:
        return text
    where = f"{file} of {event.run_url}" if event.run_url else file
    lines = text.split("\n")
    kept: list[str] = []
    left = room - _size(where) - 100
    for line in lines:
        left -= _size(line) + 1
        if left < 0:
            break
        kept.append(line)
    said = f"... {len(lines) - len(kept)} lines more: {where}"
    return f"{closed(chr(10).join(kept))}\n\n{said}" if outside else "\n".join([*kept, said])


def _size(text: str) -> int:
    return len(text.encode())
