"""What scenarios have in common: a host, what was executed on it so far, and what they expect of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rehearsal.drills.drill import expect
from tests.pipelines.executed.jobs import PUSH, Ran, Trigger
from tests.pipelines.executed.scratch import PASSES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.pipelines.executed.runner import Host

STACKS = ("staging", "prod")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One event that was executed. `serves`: what each stack runs afterwards."""

    event: str
    branch: str
    ran: Mapping[str, Ran]
    built: str
    serves: tuple[str, ...]


@dataclass(kw_only=True)
class Matrix:
    """One host, and what was executed on it so far."""

    host: Host
    rows: list[Row] = field(default_factory=list)
    _works: int = 0

    def push(self, branch: str, files: Mapping[str, str] | None = None) -> Trigger:
        """A commit on a branch, pushed: the team's check is green and the page is another, unless `files` say else."""
        self._works += 1
        content = {"tests/test_scratch.py": PASSES, "README.md": f"work {self._works}\n", **(files or {})}
        return Trigger(kind=PUSH, branch=branch, commit=self.host.scratch.commit(branch, content))

    def by_hand(self, kind: str, stack: str) -> Trigger:
        """A person starts it from main."""
        return Trigger(kind=kind, branch="main", commit=self.host.scratch.tip("main"), stack=stack)

    def serves(self) -> tuple[str, ...]:
        return tuple(self.host.ground.runs(stack) for stack in STACKS)

    def note_by_hand(self, event: str, trigger: Trigger, *ran: Ran) -> None:
        """As `note`, for jobs that were begun one after another, whatever the host would have done."""
        in_order = {str(level): replace(each, level=level) for level, each in enumerate(ran)}
        self.note(event, trigger, in_order)

    def note(self, event: str, trigger: Trigger, ran: Mapping[str, Ran]) -> None:
        built = self.host.ground.tested(trigger.commit)
        self.rows.append(Row(event=event, branch=trigger.branch, ran=ran, built=built, serves=self.serves()))


RED = 1


def _codes(ran: Mapping[str, Ran]) -> dict[str, int | None]:
    # A red job is all that a host shows: whose exit code it is, they tell in different ways.
    return {name: RED if each.code else each.code for name, each in ran.items()}


def expect_codes(ran: Mapping[str, Ran], **codes: int | None) -> None:
    """DrillError unless these jobs ended so, and no others were there; None: the host did not begin it."""
    expected = {name.replace("_", "-"): code for name, code in codes.items()}
    words = "\n".join(f"--- {name}\n{each.output[-3000:]}" for name, each in ran.items() if each.code)
    expect(_codes(ran) == expected, f"expected {expected}, and it was {_codes(ran)}\n{words}")


def told(ran: Ran, *words: str) -> None:
    """DrillError unless the log tells it."""
    for word in words:
        expect(word in ran.output, f"the log of {ran.job} does not tell `{word}`:\n{ran.output[-4000:]}")
