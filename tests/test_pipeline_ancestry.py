"""Which commit is older, asked of git repositories made for it: a stack never goes back by itself."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from ops.errors import CannotAct, OpsError
from ops.pipeline.ancestry import refuse_older
from ops.pipeline.checkout import Checkout
from ops.pipeline.running import Running
from ops.pipeline.worktree import at_commit
from ops.release_record import Record, Release
from ops.stack import Stack
from tests.pipeline_fakes import NEW, Project

if TYPE_CHECKING:
    from pathlib import Path

STAGING = Stack(project="pactum", name="staging")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def running(commit: str) -> Running:
    """A stack that runs a commit."""
    return Running(digest=NEW, release=Release(digest=NEW, commit=commit), record=Record())


def decided(project: Project, commit: str, runs: Running, root: Path | None = None) -> str:
    """What is said against a deployment; nothing when it may go on."""
    try:
        refuse_older(Checkout(root or project.root), commit, runs, STAGING)
    except OpsError as refusal:
        return str(refusal)
    return ""


def test_a_newer_commit_is_deployed(project: Project) -> None:
    assert decided(project, project.third, running(project.first)) == ""


def test_the_same_commit_is_deployed_again_as_after_a_failure(project: Project) -> None:
    assert decided(project, project.second, running(project.second)) == ""
    assert decided(project, project.second, running(f"{project.second}-dirty")) == "", "a person's, from changed files"


def test_an_older_commit_is_refused_with_both_named(project: Project) -> None:
    told = decided(project, project.first, running(project.third))
    assert project.first in told
    assert project.third in told
    assert "would take staging back" in told
    assert "ops rollback" in told, "the way to do it on purpose"
    assert "old job run again" in told
    assert "main is merged back into develop" in told, "nobody ran an old job then"
    assert "one more commit" in told


def test_a_commit_beside_the_one_that_runs_is_deployed(project: Project) -> None:
    project.git("checkout", "--quiet", "-b", "other", project.first)
    other = project.commit("beside")
    assert decided(project, other, running(project.third)) == "", "develop and main take turns in staging"


def test_a_stack_that_was_never_deployed_takes_any(project: Project) -> None:
    assert decided(project, project.first, Running(digest="", release=None, record=Record())) == ""


def test_a_shallow_checkout_is_refused_with_what_every_host_calls_its_remedy(project: Project, tmp_path: Path) -> None:
    shallow = tmp_path / "shallow"
    source = f"file://{project.root}"
    subprocess.run(["git", "clone", "--quiet", "--depth", "1", source, str(shallow)], check=True, timeout=60)
    told = decided(project, project.third, running(project.first), shallow)
    assert "This checkout is shallow" in told
    for remedy in ("fetch-depth: 0", "GIT_DEPTH: 0", "Jenkins"):
        assert remedy in told


@pytest.mark.parametrize("commit", ["e" * 40, "no such thing"])
def test_a_commit_that_nobody_pushed_is_refused(project: Project, commit: str) -> None:
    told = decided(project, project.third, running(commit))
    assert "is not in the history of this checkout" in told
    assert "not pushed" in told
    assert "shallow" not in told
    assert "Jenkins" not in told


def test_a_checkout_with_one_branch_is_told_what_jenkins_has_to_be_told(project: Project, tmp_path: Path) -> None:
    """As its branch sources make one: `git fetch URL +refs/heads/main:refs/remotes/origin/main`, and no other."""
    project.git("checkout", "--quiet", "-b", "develop", project.first)
    beside = project.commit("beside")
    alone = tmp_path / "alone"
    for command in (
        ["init", "--quiet", str(alone)],
        ["-C", str(alone), "remote", "add", "origin", str(project.root)],
        ["-C", str(alone), "fetch", "--quiet", "origin", "+refs/heads/main:refs/remotes/origin/main"],
    ):
        subprocess.run(["git", *command], check=True, timeout=60)
    told = decided(project, project.third, running(beside), alone)
    assert "Only one branch was fetched, origin/main." in told
    assert "`+refs/heads/*:refs/remotes/@{remote}/*`" in told
    subprocess.run(["git", "-C", str(alone), "checkout", "--quiet", project.third], check=True, timeout=60)
    with pytest.raises(CannotAct, match="Specify ref specs"), at_commit(alone, beside):
        pass
    fetched = ["git", "-C", str(alone), "fetch", "--quiet", "origin", "+refs/heads/*:refs/remotes/origin/*"]
    subprocess.run(fetched, check=True, timeout=60)
    assert decided(project, project.third, running(beside), alone) == "", "the remedy is one"


def test_a_clone_has_all_branches_though_it_has_another_name_for_one(project: Project, tmp_path: Path) -> None:
    project.git("branch", "develop")
    whole = tmp_path / "whole"
    subprocess.run(["git", "clone", "--quiet", str(project.root), str(whole)], check=True, timeout=60)
    assert "No branch that was fetched has it" in decided(project, project.third, running("e" * 40), whole)
    subprocess.run(["git", "-C", str(whole), "branch", "--quiet", "-rd", "origin/develop"], check=True, timeout=60)
    assert "Only one branch was fetched, origin/main" in decided(project, project.third, running("e" * 40), whole)


def test_what_others_wrote_down_is_no_option_of_git(project: Project) -> None:
    assert not Checkout(project.root).knows("--batch-all-objects")


def test_what_runs_without_a_known_commit_is_refused(project: Project) -> None:
    told = decided(project, project.third, running(""))
    assert "nobody knows" in told
    assert "pactum:imageDigest" in told, "how a person goes on"


def test_a_checkout_of_another_commit_is_refused(project: Project) -> None:
    with pytest.raises(CannotAct, match=f"about commit {project.first}, and {project.third} is checked out"):
        Checkout(project.root).refuse_another(project.first)


def test_a_checkout_with_changes_is_refused_and_ignored_files_are_none(project: Project) -> None:
    project.write("ci/image.json", "{}")
    Checkout(project.root).refuse_another(project.third)
    project.write("change", "by hand")
    with pytest.raises(CannotAct, match="M change"):
        Checkout(project.root).refuse_another(project.third)


def test_a_file_that_is_in_no_commit_is_refused_for_it_would_be_in_the_image(project: Project) -> None:
    """Jenkins uses a workspace again, with what an earlier job has left there."""
    project.write("app_image/pactum/left.py", "")
    with pytest.raises(CannotAct, match=r"\?\? app_image/") as refused:
        Checkout(project.root).refuse_another(project.third)
    assert "git clean" in str(refused.value)
    for number in range(30):
        project.write(f"left-{number:02}", "")
    with pytest.raises(CannotAct, match=r"\?\? left-18\n\.\.\. and 11 more\nNothing was done"):
        Checkout(project.root).refuse_another(project.third)


def test_outside_of_a_repository_it_is_said_where_stages_run(tmp_path: Path) -> None:
    with pytest.raises(CannotAct, match="at the top of a git checkout"):
        Checkout(tmp_path).head()


def test_the_files_of_another_commit_come_and_go(project: Project) -> None:
    (project.root / ".venv").mkdir()
    with at_commit(project.root, project.first) as files:
        assert files != project.root
        assert (files / "change").read_text() == "first"
        assert (files / ".venv").resolve() == project.root / ".venv", "the program's packages"
    assert not files.exists()
    assert len(project.git("worktree", "list").splitlines()) == 1
    assert (project.root / ".venv").is_dir(), "only the link was removed"
    with at_commit(project.root, project.third) as files:
        assert files == project.root


def test_the_files_of_an_unknown_commit_are_refused(project: Project) -> None:
    with pytest.raises(CannotAct, match="was not pushed"), at_commit(project.root, "e" * 40):
        pass
