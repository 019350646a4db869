"""What happens in the scratch repository, and what became of the jobs that ran for it."""

from __future__ import annotations

from dataclasses import dataclass

from tests.pipelines.model import Event

PUSH, PULL_REQUEST, ROLLBACK, PROMOTE, SCHEDULE = "push", "pull request", "rollback", "promote", "schedule"


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """One event. `branch` (of a pull request, the one it comes from), `title` and `to` are whatever a person chose."""

    kind: str
    branch: str
    commit: str
    title: str = ""
    fork: bool = False
    head: str = ""
    stack: str = "staging"
    to: str = ""

    @property
    def event(self) -> Event:
        """The same, as the readers of the hosts' files know it: pull requests here go to main."""
        branch = "main" if self.kind == PULL_REQUEST else self.branch
        return Event(kind=self.kind, branch=branch, fork=self.fork, stack=self.stack)


@dataclass(frozen=True, kw_only=True)
class Ran:
    """A job that has ended, or that its host did not begin: `code` is None then, and `output` says why."""

    job: str
    code: int | None
    output: str
    began_seconds: float = 0.0
    seconds: float = 0.0
    commands: tuple[tuple[str, float], ...] = ()
    """What was run, and for how long."""
    level: int = 0
    """Jobs of one level ran side by side."""
