"""stacks/down and stacks/state-to-bucket: what they ask, in which order, and when they change nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.recorder import ROOT

if TYPE_CHECKING:
    from pathlib import Path

# A pulumi that writes down what it was asked, and answers from files: one state for each backend and stack.
PULUMI = """#!/usr/bin/env bash
echo "${PULUMI_BACKEND_URL:-here} $*" >>"$CALLS"
stack=account
for word in "$@"; do
  [ "$previous" = --stack ] && stack=$word
  [ "$previous" = --file ] && file=$word
  previous=$word
done
at=$STATES/$(echo "${PULUMI_BACKEND_URL:-here}" | tr -c 'a-z\\n' _)-$stack
case "$*" in
  *'whoami --json'*) echo '{"user": "eva", "url": "here"}' ;;
  *'stack output'*) [ -z "$NO_ACCOUNT" ] || exit 1 ;;&
  *'stack output'*state_url) echo s3://bucket ;;
  *'stack output'*) echo awskms://alias/pactum-pulumi ;;
  *'stack export'*) [ -f "$at" ] || exit 1; if [ -n "$file" ]; then cp "$at" "$file"; else cat "$at"; fi ;;
  *'change-secrets-provider'*) [ -z "$HELD" ] || { echo half >>stacks/bootstrap/Pulumi.account.yaml; exit 255; } ;;
  *'stack init'*) echo 'encryptedkey: new' >>stacks/bootstrap/Pulumi.account.yaml; echo '{}' >"$at" ;;
  *'stack import'*) [ -n "$LOSES" ] && echo '{}' >"$at" || cp "$file" "$at" ;;
esac
exit 0
"""
PYTHON = f"""#!/usr/bin/env bash
if [ "$1" = -m ]; then echo "${{AWS_REGION:+in $AWS_REGION }}python $*" >>"$CALLS"
  [ "$3" = state ] && exit "${{LOCKED:-0}}"; exit 0; fi
