"""Who did it, from which commit: as the pipeline says, else as AWS and git do."""

from __future__ import annotations

import dataclasses
import subprocess
from typing import TYPE_CHECKING

import pytest

from ops.who import commit, who
from tests.ops_fakes.context import context_of
from tests.ops_fakes.world import World

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("variable", ["GITHUB_ACTOR", "GITLAB_USER_LOGIN", "BUILD_USER_ID"])
def test_a_pipeline_says_who_started_it(variable: str) -> None:
    assert who(context_of(World(), {variable: "ana"})) == "ana"
    assert who(context_of(World(), {variable: ""})) == "tester"


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        ("arn:aws:iam::123456789012:user/team/ana", "ana"),
        ("arn:aws:sts::123456789012:assumed-role/Deploy/ana@example.org", "ana@example.org"),
        ("arn:aws:iam::123456789012:root", "root"),
    ],
)
def test_a_person_is_named_as_aws_knows_them(arn: str, name: str) -> None:
    context = context_of(World())
    where = dataclasses.replace(context.whereabouts, identity_arn=arn)
    assert who(dataclasses.replace(context, whereabouts=where)) == name


@pytest.mark.parametrize("variable", ["PACTUM_COMMIT", "GITHUB_SHA", "CI_COMMIT_SHA", "GIT_COMMIT"])
def test_a_pipeline_says_which_commit_it_deploys(variable: str) -> None:
    assert commit(context_of(World(), {variable: "c0ffee"})) == "c0ffee"


def test_our_own_variable_comes_first() -> None:
    assert commit(context_of(World(), {"GITHUB_SHA": "merge", "PACTUM_COMMIT": "c0ffee"})) == "c0ffee"


def test_by_hand_it_is_the_commit_that_is_checked_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
        ran = subprocess.run(["git", *identity, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True)
        return ran.stdout.strip()

    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.chdir(tmp_path)
    context = context_of(World())
    assert commit(context) == "", "no repository"
    git("init", "--quiet")
    assert commit(context) == "", "no commit"
    git("commit", "--quiet", "--allow-empty", "--message", "first")
    assert commit(context) == git("rev-parse", "HEAD")
    (tmp_path / "new").touch()
    assert commit(context) == git("rev-parse", "HEAD") + "-dirty", "what is deployed is in no commit"


def test_without_git_the_commit_is_not_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commit(context_of(World())) == ""
