"""What made a pipeline run, as each host tells it; what pushed people wrote is data throughout."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ops.errors import CannotAct
from ops.pipeline.event import BY_HAND, GITHUB, GITLAB, HERE, JENKINS, PULL_REQUEST, PUSH, SCHEDULE, Event, read
from tests.pipeline_fakes import Project

if TYPE_CHECKING:
    from pathlib import Path

COMMIT = "c" * 40
HEAD = "d" * 40
SHELL = 'main"; rm -rf / #$(id)`id`'
GITHUB_JOB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_EVENT_NAME": "push",
    "GITHUB_REF_TYPE": "branch",
    "GITHUB_REF_NAME": "develop",
    "GITHUB_SHA": COMMIT,
    "GITHUB_REPOSITORY": "example/pactum",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_RUN_ID": "17",
}
GITLAB_JOB = {
    "GITLAB_CI": "true",
    "CI_PIPELINE_SOURCE": "push",
    "CI_COMMIT_BRANCH": "develop",
    "CI_COMMIT_SHA": COMMIT,
    "CI_PROJECT_PATH": "group/sub/pactum",
    "CI_PIPELINE_URL": "https://gitlab.com/group/sub/pactum/-/pipelines/17",
    "CI_PIPELINE_ID": "17",
}
GITLAB_MERGE = GITLAB_JOB | {
    "CI_PIPELINE_SOURCE": "merge_request_event",
    "CI_COMMIT_BRANCH": "",
    "CI_MERGE_REQUEST_IID": "7",
    "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": SHELL,
    "CI_MERGE_REQUEST_PROJECT_PATH": "group/sub/pactum",
    "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH": "group/sub/pactum",
}
JENKINS_JOB = {
    "JENKINS_URL": "https://jenkins.example.com/",
    "BRANCH_NAME": "develop",
    "GIT_COMMIT": COMMIT,
    "GIT_URL": "https://github.com/example/pactum.git",
    "BUILD_URL": "https://jenkins.example.com/job/pactum/job/develop/17/",
    "BUILD_NUMBER": "17",
}
JENKINS_CHANGE = JENKINS_JOB | {"BRANCH_NAME": "PR-7", "CHANGE_ID": "7", "CHANGE_BRANCH": SHELL}


def pull_request(
    directory: Path, source: dict[str, object] | None, number: object = 7, author: str = "ana"
) -> dict[str, str]:
    """The job of a pull request, with the event's file as GitHub writes it."""
    file = directory / "event.json"
    head = {"ref": SHELL, "sha": HEAD, "repo": source}
    pull = {"number": number, "title": SHELL, "user": {"login": author}, "head": head}
    file.write_text(json.dumps({"pull_request": pull}))
    names = {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_REF_NAME": "7/merge", "GITHUB_EVENT_PATH": str(file)}
    return GITHUB_JOB | names


@pytest.mark.parametrize(("job", "host"), [(GITHUB_JOB, GITHUB), (GITLAB_JOB, GITLAB), (JENKINS_JOB, JENKINS)])
def test_a_push_reads_the_same_on_every_host(job: dict[str, str], host: str) -> None:
    event = read(job)
    assert (event.host, event.kind, event.branch, event.commit) == (host, PUSH, "develop", COMMIT)
    assert (event.pull_request, event.untrusted, event.authors_commit) == (None, "", COMMIT)
    assert event.repository in {"example/pactum", "group/sub/pactum"}
    assert event.run_url.rstrip("/").endswith("17")
    assert event.run == 17


@pytest.mark.parametrize(
    ("job", "number"),
    [(GITHUB_JOB, "GITHUB_RUN_ID"), (GITLAB_JOB, "CI_PIPELINE_ID"), (JENKINS_JOB, "BUILD_NUMBER")],
)
@pytest.mark.parametrize("said", ["", "x1", "²"])
def test_a_run_without_a_number_is_no_newer_than_any(job: dict[str, str], number: str, said: str) -> None:
    assert read(job | {number: said}).run == 0


@pytest.mark.parametrize(
    ("job", "variable", "kinds"),
    [
        (GITHUB_JOB, "GITHUB_EVENT_NAME", {"schedule": SCHEDULE, "workflow_dispatch": BY_HAND}),
        (GITLAB_JOB, "CI_PIPELINE_SOURCE", {"schedule": SCHEDULE, "web": BY_HAND, "api": BY_HAND, "trigger": BY_HAND}),
        (JENKINS_JOB, "PIPELINE_EVENT", {"schedule": SCHEDULE, "manual": BY_HAND, "push": PUSH}),
    ],
)
def test_what_else_may_start_a_pipeline_is_told_apart(
    job: dict[str, str], variable: str, kinds: dict[str, str]
) -> None:
    assert {name: read(job | {variable: name}).kind for name in kinds} == kinds


@pytest.mark.parametrize(
    ("job", "variable"),
    [(GITHUB_JOB, "GITHUB_EVENT_NAME"), (GITLAB_JOB, "CI_PIPELINE_SOURCE"), (JENKINS_JOB, "PIPELINE_EVENT")],
)
def test_an_event_without_stages_is_refused_by_name(job: dict[str, str], variable: str) -> None:
    with pytest.raises(CannotAct, match=r"'pull_request_target'.*there are no stages"):
        read(job | {variable: "pull_request_target"})


def test_a_pull_request_of_github_is_read_from_the_events_file(tmp_path: Path) -> None:
    event = read(pull_request(tmp_path, {"full_name": "Example/Pactum"}))
    assert (event.kind, event.pull_request, event.untrusted) == (PULL_REQUEST, 7, ""), "names are of any case there"
    assert event.branch == SHELL, "a name is what it is, and nothing reads it as a program"
    assert (event.commit, event.authors_commit) == (COMMIT, HEAD), "the merge is checked out, the author knows the head"


@pytest.mark.parametrize("source", [{"full_name": "somebody/pactum"}, None])
def test_a_pull_request_of_a_fork_is_known_even_when_the_fork_is_gone(
    tmp_path: Path, source: dict[str, object] | None
) -> None:
    assert read(pull_request(tmp_path, source)).untrusted == "comes from a fork"


def test_a_pull_request_by_dependabot_has_no_credentials_though_its_branch_is_the_repositorys(tmp_path: Path) -> None:
    own: dict[str, object] = {"full_name": "example/pactum"}
    assert "Dependabot" in read(pull_request(tmp_path, own, author="dependabot[bot]")).untrusted
    assert read(pull_request(tmp_path, own, author="dependabot")).untrusted == "", "a person of that name is none"
    assert read(pull_request(tmp_path, None, author="dependabot[bot]")).untrusted == "comes from a fork"


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"pull_request": 7}'])
def test_an_events_file_that_tells_nothing_is_refused(tmp_path: Path, content: str) -> None:
    job = pull_request(tmp_path, {"full_name": "example/pactum"})
    (tmp_path / "event.json").write_text(content)
    with pytest.raises(CannotAct, match="event"):
        read(job)


