"""`make migrations`: a person reads of migrations what a pull request would say, with no account and no commit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ops.pipeline import migrations
from tests.pipeline_fakes import Project
from tests.preview_fakes import prepare

if TYPE_CHECKING:
    from pathlib import Path


# Says what it builds: the files of which commit, by the one file that each commit changes.
BUILD = """#!/bin/sh
if [ "$1" = --client ]; then echo "$FAKE_CLIENT"; exit; fi
echo "build $IMAGE of $(cat "${0%/*}/../change")" >>"$FAKE_LOG"
"""
GONE = {"kind": "column_gone", "table": "shop_order", "column": "state"}
PLAN = {"name": "shop.0002", "undoable": False, "why": "gone", "atomic": True, "changes": [GONE]}


class Case:
    """A branch that has left main by one commit, and a change in no commit."""

    def __init__(self, directory: Path, patch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self.project, self._capfd = Project(directory), capfd
        prepare(self.project)
        self.project.write("app_image/build", BUILD)
        (self.project.root / "app_image/build").chmod(0o755)
        self.project.write(".gitignore", "/ci/\n__pycache__/\n")
        self.main = self.project.commit("main's")
        self.project.git("switch", "--quiet", "--create", "feature")
        self.project.commit("feature's")
        self.project.write("change", "in no commit")
        patch.chdir(self.project.root)

    def run(self, *arguments: str, **changes: str) -> tuple[int, str, str]:
        client = {"FAKE_CLIENT": str(self.project.bin / "docker"), "FAKE_PLAN": json.dumps(self.plan(PLAN))}
        code = migrations.main(arguments, {**self.project.environment, **client, **changes})
        seen = self._capfd.readouterr()
        return code, seen.out, seen.err

    @staticmethod
    def plan(*each: dict[str, object]) -> dict[str, object]:
        return {"migration_plan": each, "looked": True}


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Case:
    return Case(tmp_path, monkeypatch, capfd)


def test_it_is_tried_on_what_the_branch_has_left_and_told_as_in_a_pull_request(case: Case) -> None:
    code, out, _ = case.run()
    assert code == 0, "a risk is for people to weigh"
    image = f"pactum-base:{case.main}"
    assert f"build {image} of main's\n" in case.project.asked
    assert f"rehearsal migrations --stack staging --deployed {image} --output" in case.project.asked
    assert "Migrations: 1 migration: `shop.0002`." in out
    assert "still reads and writes shop_order.state" in out
    assert f"docker image rm {image}" in case.project.asked
    assert case.project.git("worktree", "list").count("\n") == 0, "the worktree is removed"


def test_on_main_itself_what_is_in_no_commit_is_what_is_tried(case: Case) -> None:
    case.project.git("branch", "--force", "main", "HEAD")
    case.run()
    assert " of feature's\n" in case.project.asked
    assert " of in no commit\n" not in case.project.asked, "the stack does not run it yet"


def test_main_is_what_was_fetched_of_it(case: Case) -> None:
    case.project.git("update-ref", "refs/remotes/origin/main", "HEAD")
    case.run()
    assert " of feature's\n" in case.project.asked, "one's own main may be old"


def test_what_the_stack_runs_can_be_said_as_a_commit_or_an_image(case: Case) -> None:
    case.project.git("branch", "--force", "main", "HEAD")
    case.run("--from", case.main[:10])
    assert f"build pactum-base:{case.main} of main's\n" in case.project.asked
    case.project.log.write_text("")
    case.run("--from", "registry.example/pactum@sha256:1", "--stack", "prod")
    assert "build" not in case.project.asked
    assert "--stack prod --deployed registry.example/pactum@sha256:1 " in case.project.asked


def test_a_migration_that_fails_or_cannot_be_tried_is_red(case: Case) -> None:
    code, out, _ = case.run(FAKE_PLAN=json.dumps(case.plan({**PLAN, "error": "IntegrityError: twice"})))
    assert code == 1
    assert "IntegrityError: twice" in out
    code, out, err = case.run(FAKE_TRIAL="rehearsal: it did not start")
    assert (code, "Migrations" in out) == (1, False)
    assert "rehearsal: it did not start" in err


def test_without_a_main_it_asks_what_the_stack_runs(case: Case) -> None:
    case.project.git("branch", "--delete", "--force", "main")
    code, _, err = case.run()
    assert code == 2
    assert err.startswith("migrations: there is no branch main here that this one has left. Nothing was done.")
    assert "make migrations FROM=..." in err
