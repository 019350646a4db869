"""gitlab-ci-local, which follows GitLab's own rules, begins the very jobs that our reader of the file says."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.pipelines import gitlab
from tests.pipelines.executed import gitlab_ci_local
from tests.pipelines.executed.hosts import KINDS
from tests.pipelines.model import EVENTS, Event
from tests.recorder import ROOT

if TYPE_CHECKING:
    from pathlib import Path

SOME = [event for event in EVENTS if event.branch in {"main", "develop"} and "gitlab" in event.hosts]
WEB = {"CI_PIPELINE_SOURCE": "web", "CI_COMMIT_BRANCH": "main"}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with nothing but GitLab's file: the program writes into where it is started."""
    place = tmp_path_factory.mktemp("gitlab")
    shutil.copy(ROOT / gitlab.FILE, place)
    for command in (
        ["init", "--quiet", "--initial-branch", "main"],
        ["add", "."],
        ["-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "--quiet", "--message", "x"],
        ["remote", "add", "origin", "git@gitlab.com:team/shop.git"],
    ):
        subprocess.run(["git", *command], cwd=place, check=True, timeout=30)
    return place


def listed(
    checkout: Path, variables: dict[str, str], inputs: dict[str, str], how: str = "--list-json"
) -> subprocess.CompletedProcess[str]:
    asked = gitlab_ci_local.asking(variables, inputs, how)
    return subprocess.run(asked, cwd=checkout, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("event", SOME, ids=str)
def test_it_begins_what_our_reader_says(event: Event, checkout: Path) -> None:
    assert gitlab_ci_local.PROGRAM.is_file(), "`make .node/.installed` installs it"
    ran = listed(checkout, gitlab.variables_of(event), gitlab.inputs_of(event))
    assert ran.returncode == 0, ran.stderr
    theirs = {
        job["name"]: ({need["job"] for need in job["needs"]}, job["when"] == "manual")
        for job in json.loads(ran.stdout)
        if job["when"] != "never"
    }
    ours = {job.name: (set(job.needs), job.approval) for job in gitlab.pipeline(ROOT, event)}
    assert theirs == ours


@pytest.mark.parametrize(
    "inputs", [{"action": "destroy"}, {"stack": "all"}, {"to": "$(id)"}, {"to": "abcdef1; id"}], ids=str
)
def test_a_form_that_offers_no_such_thing_begins_no_pipeline(inputs: dict[str, str], checkout: Path) -> None:
    ran = listed(checkout, WEB, inputs)
    assert ran.returncode != 0
    assert "input" in ran.stderr


@pytest.mark.parametrize("to", ["", "1234567", "12345e7", "0123456", f"sha256:{'a' * 64}"])
def test_where_to_arrives_as_it_was_written(to: str, checkout: Path) -> None:
    ran = listed(checkout, WEB, {"action": "rollback", "stack": "prod", "to": to}, "--preview")
    assert ran.returncode == 0, ran.stderr
    job = yaml.safe_load(ran.stdout)["rollback-prod"]
    assert job["variables"]["TO"] == to


def test_a_variable_of_the_pipeline_chooses_nothing(checkout: Path) -> None:
    ran = listed(checkout, {**WEB, "ACTION": "rollback", "STACK": "staging"}, {})
    assert [job["name"] for job in json.loads(ran.stdout) if job["when"] != "never"] == []


def test_it_is_what_executes_gitlabs_jobs() -> None:
    assert [kind for kind, host in KINDS.items() if host.whole_jobs] == ["gitlab"]
