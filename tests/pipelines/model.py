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
    """What happened: `kind` is "pull request" (to `branch`), "push", "schedule", "rollback", "promote" or "none"."""

    kind: str
    branch: str
    fork: bool = False
    """It is of another repository: a pull request from there, or its own night, in which it has no variables."""
    dependabot: bool = False
    """A pull request that updates what is pinned, to a version that nobody here has read."""
    stack: str = "staging"

    @property
    def by_hand(self) -> bool:
        """Whether a person filled in the form; "none": and left it as it was."""
        return self.kind in BY_HAND

    @property
    def hosts(self) -> tuple[str, ...]:
        """Where it can happen: GitHub has Dependabot and gives forks workflows; Jenkins's form begins with a push."""
        if self.kind == "schedule" and self.fork:
            return ("github",)
        if self.dependabot:
            return ("github", "jenkins")
        return ("github", "gitlab") if self.kind == "none" else ("github", "gitlab", "jenkins")

    def __str__(self) -> str:
        kind = f"{self.kind} of {self.stack}" if self.kind == "rollback" else self.kind
        return f"{kind}{' of a fork' if self.fork else ' of Dependabot' if self.dependabot else ''}, {self.branch}"


BY_HAND = ("rollback", "promote", "none")
BRANCHES = ("develop", "main", "feature", "main-2")
EVENTS = (
    *(Event(kind="pull request", branch=branch, fork=fork) for branch in BRANCHES for fork in (False, True)),
    *(Event(kind="pull request", branch=branch, dependabot=True) for branch in BRANCHES),
    *(Event(kind=kind, branch=branch) for kind in ("push", "schedule", "promote", "none") for branch in BRANCHES),
    *(Event(kind="schedule", branch=branch, fork=True) for branch in BRANCHES),
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
    """Whether comparisons joined by && and || hold; each has a name, == or !=, and a text or another name.

    Raises:
        UnreadableError: one is anything else, or names what is not known.

    """

    def one(part: str) -> bool:
        compared = comparison.fullmatch(part)
        if not compared or {compared[1], compared[4] or compared[1]} - known.keys():
            raise UnreadableError(f"{where}: the condition `{part}` is not understood here")
        right = known[compared[4]] if compared[4] else compared[3]
        return (known[compared[1]] == right) is (compared[2] == "==")

    # All of it is read, also where the answer is known before.
    sides = [[one(part) for part in side.split(" && ")] for side in condition.split(" || ")]
    return any(map(all, sides))


def by_name(jobs: Pipeline) -> dict[str, Job]:
    """Jobs by name; of what each waits for, only what nothing else it waits for waits for."""
    needs = {job.name: job.needs for job in jobs}
    return {job.name: replace(job, needs=job.needs - _further(job.needs, needs)) for job in jobs}


def _further(direct: Collection[str], needs: Mapping[str, Collection[str]]) -> set[str]:
    """All that has ended when `direct` may begin."""
    return {before for one in direct for before in (*needs[one], *_further(needs[one], needs))}
