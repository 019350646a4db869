"""What a pipeline is, whichever host's file says it: jobs in their order, and what each is given."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

STACKS = ("staging", "prod")
# A stage's target, then only words that no shell reads anything into.
_COMMAND = re.compile(r"make ci-[a-z]+(?: [A-Z]+=(?:[a-z0-9]+|'[a-z]+(?: [a-z]+)*'))*")


class UnreadableError(Exception):
    """A file has something that these readers do not know: it would be run, and nobody would have compared it."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """What happened: `kind` is "pull request" (to `branch`), "push", "schedule", "rollback" or "promote"."""

    kind: str
    branch: str
    fork: bool = False
    stack: str = "staging"

    def __str__(self) -> str:
        kind = f"{self.kind} of {self.stack}" if self.kind == "rollback" else self.kind
        return f"{kind}{' of a fork' if self.fork else ''}, {self.branch}"


BRANCHES = ("develop", "main", "feature", "main-2")
EVENTS = (
    *(Event(kind="pull request", branch=branch, fork=fork) for branch in BRANCHES for fork in (False, True)),
    *(Event(kind=kind, branch=branch) for kind in ("push", "schedule", "promote") for branch in BRANCHES),
    *(Event(kind="rollback", branch=branch, stack=stack) for branch in BRANCHES for stack in STACKS),
)


@dataclass(frozen=True, kw_only=True)
class Job:
    """One job. `needs` are the nearest before it, of those that run for this event."""

    name: str
    commands: tuple[str, ...]
    needs: frozenset[str]
    approval: bool
    lock: str
    """One job of that lock at a time; empty: any number."""
    role: str
    """The variable that names the role in AWS; empty: no credentials."""
    takes: bool
    keeps: bool
    minutes: int


Pipeline = tuple[Job, ...]


def command(text: object, where: str) -> str:
    """Return a command of a job.

    Raises:
        UnreadableError: it is anything but one stage.

    """
    if not isinstance(text, str) or not _COMMAND.fullmatch(text):
        raise UnreadableError(f"{where}: a step is one `make ci-...`, and nothing that a shell would work at: {text!r}")
    return text


def only(found: object, where: str, *, must: Collection[str] = (), may: Collection[str] = ()) -> dict[str, Any]:
    """Return a mapping that has nothing but known keys.

    Raises:
        UnreadableError: it has others, or lacks some.

    """
    if not isinstance(found, dict):
        raise UnreadableError(f"{where}: a mapping is expected, and not {found!r}")
    if unknown := found.keys() - {*must, *may}:
        raise UnreadableError(f"{where}: {sorted(map(str, unknown))} are not known here")
    if missing := set(must) - found.keys():
        raise UnreadableError(f"{where}: {sorted(missing)} must be said")
    return found


def same(found: object, expected: object, where: str) -> None:
    """Raise UnreadableError where a file says something else than it must."""
    if found != expected or type(found) is not type(expected):
        raise UnreadableError(f"{where}: it must be {expected!r}, and is {found!r}")


def holds(where: str, condition: str, comparison: re.Pattern[str], known: Mapping[str, str]) -> bool:
    """Whether comparisons joined by && hold; each has a name, == or !=, and a text or another name.

    Raises:
        UnreadableError: one is anything else, or names what is not known.

    """
    held = True
    for part in condition.split(" && "):
        compared = comparison.fullmatch(part)
        if not compared or {compared[1], compared[4] or compared[1]} - known.keys():
            raise UnreadableError(f"{where}: the condition `{part}` is not understood here")
        right = known[compared[4]] if compared[4] else compared[3]
        held = held and (known[compared[1]] == right) is (compared[2] == "==")
    return held


def by_name(jobs: Pipeline) -> dict[str, Job]:
    """Jobs by name; of what each waits for, only what nothing else it waits for waits for."""
    needs = {job.name: job.needs for job in jobs}
    return {job.name: replace(job, needs=job.needs - _further(job.needs, needs)) for job in jobs}


def _further(direct: Collection[str], needs: Mapping[str, Collection[str]]) -> set[str]:
    """All that has ended when `direct` may begin."""
    return {before for one in direct for before in (*needs[one], *_further(needs[one], needs))}
