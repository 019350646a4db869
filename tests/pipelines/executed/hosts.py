"""The three hosts: who reads their files, which shell runs a command, and which variables they set in each job."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.pipelines import github, gitlab, jenkins
from tests.pipelines.executed.jobs import PROMOTE, PULL_REQUEST, PUSH, ROLLBACK, SCHEDULE, Trigger

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.pipelines.model import Event, Pipeline

REPOSITORY, STRANGERS = "team/shop", "stranger/shop"
NUMBER = "7"
BY_HAND = (ROLLBACK, PROMOTE)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One host. `variables` may write files into the directory it is given."""

    name: str
    pipeline: Callable[[Path, Event], Pipeline]
    interpreter: tuple[str, ...]
    """What reads a command."""
    variables: Callable[[Trigger, Path], dict[str, str]]
    api: str
    """The variable that names the host's own address, which is this machine's here."""
    token: str
    """What a job that tells people something is given besides."""
    asks: bool = False
    """Whether a job that changes production asks the host first if somebody has to approve it."""
    whole_jobs: bool = False
    """Whether gitlab-ci-local runs its jobs, where nothing has to happen between two commands."""


def _github(trigger: Trigger, place: Path) -> dict[str, str]:
    names = {PUSH: "push", PULL_REQUEST: "pull_request", SCHEDULE: "schedule"}
    pull = trigger.kind == PULL_REQUEST
    event: dict[str, Any] = {}
    if pull:
        source = STRANGERS if trigger.fork else REPOSITORY
        head = {"ref": trigger.branch, "sha": trigger.head, "repo": {"full_name": source}}
        event["pull_request"] = {"number": int(NUMBER), "title": trigger.title, "head": head, "base": {"ref": "main"}}
    path = place / "event.json"
    path.write_text(json.dumps(event), encoding="utf-8")
    return {
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": names.get(trigger.kind, "workflow_dispatch"),
        "GITHUB_EVENT_PATH": str(path),
        "GITHUB_SHA": trigger.commit,
        "GITHUB_REF": f"refs/pull/{NUMBER}/merge" if pull else f"refs/heads/{trigger.branch}",
        "GITHUB_REF_NAME": f"{NUMBER}/merge" if pull else trigger.branch,
        "GITHUB_REF_TYPE": "branch",
        "GITHUB_HEAD_REF": trigger.branch if pull else "",
        "GITHUB_BASE_REF": "main" if pull else "",
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_RUN_ID": "1",
    }


def _gitlab(trigger: Trigger, _: Path) -> dict[str, str]:
    names = {PUSH: "push", PULL_REQUEST: "merge_request_event", SCHEDULE: "schedule"}
    found = {
        "CI": "true",
        "GITLAB_CI": "true",
        "CI_PIPELINE_SOURCE": names.get(trigger.kind, "web"),
        "CI_COMMIT_SHA": trigger.commit,
        "CI_COMMIT_REF_NAME": trigger.branch,
        "CI_PROJECT_PATH": REPOSITORY,
        "CI_PIPELINE_URL": f"https://gitlab.com/{REPOSITORY}/-/pipelines/1",
    }
    if trigger.kind != PULL_REQUEST:
        return {**found, "CI_COMMIT_BRANCH": trigger.branch}
    source = STRANGERS if trigger.fork else REPOSITORY
    return {
        **found,
        "CI_MERGE_REQUEST_IID": NUMBER,
        "CI_MERGE_REQUEST_TITLE": trigger.title,
        "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": trigger.branch,
        "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": trigger.head,
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "CI_MERGE_REQUEST_PROJECT_PATH": REPOSITORY,
        "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH": source,
    }


def _jenkins(trigger: Trigger, _: Path) -> dict[str, str]:
    found = {
        "JENKINS_URL": "https://jenkins.example.com/",
        "BUILD_URL": "https://jenkins.example.com/job/shop/1/",
        "GIT_URL": f"https://github.com/{REPOSITORY}.git",
        "GIT_COMMIT": trigger.commit,
        "BRANCH_NAME": trigger.branch,
        # Parameters of the build.
        "ACTION": trigger.kind if trigger.kind in BY_HAND else "push",
        "STACK": trigger.stack,
        "TO": trigger.to,
    }
    if trigger.kind in BY_HAND or trigger.kind == SCHEDULE:
        # As the stages of the Jenkinsfile set it.
        found["PIPELINE_EVENT"] = "schedule" if trigger.kind == SCHEDULE else "manual"
    if trigger.kind != PULL_REQUEST:
        return found
    fork = {"CHANGE_FORK": STRANGERS.partition("/")[0]} if trigger.fork else {}
    change = {
        "CHANGE_ID": NUMBER,
        "CHANGE_BRANCH": trigger.branch,
        "CHANGE_TARGET": "main",
        "CHANGE_TITLE": trigger.title,
    }
    return {**found, **change, **fork, "BRANCH_NAME": f"PR-{NUMBER}"}


# Jenkins has the repository at GitHub here.
_GITHUB_API, _GITHUB_TOKEN = "GITHUB_API_URL", "GITHUB_TOKEN"
_BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail")
KINDS = {
    "github": Kind(
        name="GitHub",
        pipeline=github.pipeline,
        interpreter=_BASH,
        variables=_github,
        api=_GITHUB_API,
        token=_GITHUB_TOKEN,
        asks=True,
    ),
    "gitlab": Kind(
        name="GitLab",
        pipeline=gitlab.pipeline,
        interpreter=_BASH,
        variables=_gitlab,
        api="CI_SERVER_URL",
        token="GITLAB_TOKEN",
        whole_jobs=True,
    ),
    "jenkins": Kind(
        name="Jenkins",
        pipeline=jenkins.pipeline,
        interpreter=("sh", "-xe"),
        variables=_jenkins,
        api=_GITHUB_API,
        token=_GITHUB_TOKEN,
    ),
}