@pytest.mark.parametrize("number", [None, "7; id", -1, ""])
def test_a_pull_request_without_a_number_is_refused(tmp_path: Path, number: object) -> None:
    with pytest.raises(CannotAct, match="number"):
        read(pull_request(tmp_path, {"full_name": "example/pactum"}, number))


def test_a_merge_request_of_gitlab() -> None:
    event = read(GITLAB_MERGE)
    assert (event.kind, event.pull_request, event.untrusted) == (PULL_REQUEST, 7, "")
    assert (event.branch, event.repository) == (SHELL, "group/sub/pactum")


@pytest.mark.parametrize("variable", ["CI_MERGE_REQUEST_SOURCE_PROJECT_PATH", "CI_PROJECT_PATH"])
def test_a_merge_request_of_a_fork_is_known_wherever_its_pipeline_runs(variable: str) -> None:
    event = read(GITLAB_MERGE | {variable: "somebody/pactum"})
    assert event.untrusted
    assert event.repository == "group/sub/pactum", "the one it goes to"


def test_a_change_of_jenkins() -> None:
    event = read(JENKINS_CHANGE)
    assert (event.kind, event.pull_request, event.untrusted, event.branch) == (PULL_REQUEST, 7, "", SHELL)
    assert read(JENKINS_CHANGE | {"CHANGE_FORK": "somebody/pactum"}).untrusted


@pytest.mark.parametrize(
    "url",
    ["https://github.com/example/pactum.git", "git@github.com:example/pactum.git", "ssh://git@host:22/example/pactum/"],
)
def test_jenkins_repository_is_read_from_its_address(url: str) -> None:
    assert read(JENKINS_JOB | {"GIT_URL": url}).repository == "example/pactum"


@pytest.mark.parametrize("commit", ["", "main", "c" * 39, "c" * 41, f"{'c' * 40}\n", "$(id)", "C" * 40])
def test_a_commit_that_is_none_is_refused(commit: str) -> None:
    with pytest.raises(CannotAct, match="no whole commit"):
        read(GITHUB_JOB | {"GITHUB_SHA": commit})


def test_two_hosts_at_once_are_refused() -> None:
    with pytest.raises(CannotAct, match="GITHUB_ACTIONS, GITLAB_CI"):
        read(GITHUB_JOB | GITLAB_JOB)


def test_a_tag_is_no_branch() -> None:
    assert read(GITHUB_JOB | {"GITHUB_REF_TYPE": "tag"}).branch == ""


def test_a_person_acts_for_what_is_checked_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = Project(tmp_path)
    monkeypatch.chdir(project.root)
    assert read({}) == Event(
        host=HERE,
        kind=BY_HAND,
        branch="main",
        commit=project.third,
        pull_request=None,
        untrusted="",
        repository="",
        run_url="",
    )
