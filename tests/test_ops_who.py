"""Who did it, from which commit: as the pipeline says, else as AWS and git do."""

from __future__ import annotations

import dataclasses
import subprocess
from pathlib import Path

import pytest

from ops.who import commit, who
from tests.ops_fakes.context import context_of
from tests.ops_fakes.world import World


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


@pytest.fixture
def two_repositories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The program's own, which is the working directory, and beside it the shop's; answers their commits."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    commits = {}
    for name in ("infrastructure", "shop"):
        place = tmp_path / name
        (place / "app_image").mkdir(parents=True)
        (place / "app_image/file").write_text(name)
        for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "first"]):
            identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
            subprocess.run(["git", *identity, *command], cwd=place, check=True)
        ran = subprocess.run(["git", "rev-parse", "HEAD"], cwd=place, check=True, capture_output=True, text=True)
        commits[name] = ran.stdout.strip()
    here = tmp_path / "infrastructure"
    default = "name: pactum\nconfig: {'pactum:imageContext': {type: string, default: app_image}}\n"
    (here / ".git/info/exclude").write_text("Pulumi*\n")
    (here / "Pulumi.yaml").write_text(default)
    (here / "Pulumi.staging.yaml").write_text("config: {}\n")
    monkeypatch.chdir(here)
    return commits


def test_an_image_of_another_repository_is_of_the_commit_there(two_repositories: dict[str, str]) -> None:
    Path("Pulumi.staging.yaml").write_text("config: {'pactum:imageContext': ../shop}\n")
    assert commit(context_of(World())) == two_repositories["shop"]
    assert commit(context_of(World(), {"GITHUB_SHA": "ours"})) == two_repositories["shop"], "the pipeline's is ours"
    assert commit(context_of(World(), {"PACTUM_COMMIT": "c0ffee"})) == "c0ffee"
    Path("../shop/new").touch()
    assert commit(context_of(World())) == two_repositories["shop"] + "-dirty"


def test_an_image_of_files_in_no_repository_is_of_no_commit(two_repositories: dict[str, str]) -> None:
    assert two_repositories
    Path("../elsewhere").mkdir()
    Path("Pulumi.staging.yaml").write_text("config: {'pactum:imageContext': ../elsewhere}\n")
    assert commit(context_of(World(), {"GITHUB_SHA": "ours"})) == ""


def test_where_pulumi_yaml_leads_to_another_repository_the_commit_is_from_there(
    two_repositories: dict[str, str],
) -> None:
    Path("Pulumi.yaml").write_text("name: pactum\nconfig: {'pactum:imageContext': {default: ../shop/app_image}}\n")
    assert commit(context_of(World())) == two_repositories["shop"]


@pytest.mark.parametrize("stack_file", ["config: {}", "config: {'pactum:imageContext': app_image}", "{", "- a"])
def test_an_image_of_this_repository_is_of_the_commit_that_the_pipeline_names(
    two_repositories: dict[str, str], stack_file: str
) -> None:
    Path("Pulumi.staging.yaml").write_text(stack_file)
    assert commit(context_of(World())) == two_repositories["infrastructure"]
    assert commit(context_of(World(), {"GITHUB_SHA": "c0ffee"})) == "c0ffee"


def test_without_git_the_commit_is_not_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commit(context_of(World())) == ""
