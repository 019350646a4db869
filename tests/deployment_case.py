"""A commit that may be deployed: what the tests of `ci-deploy`, `ci-verify` and `ci-promote` begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops.release_record import Decision
from tests.pipeline_fakes import NEW, OLD, Account, Project, run_stage

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.ops_fakes.world import Outcome

DENIAL = Decision(who="eva", at="2026-11-22T11:30:00Z", reason="rollback: loses orders")


class Case:
    """A project whose third commit was tested, in an account whose stacks run the second."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self.project, self.account = Project(directory), Account()
        self._monkeypatch, self._capfd = monkeypatch, capfd
        self.account.images = {NEW: [f"tested-{self.project.third}"], OLD: [f"tested-{self.project.second}"]}
        self.account.runs("staging", OLD, self.project.second)
        self.account.runs("prod", OLD, self.project.second)

    def run(self, *arguments: str, **changes: str) -> Outcome:
        environment = self.project.push(**changes)
        return run_stage(
            self.project, self.account, self._monkeypatch, self._capfd, *arguments, environment=environment
        )

    def refused(self, *arguments: str, **changes: str) -> str:
        """Run a stage that must change nothing, and return what it says."""
        seen = self.run(*arguments, **changes)
        assert seen.code == 1, seen
        assert "up " not in self.project.asked, "pulumi was called"
        return seen.err
