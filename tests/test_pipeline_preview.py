"""`ci-preview`: one comment with what a reviewer must know first, whatever the data in it tries."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from ops.pipeline import migration_plan, previewing, registry
from ops.pipeline.comment import PREVIEW_MARKER
from ops.pipeline.pulumi import NOTHING_RUNS
from tests.hosts_server import HostsServer, serving
from tests.pipeline_fakes import OLD, URL, Account, Project, run_stage
from tests.preview_fakes import events, prepare, pull_request, step

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.ops_fakes.world import Outcome

DATABASE = "aws:rds/instance:Instance"


class Case:
    """A pull request, and the host that it is on."""

    def __init__(
        self, directory: Path, server: HostsServer, patch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        self.project, self.server = Project(directory), server
        self._patch, self._capfd = patch, capfd
        prepare(self.project)

    def run(self, *stacks: str, **changes: str) -> Outcome:
        changes = {"GITHUB_API_URL": self.server.url, "FAKE_EVENTS": events(), **changes}
        environment = pull_request(self.project, **changes)
        return run_stage(
            self.project,
            Account(),
            self._patch,
            self._capfd,
            "preview",
            *(stacks or ("staging",)),
            environment=environment,
        )

    @property
    def comment(self) -> str:
        (found,) = self.server.comments
        return str(found["body"])


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Case]:
    with serving() as server:
        yield Case(tmp_path, server, monkeypatch, capfd)


def test_every_stack_stands_in_one_comment_which_is_written_anew(case: Case) -> None:
    assert case.run("staging", "prod").code == 0
    assert case.run("staging", "prod", FAKE_TEXT="another text").code == 0
    assert case.comment.startswith(f"{PREVIEW_MARKER}\n<!-- run 5 -->\n## What this would change at `d0d0d0d0d0d0`")
    assert case.comment.index("### `staging`: no changes") < case.comment.index("### `prod`: no changes")
    assert "another text" in case.comment
    assert "2 rules looked at, none broken" in case.comment
    assert "Migrations: none." in case.comment


def test_it_previews_what_the_stack_runs_with_the_guardrails_pack(case: Case) -> None:
    case.run()
    assert f"--config pactum:imageDigest={OLD}" in case.project.asked
    assert "--diff --event-log" in case.project.asked
    assert "--policy-pack infra/guardrails/pack" in case.project.asked


def test_before_the_first_deployment_it_previews_with_no_image_and_pulls_none(case: Case) -> None:
    plan = {"migration_plan": [{"name": "a.0001"}], "looked": True}
    assert case.run(FAKE_OUTPUTS="{}", FAKE_PLAN=json.dumps(plan)).code == 0
    assert f"--config pactum:imageDigest={NOTHING_RUNS}" in case.project.asked
    assert "docker pull" not in case.project.asked
    assert "--deployed" not in case.project.asked
    assert case.comment.endswith("\n\nMigrations: 1 migration, in an empty database.\n"), "it breaks nobody's release"


def test_lost_data_comes_first_and_in_bold(case: Case) -> None:
    told = events(
        step("create", "aws:sns/topic:Topic", "new"),
        step("create-replacement", DATABASE, "db", keys=["engine"]),
        step("replace", DATABASE, "db", keys=["engine"]),
        step("delete-replaced", DATABASE, "db"),
        step("delete", "aws:sns/topic:Topic", "old"),
        step("update", "aws:ecs/service:Service", "web"),
        step("same", "aws:s3/bucket:Bucket", "media"),
        step("refresh", "aws:s3/bucket:Bucket", "media"),
    )
    assert case.run(FAKE_EVENTS=told).code == 0, "a change is no failure: people decide on it"
    first = case.comment.index("**Data or history would be lost:**")
    assert f"- **replace `db` (`{DATABASE}`) because of `engine`**" in case.comment
    assert first < case.comment.index("Resources: 1 to create, 1 to update, 1 to replace, 1 to delete.")
    assert "- delete `old`" in case.comment


def test_losses_and_broken_rules_are_listed_where_nothing_is_cut_and_other_changes_by_some_examples(case: Case) -> None:
    many = range(16, 40)
    policy = {"policyName": "G05", "enforcementLevel": "mandatory"}
    told = events(
        *(step("delete", DATABASE, f"db-{number}") for number in many),
        *(step("delete", "aws:sns/topic:Topic", f"topic-{number}") for number in many),
        *({"policyEvent": {**policy, "message": f"rule-{number}", "resourceUrn": str(number)}} for number in many),
    )
    case.run(FAKE_EVENTS=told, FAKE_CODE="255")
    shown = case.comment.partition("<details>")[0]
    assert f"delete `db-{many[-1]}`" in shown
    assert f"`rule-{many[-1]}`" in shown
    assert "and 9 more, see below" in shown
    assert f"topic-{many[-1]}" not in shown


def test_a_broken_rule_is_told_with_its_remedy_and_fails_the_stage(case: Case) -> None:
    policy = {"policyName": "G05", "message": "db: it has a public address (G05, no public database). Set x=False."}
    told = events({"policyEvent": {**policy, "enforcementLevel": "mandatory", "resourceUrn": "u"}})
    assert case.run(FAKE_EVENTS=told, FAKE_CODE="255").code == 1
    assert "**Guardrails: 1 broken.**" in case.comment
    assert "Set x=False" in case.comment


def test_a_rule_that_the_program_itself_refuses_is_told_once(case: Case) -> None:
    words = "x: it has a public address (G05, no public database). Set x=False."
    policy = {"policyName": "G05", "message": words, "enforcementLevel": "mandatory", "resourceUrn": "u"}
    error = {"diagnosticEvent": {"severity": "error", "message": f"{words}\n"}}
    assert case.run(FAKE_EVENTS=events({"policyEvent": policy}, error), FAKE_CODE="255").code == 1
    assert "**Guardrails: 1 broken.**" in case.comment


def test_a_preview_that_fails_is_shown_with_its_error_and_the_other_stack_too(case: Case) -> None:
    error = {"diagnosticEvent": {"severity": "error", "message": "pactum:webMinimum must be a number"}}
    ran = case.run("staging", "prod", FAKE_EVENTS_staging=events(error), FAKE_CODE_staging="255")
    assert ran.code == 1
    assert "### `staging`: would fail" in case.comment
    assert "pactum:webMinimum must be a number" in case.comment
    assert "### `prod`: no changes" in case.comment


def test_where_the_engine_tells_nothing_nobody_says_that_nothing_changes(case: Case) -> None:
    assert case.run(FAKE_EVENTS="", FAKE_TEXT="the words of an engine").code == 0
    assert "did not say how many resources would change" in case.comment
    assert "Guardrails: not looked at." in case.comment
    assert "no changes" not in case.comment


def test_migrations_are_tried_on_what_the_image_of_the_stack_has_made(case: Case) -> None:
    change = {"kind": "column_gone", "table": "shop_order", "column": "state"}
    account: dict[str, Any] = {
        "name": "shop.0002",
        "undoable": False,
        "why": "gone",
        "atomic": True,
        "changes": [change],
    }
    assert case.run(FAKE_PLAN=json.dumps({"migration_plan": [account], "looked": True})).code == 0
    assert f"docker pull --quiet {URL}@{OLD}" in case.project.asked
    assert "rehearsal migrations --stack staging --output" in case.project.asked
    assert f"--deployed {URL}@{OLD}" in case.project.asked
    assert "still reads and writes shop_order.state" in case.comment
    assert "*What to do:*" in case.comment


def test_a_plan_that_nobody_could_make_fails_the_stage_and_says_why(case: Case) -> None:
    assert case.run(FAKE_TRIAL="rehearsal: it did not start").code == 1
    assert "**Migrations: what would be migrated is not known:**" in case.comment
    assert "it did not start" in case.comment


def test_no_secret_gets_into_comment_summary_artifact_or_log(case: Case) -> None:
    said = 'x: "PASSPHRASE-CANARY" and ghs_the-jobs-own-token\npassword: "ANOTHER-CANARY"'
    policy = {"policyName": "G01", "message": "KEY-CANARY in plain text (G01, no secret).", "resourceUrn": "u"}
    ran = case.run(
        FAKE_TEXT=said,
        FAKE_EVENTS=events({"policyEvent": policy}),
        PULUMI_CONFIG_PASSPHRASE="PASSPHRASE-CANARY",
        SECRET_KEY="KEY-CANARY",
    )
    summary = (case.project.root.parent / "summary.md").read_text()
    kept = "".join(path.read_text() for path in (case.project.root / "ci").iterdir())
    for text in (case.comment, summary, kept, ran.out, ran.err):
        assert "CANARY" not in text
        assert "the-jobs-own-token" not in text
    assert "[hidden]" in case.comment


def test_data_does_not_break_out_of_its_place(case: Case) -> None:
    name = "`x`</details>\n\n# @all [a](https://evil.example) <!-- x"
    told = events(step("delete", DATABASE, name))
    case.run(FAKE_EVENTS=told, FAKE_TEXT="```\n</details>\n# @all\n```")
    assert "\n# @all [a]" not in case.comment
    assert "\n````diff\n" in case.comment, "the fence is longer than the one in the text"
    assert "touch x" not in case.comment, "the branch's name has no business there"


def test_a_line_of_the_log_is_no_command_to_github(case: Case) -> None:
    ran = case.run(FAKE_TEXT="::set-output name=x::y")
    before, _, after = ran.out.partition("::set-output")
    stop = before.rpartition("::stop-commands::")[2].split()[0]
    assert len(stop) >= 32
    assert f"\n::{stop}::" in after


def test_the_whole_is_kept_and_the_comment_fits_its_host(case: Case) -> None:
    # What a program is given by its environment has a limit of its own.
    text = "\n".join(f"line {number} {'x' * 60}" for number in range(1_600))
    case.run(FAKE_TEXT=text)
    assert len(case.comment.encode()) < 65_536
    assert "lines more: ci/preview-staging.txt of https://github.com/o/n/actions/runs/5" in case.comment
    assert "line 1599" in (case.project.root / "ci/preview-staging.txt").read_text()


def test_what_the_host_refuses_is_in_the_summary_all_the_same(case: Case) -> None:
    case.server.refuses = 403
    ran = case.run()
    assert ran.code == 1
    assert "permissions: pull-requests: write" in ran.err
    assert "### `staging`: no changes" in (case.project.root.parent / "summary.md").read_text()


def test_a_forks_pull_request_is_not_previewed(case: Case) -> None:
    ran = case.run(FORK="stranger/n")
    assert ran.code == 2
    assert "make ci-rehearse" in ran.err
    assert case.server.asked == []
    assert case.project.asked == "", "nothing is asked with a stranger's program"


def test_a_stack_without_a_file_is_told_and_nothing_else_is_lost(case: Case) -> None:
    assert case.run("nowhere", "staging").code == 1
    assert "there is no Pulumi.nowhere.yaml" in case.comment
    assert case.comment.index("Migrations: not looked at.") < case.comment.index("### `staging`"), "none is not known"
    assert "### `staging`: no changes" in case.comment


DELETED = events(step("delete", DATABASE, "database"))
DENIED = ClientError(
    {"Error": {"Code": "AccessDeniedException", "Message": "not authorized: token=CANARY"}}, "GetAuthorizationToken"
)


@pytest.mark.parametrize(
    ("where", "error", "said"),
    [
        ((registry, "login"), DENIED, "AWS refused GetAuthorizationToken"),
        ((registry, "login"), EndpointConnectionError(endpoint_url="https://api.ecr"), "AWS does not answer"),
        ((migration_plan, "understood"), KeyError("name"), "A fault of this project's own, KeyError: 'name'"),
        ((migration_plan, "understood"), ValueError("token=CANARY"), "ValueError: token=[hidden]"),
        ((migration_plan, "understood"), RecursionError("too deep"), "A fault of this project's own, RecursionError"),
    ],
)
def test_what_the_engine_found_is_told_where_the_migrations_are_not_known(
    case: Case, monkeypatch: pytest.MonkeyPatch, where: tuple[Any, str], error: Exception, said: str
) -> None:
    def failing(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(*where, failing)
    ran = case.run("staging", "prod", FAKE_EVENTS=DELETED)
    assert ran.code == 1
    assert case.comment.count("- **delete `database`") == 2, "the other stack is told, too"
    assert case.comment.count("what would be migrated is not known") == 2
    assert said in case.comment
    assert "CANARY" not in case.comment + ran.out + ran.err


def test_a_trial_that_wrote_half_of_its_account_leaves_the_rest_told(case: Case) -> None:
    ran = case.run(FAKE_EVENTS=DELETED, FAKE_PLAN='{"migration_plan": [{"nam')
    assert ran.code == 1
    assert "- **delete `database`" in case.comment
    assert "JSONDecodeError" in case.comment
    assert "Traceback" in ran.err, "the log has where it was"


def test_a_stack_that_fails_in_an_unforeseen_way_leaves_the_other_told(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(stack: str, *rest: Any) -> str:
        if stack == "staging":
            raise DENIED
        return running(stack, *rest)

    running = previewing.running
    monkeypatch.setattr(previewing, "running", failing)
    assert case.run("staging", "prod", FAKE_EVENTS=DELETED).code == 1
    assert "### `staging`: would fail" in case.comment
    assert "AWS refused GetAuthorizationToken" in case.comment
    assert case.comment.count("- **delete `database`") == 1


def test_a_first_deployment_whose_migration_fails_says_so(case: Case) -> None:
    plan = {"migration_plan": [{"name": "a.0001", "error": "no such extension"}], "looked": True}
    assert case.run(FAKE_OUTPUTS="{}", FAKE_PLAN=json.dumps(plan)).code == 1
    assert "no such extension" in case.comment


def test_a_secret_that_a_cut_goes_through_is_hidden(case: Case) -> None:
    # What the trial says is cut from its end.
    for beyond in (1480, 1780):
        case.run(FAKE_TRIAL=f"x CANARY-TOKEN-CANARY-TOKEN {'z' * beyond}", A_TOKEN="CANARY-TOKEN-CANARY-TOKEN")
        assert "CANARY" not in case.comment
        assert "TOKEN" not in case.comment
