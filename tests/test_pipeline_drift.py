"""`ci-drift`: one issue while something has drifted, none when nothing has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ops.pipeline.comment import DRIFT_MARKER
from tests.hosts_server import HostsServer, serving
from tests.ops_fakes.account import Refused
from tests.pipeline_fakes import OLD, Account, Project, run_stage
from tests.preview_fakes import events, prepare, step

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.ops_fakes.world import Outcome

DRIFTED = events(step("update", "aws:ec2/securityGroup:SecurityGroup", "web"))


class Night:
    """A nightly job on main; the stacks run the first commit, and main is at the third."""

    def __init__(
        self, directory: Path, server: HostsServer, patch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        self.project, self.server, self.account = Project(directory), server, Account()
        self._patch, self._capfd = patch, capfd
        prepare(self.project)
        (self.project.root / ".venv").mkdir()
        self.account.images = {OLD: [f"tested-{self.project.first}"]}

    def run(self, *stacks: str, **changes: str) -> Outcome:
        told = {"GITHUB_EVENT_NAME": "schedule", "GITHUB_REPOSITORY": "o/n", "GITHUB_TOKEN": "ghs_token"}
        told |= {"GITHUB_API_URL": self.server.url, "FAKE_EVENTS": events(), **changes}
        environment = self.project.push(**told)
        arguments = ["drift", *(stacks or ("staging",))]
        return run_stage(self.project, self.account, self._patch, self._capfd, *arguments, environment=environment)


@pytest.fixture
def night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Night]:
    with serving() as server:
        yield Night(tmp_path, server, monkeypatch, capfd)


def test_a_clean_night_writes_nothing(night: Night) -> None:
    ran = night.run("staging", "prod")
    assert ran.code == 0
    assert "Nothing has drifted: staging, prod." in ran.out
    assert night.server.issues == []


def test_drift_opens_one_issue_writes_it_anew_and_closes_it_when_all_is_well(night: Night) -> None:
    assert night.run(FAKE_EVENTS=DRIFTED, FAKE_CODE="255").code == 1, "the night must be red on the host, too"
    assert night.run(FAKE_EVENTS=DRIFTED, FAKE_CODE="255", FAKE_TEXT="another").code == 1
    (issue,) = night.server.issues
    assert issue["body"].startswith(DRIFT_MARKER)
    assert "### `staging`: 1 drifted" in issue["body"]
    assert "- update `web` (`aws:ec2/securityGroup:SecurityGroup`)" in issue["body"]
    assert f"By the program of commit `{night.project.first[:12]}`" in issue["body"]
    assert "another" in issue["body"]
    assert night.run().code == 0
    assert issue["state"] == "closed"
    assert issue["comments"] == ["Nothing has drifted: staging."]


def test_it_is_the_program_of_the_commit_that_runs_and_the_image_that_runs(night: Night) -> None:
    night.run()
    assert "\nfirst" in night.project.asked, "what main has by now is not deployed, and is no drift"
    assert f"--config pactum:imageDigest={OLD}" in night.project.asked
    assert "--expect-no-changes" in night.project.asked
    assert night.project.git("worktree", "list").count("\n") == 0, "the worktree is removed"


def test_where_nobody_knows_the_commit_it_is_the_one_that_is_checked_out(night: Night) -> None:
    night.account.images = {OLD: []}
    night.run()
    assert "\nthird" in night.project.asked


def test_a_stack_that_was_never_deployed_has_not_drifted(night: Night) -> None:
    assert night.run(FAKE_OUTPUTS="{}").code == 0
    assert "pulumi preview" not in night.project.asked


def test_only_what_has_drifted_is_told(night: Night) -> None:
    assert night.run("staging", "prod", FAKE_EVENTS_prod=DRIFTED, FAKE_CODE_prod="255").code == 1
    (issue,) = night.server.issues
    assert "`prod`" in issue["body"]
    assert "`staging`" not in issue["body"]


def test_a_stack_that_could_not_be_looked_at_is_no_clean_night_and_no_drift(night: Night) -> None:
    error = {"diagnosticEvent": {"severity": "error", "message": "AccessDenied: not authorized"}}
    ran = night.run(FAKE_EVENTS=events(error), FAKE_CODE="255")
    assert ran.code == 2
    assert night.server.issues == [], "nobody has changed anything, as far as is known"
    assert "## Stacks could not be looked at" in ran.out
    assert "### `staging`: could not be looked at" in ran.out
    assert "AccessDenied: not authorized" in ran.out
    assert "Somebody or something changed" not in ran.out
    assert "could not look at staging, so whether anything has drifted there is unknown" in ran.err


def test_without_the_pulumi_cli_nothing_has_drifted_and_the_night_is_red(night: Night) -> None:
    (night.project.bin / "pulumi").unlink()
    ran = night.run("staging", "prod", PATH=str(night.project.bin))
    assert ran.code == 2
    assert "the Pulumi CLI is not on PATH" in ran.out
    assert "could not look at staging, prod" in ran.err
    assert night.server.issues == []


def test_what_aws_refuses_is_no_drift_either_and_the_other_stacks_are_looked_at(night: Night) -> None:
    def refuse() -> None:
        if night.account.asked("DescribeImages")[1:] == []:
            raise Refused("AccessDeniedException", "not authorized to perform: ecr:DescribeImages")

    night.account.before["DescribeImages"] = refuse
    ran = night.run("staging", "prod", FAKE_EVENTS_prod=DRIFTED, FAKE_CODE_prod="255")
    assert ran.code == 2
    assert "needs permission for DescribeImages" in ran.out
    assert "could not look at staging, so" in ran.err
    (issue,) = night.server.issues
    assert "### `prod`: 1 drifted" in issue["body"]
    assert "`staging`" not in issue["body"], "of what was not looked at it tells nothing"


def test_an_issue_stays_open_while_a_stack_cannot_be_looked_at(night: Night) -> None:
    night.run(FAKE_EVENTS=DRIFTED, FAKE_CODE="255")
    (issue,) = night.server.issues
    before = issue["body"]
    assert night.run(FAKE_EVENTS="", FAKE_CODE="255", FAKE_TEXT="error: the network").code == 2
    assert (issue["state"], issue["body"], issue.get("comments")) == ("open", before, [])


def test_a_name_that_no_stack_has_is_refused_before_any_is_looked_at(night: Night) -> None:
    ran = night.run("staging", "prdo")
    assert ran.code == 2
    assert "there is no Pulumi.prdo.yaml" in ran.err
    assert "there are prod, staging" in ran.err
    assert (night.project.asked, night.account.calls) == ("", [])


def test_what_was_seen_is_told_also_where_the_host_cannot_be_asked(night: Night) -> None:
    ran = night.run(FAKE_EVENTS=DRIFTED, FAKE_CODE="255", GITHUB_TOKEN="")
    assert ran.code == 2
    assert "### `staging`: 1 drifted" in ran.out
    assert "GITHUB_TOKEN is not set" in ran.err


def test_a_night_that_saw_a_part_says_so_above_what_has_drifted(night: Night) -> None:
    error = {"diagnosticEvent": {"severity": "error", "message": "AccessDenied: rds:DescribeDBInstances"}}
    policy = {"policyEvent": {"policyName": "G01", "message": "db: open (G01, x).", "resourceUrn": "u"}}
    changed = step("update", "aws:ec2/securityGroup:SecurityGroup", "web")
    assert night.run(FAKE_EVENTS=events(changed, error, policy), FAKE_CODE="255").code == 1
    (issue,) = night.server.issues
    above, _, below = issue["body"].partition("To be again as the program says:")
    assert "Not all of it was looked at" in above
    assert "AccessDenied: rds:DescribeDBInstances" in above
    assert "Guardrails: 1 broken" in above
    assert "- update `web`" in below


def test_a_night_that_saw_all_does_not_say_that_it_saw_a_part(night: Night) -> None:
    night.run(FAKE_EVENTS=DRIFTED, FAKE_CODE="255")
    assert "Not all of it" not in night.server.issues[0]["body"]


def test_no_secret_is_in_the_issue(night: Night) -> None:
    night.run(FAKE_EVENTS=DRIFTED, FAKE_CODE="255", FAKE_TEXT="it is DRIFT-CANARY", SECRET_KEY="DRIFT-CANARY")
    assert "CANARY" not in night.server.issues[0]["body"]
