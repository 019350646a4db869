"""Production, of which GitHub asks nobody, gets nothing: asked over HTTP of a server that plays GitHub's own API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.hosts_server import REVIEWED, HostsServer, serving
from tests.pipeline_fakes import NEW, OLD, Account, Project, run_stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.ops_fakes.world import Outcome

DEPLOY, PROMOTE = ("deploy", "--stack", "prod"), ("promote",)
each_way = pytest.mark.parametrize("stage", [DEPLOY, PROMOTE], ids=" ".join)
WAITS = {"id": 2, "type": "wait_timer", "wait_timer": 30}
NOBODY = {**REVIEWED, "reviewers": []}
BY_A_PROGRAM = {**REVIEWED, "type": "custom"}


class Case:
    """A commit that serves well in staging, and GitHub's job that brings it to production."""

    def __init__(
        self, directory: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], server: HostsServer
    ) -> None:
        self.project, self.account, self.server = Project(directory), Account(), server
        self._monkeypatch, self._capfd = monkeypatch, capfd
        monkeypatch.setattr("ops.pipeline.promote.verify", lambda *_: 0)
        monkeypatch.setattr("ops.pipeline.promote.ask_users", lambda *_: None)
        monkeypatch.setattr("ops.pipeline.promote.door_of_service", lambda *_: None)
        self.account.images = {NEW: [f"tested-{self.project.third}"], OLD: [f"tested-{self.project.second}"]}
        self.account.runs("staging", NEW, self.project.third)
        self.account.runs("prod", OLD, self.project.second)

    def run(self, *arguments: str, **changes: str) -> Outcome:
        token = {"GITHUB_TOKEN": "t", "GITHUB_REPOSITORY": "team/shop", "GITHUB_API_URL": self.server.url}
        environment = self.project.push(**{**token, "PROD_APPROVAL": "", **changes})
        return run_stage(
            self.project, self.account, self._monkeypatch, self._capfd, *arguments, environment=environment
        )

    def refused(self, code: int, *arguments: str, **changes: str) -> str:
        """Run a stage that must change nothing, and return what it says."""
        seen = self.run(*arguments, **changes)
        assert seen.code == code, seen
        assert "up " not in self.project.asked, "pulumi was called"
        assert "othing was deployed" in seen.err
        return seen.err


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Case]:
    with serving() as server:
        yield Case(tmp_path, monkeypatch, capfd, server)


@each_way
def test_production_gets_it_where_github_asks_somebody(case: Case, stage: tuple[str, ...]) -> None:
    seen = case.run(*stage)
    assert seen.code == 0, seen.err
    assert "required reviewers of the environment prod" in seen.out
    assert case.server.asked == ["GET /repos/team/shop/environments/prod"]


@each_way
@pytest.mark.parametrize(
    "environments",
    [{}, {"prod": []}, {"prod": [WAITS]}, {"prod": [NOBODY]}, {"prod": [BY_A_PROGRAM]}, {"staging": [REVIEWED]}],
    ids=["no environment", "no rules", "a timer", "nobody in the list", "a program", "another one"],
)
def test_production_gets_nothing_where_github_asks_nobody(
    case: Case, stage: tuple[str, ...], environments: dict[str, list[dict[str, Any]]]
) -> None:
    case.server.environments = environments
    told = case.refused(1, *stage)
    assert "no environment prod with required reviewers" in told
    for remedy in ("Settings, Environments, prod", "gh variable set PROD_APPROVAL --body none"):
        assert remedy in told


@each_way
def test_a_team_that_asks_nobody_says_so_and_its_log_does(case: Case, stage: tuple[str, ...]) -> None:
    case.server.environments = {}
    seen = case.run(*stage, PROD_APPROVAL="none")
    assert seen.code == 0, seen.err
    assert "nobody is asked before stack prod of project pactum" in seen.out
    assert case.server.asked == []


def test_a_word_that_means_neither_is_refused(case: Case) -> None:
    assert "PROD_APPROVAL is 'no'" in case.refused(2, *DEPLOY, PROD_APPROVAL="no")


def test_an_answer_that_cannot_be_had_is_no_approval(case: Case) -> None:
    case.server.refuses_environments = 403
    told = case.refused(1, *DEPLOY)
    assert "cannot be seen" in told
    assert "permissions: actions: read" in told
    assert "does not answer" in case.refused(1, *DEPLOY, GITHUB_API_URL="http://127.0.0.1:9")
    assert "GITHUB_TOKEN is not set" in case.refused(2, *DEPLOY, GITHUB_TOKEN="")


def test_only_production_is_asked_about_and_only_of_github(case: Case) -> None:
    case.server.environments = {}
    assert case.run("deploy", "--stack", "staging").code == 0
    elsewhere = {"GITHUB_ACTIONS": "", "JENKINS_URL": "https://j", "GIT_COMMIT": case.project.third}
    seen = case.run(*DEPLOY, **elsewhere, GIT_URL="https://github.com/team/shop.git", BRANCH_NAME="main")
    assert seen.code == 0, seen.err
    assert case.server.asked == []