exec {sys.executable} "$@"
"""
DATABASE: dict[str, Any] = {
    "urn": "urn:pulumi:prod::pactum::aws:rds/instance:Instance::pactum-prod-database",
    "type": "aws:rds/instance:Instance",
    "protect": True,
    "inputs": {"finalSnapshotIdentifier": "pactum-prod-final-1"},
}
BUCKET, CLOSED = (
    {"urn": f"urn:pulumi:prod::pactum::aws:s3/{kind}::pactum-prod-media", "type": f"aws:s3/{kind}", "protect": protect}
    for kind, protect in (
        ("bucket:Bucket", True),
        ("bucketPublicAccessBlock:BucketPublicAccessBlock", False),
    )
)
PROVIDER: dict[str, Any] = {
    "urn": "urn:pulumi:prod::pactum::pulumi:providers:aws::default_7_1_0",
    "type": "pulumi:providers:aws",
    "inputs": {"region": "eu-west-1"},
}
LOG: dict[str, Any] = {
    "urn": "urn:pulumi:prod::pactum::aws:cloudwatch/logGroup:LogGroup::pactum-prod-mail",
    "type": "aws:cloudwatch/logGroup:LogGroup",
    "retainOnDelete": True,
}
RECORD: dict[str, Any] = {
    "urn": "urn:pulumi:prod::pactum::aws:route53/record:Record::pactum-prod-validation",
    "type": "aws:route53/record:Record",
    "retainOnDelete": True,
}


class Project:
    """A copy of what the scripts need, with a pulumi that only pretends."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.states, self._calls = directory, directory / "states", directory / "calls"
        self.states.mkdir()
        (directory / "stacks" / "bootstrap").mkdir(parents=True)
        (directory / "bin").mkdir()
        for script in ("down", "state-to-bucket"):
            shutil.copy(ROOT / "stacks" / script, directory / "stacks" / script)
        (directory / "Pulumi.yaml").write_text("name: pactum\n")
        (directory / "stacks/bootstrap/Pulumi.account.yaml").write_text("config: {} # kept\n")
        for name, text in (("pulumi", PULUMI), ("python", PYTHON)):
            (directory / "bin" / name).write_text(text)
            (directory / "bin" / name).chmod(0o755)

    def has(self, backend: str, stack: str, *resources: dict[str, Any]) -> None:
        (self.states / f"{backend}-{stack}").write_text(json.dumps({"deployment": {"resources": resources}}, indent=1))

    def run(self, script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        variables = {
            "PATH": f"{self.directory / 'bin'}:{os.environ['PATH']}",
            "PYTHON": str(self.directory / "bin/python"),
            "CALLS": str(self._calls),
            "STATES": str(self.states),
            **environment,
        }
        return subprocess.run(
            [self.directory / "stacks" / script, *arguments],
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @property
    def calls(self) -> list[str]:
        return self._calls.read_text().splitlines() if self._calls.exists() else []


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_taking_a_stack_down_asks_for_its_whole_name_and_says_what_goes_and_stays(project: Project) -> None:
    project.has("here", "prod", DATABASE, BUCKET, CLOSED)
    for given in ("", "prod", "pactum-staging"):
        done = project.run("down", "prod", CONFIRM=given)
        assert done.returncode == 2, "a script's standard input is no person"
        assert "nothing was changed; to mean it without a terminal, set CONFIRM=pactum-prod" in done.stderr
        assert "leaves the snapshot pactum-prod-final-1" in done.stderr
        assert "stay, with all that is in them" in done.stderr, "of the buckets"
    assert {call.split()[2] for call in project.calls} == {"export"}, "nothing but looked at"


def test_a_database_without_a_final_snapshot_is_told_beforehand(project: Project) -> None:
    project.has("here", "prod", {**DATABASE, "inputs": {"skipFinalSnapshot": True}})
    assert "no final snapshot: its data are lost" in project.run("down", "prod").stderr


def test_buckets_stay_with_their_settings_and_the_rest_goes(project: Project) -> None:
    project.has("here", "prod", DATABASE, BUCKET, CLOSED)
    done = project.run("down", "prod", CONFIRM="pactum-prod")
    assert done.returncode == 0, done.stderr
    assert project.calls[1:] == [
        "python -m ops state --stack prod --project pactum",
        "python -m ops unprotect --stack prod --project pactum --confirm pactum-prod",
        f"here state unprotect {DATABASE['urn']} --stack prod --yes",
        f"here state protect {BUCKET['urn']} {CLOSED['urn']} --stack prod --yes",
        "here stack export --stack prod",
        "here destroy --stack prod --yes --exclude-protected --refresh",
    ], "first in AWS, then in Pulumi; a bucket that stays must not be left open"


def test_what_refuses_deletion_is_told_so_in_the_stacks_own_region(project: Project) -> None:
    """Elsewhere nothing would be found that refuses, and the deletion would end half-way."""
    project.has("here", "prod", PROVIDER, DATABASE)
    done = project.run("down", "prod", CONFIRM="pactum-prod", AWS_REGION="us-east-1")
    assert done.returncode == 0, done.stderr
    assert "in eu-west-1 python -m ops unprotect --stack prod --project pactum --confirm pactum-prod" in project.calls
    project.has("here", "prod", DATABASE)
    project.run("down", "prod", CONFIRM="pactum-prod", AWS_REGION="us-east-1")
    assert any(call.startswith("in us-east-1 python -m ops") for call in project.calls), "the state does not say"


def test_logs_that_outlive_their_process_go_with_the_stack(project: Project) -> None:
    """Made again under its name, the stack would find theirs taken."""
    project.has("here", "prod", LOG, RECORD)
    done = project.run("down", "prod", CONFIRM="pactum-prod")
    assert done.returncode == 0, done.stderr
    verbs = [" ".join(call.split()[1:3]) for call in project.calls]
    assert verbs.index("stack import") < verbs.index("destroy --stack")
    state = json.loads((project.states / "here-prod").read_text())
    log, record = state["deployment"]["resources"]
    assert not log.get("retainOnDelete")
    assert record == RECORD, "another certificate may be renewed by it"


def test_a_stack_whose_state_somebody_has_is_left_alone(project: Project) -> None:
    """Its protection in AWS would be off by the time that Pulumi finds the lock."""
    project.has("here", "prod", DATABASE)
    done = project.run("down", "prod", CONFIRM="pactum-prod", LOCKED="1")
    assert done.returncode == 2
    assert "nothing was changed" in done.stderr
    assert project.calls[1:] == ["python -m ops state --stack prod --project pactum"]


def test_a_backend_whose_lock_cannot_be_looked_at_keeps_no_stack_up(project: Project) -> None:
    """Pulumi Cloud has its own, and `pulumi destroy` asks it."""
    project.has("here", "prod", DATABASE)
    assert project.run("down", "prod", CONFIRM="pactum-prod", LOCKED="2").returncode == 0
    assert any("destroy" in call for call in project.calls)


def test_the_accounts_own_stack_is_not_taken_down_so(project: Project) -> None:
    assert project.run("down", "account", CONFIRM="pactum-account").returncode == 2
    assert project.calls == [], "it holds everybody's state"


def test_a_stack_that_is_not_there_is_told(project: Project) -> None:
    done = project.run("down", "prod")
    assert done.returncode == 2
    assert "there is no stack `prod` where you are logged in" in done.stderr


def test_a_state_that_somebody_has_is_not_moved_and_its_settings_stay_as_they_are(project: Project) -> None:
    """The CLI writes the new provider into the file before it finds the lock: then no state can be read by the file."""
    project.has("file_", "account", DATABASE)
    done = project.run("state-to-bucket", "account", "file:", HELD="1")
    assert done.returncode == 1
    assert 'docs/releases.md, "An interrupted update"' in done.stderr
    assert (project.directory / "stacks/bootstrap/Pulumi.account.yaml").read_text() == "config: {} # kept\n"
    assert not any("stack init" in call or "stack rm" in call for call in project.calls)
    assert not list(project.directory.glob(".state-*")), "nothing is left behind"


def test_state_is_moved_whole_and_removed_where_it_was(project: Project) -> None:
    project.has("file_", "account", DATABASE, BUCKET)
    done = project.run("state-to-bucket", "account", "file:")
    assert done.returncode == 0, done.stderr
    verbs = [call.split(" ", 1) for call in project.calls if "output" not in call]
    assert [(backend, " ".join(verb.split()[3:5])) for backend, verb in verbs] == [
        ("s3://bucket", "stack export"),
        ("file:", "stack export"),
        ("file:", "stack change-secrets-provider"),
        ("file:", "stack export"),
        ("s3://bucket", "stack init"),
        ("s3://bucket", "stack import"),
        ("s3://bucket", "stack export"),
        ("file:", "stack rm"),
    ], "removed last, when all of it is in the bucket"
    settings = (project.directory / "stacks/bootstrap/Pulumi.account.yaml").read_text()
    assert settings == "config: {} # kept\n", "with the data key that the state was encrypted with"
    assert "2 resources moved. Log in there from now on:  pulumi login 's3://bucket'" in done.stderr
    (kept,) = project.directory.glob(".state-account-*")
    assert kept.stat().st_mode & 0o077 == 0, "for its owner only"


def test_state_that_does_not_arrive_whole_stays_where_it_was(project: Project) -> None:
    project.has("file_", "account", DATABASE, BUCKET)
    done = project.run("state-to-bucket", "account", "file:", LOSES="1")
    assert done.returncode == 1
    assert "has 0 resources of 2; the state at file: was left as it is" in done.stderr
    assert not any("stack rm" in call for call in project.calls)


def test_a_move_that_was_cut_short_says_how_to_begin_again(project: Project) -> None:
    project.has("file_", "prod", DATABASE)
    project.has("s____bucket", "prod")
    done = project.run("state-to-bucket", "prod", "file:")
    assert done.returncode == 2
    remedy = "PULUMI_BACKEND_URL='s3://bucket' pulumi --cwd . stack rm --stack prod --preserve-config"
    assert remedy in done.stderr, "the stack there holds nothing that could be lost"


def test_a_stack_that_is_not_where_it_was_said_to_be_begins_in_the_bucket(project: Project) -> None:
    done = project.run("state-to-bucket", "prod", "file:")
    assert done.returncode == 2
    assert "no stack `prod` is at file:; nothing was changed" in done.stderr
    assert "pulumi stack init prod --secrets-provider 'awskms://alias/pactum-pulumi'" in done.stderr
    assert not any("init" in call for call in project.calls)


@pytest.mark.parametrize(
    ("stack", "remedy"), [("account", "it was moved already"), ("prod", "Log in to the account's")]
)
def test_an_account_that_is_not_there_is_told_to_each_in_its_own_way(project: Project, stack: str, remedy: str) -> None:
    done = project.run("state-to-bucket", stack, "file:", NO_ACCOUNT="1")
    assert done.returncode == 2
    assert "no stack `account` with outputs is at" in done.stderr
    assert remedy in done.stderr
    assert all("output" in call or "whoami" in call for call in project.calls), "nothing but looked at"


def test_a_stack_that_is_in_the_bucket_already_is_not_written_over(project: Project) -> None:
    project.has("file_", "account", DATABASE)
    project.has("s____bucket", "account", DATABASE, BUCKET)
    done = project.run("state-to-bucket", "account", "file:")
    assert done.returncode == 2
    assert "has a stack `account` already; nothing was changed" in done.stderr
    assert not any("import" in call or "stack rm" in call for call in project.calls)
