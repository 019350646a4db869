"""One comment and one issue on each host, told over HTTP to a server that plays the host's own API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ops.errors import CannotAct, OpsError
from ops.pipeline import hosts
from ops.pipeline.event import GITHUB, GITLAB, HERE, JENKINS, PULL_REQUEST, Event
from ops.pipeline.hosts import Host
from ops.pipeline.hosts.github import GitHub
from ops.pipeline.hosts.gitlab import GitLab
from tests.hosts_server import ME, HostsServer, serving

MARKER = "<!-- marker -->"


@pytest.fixture
def server() -> Iterator[HostsServer]:
    with serving() as found:
        yield found


def github(server: HostsServer, repository: str = "o/n") -> Host:
    return GitHub(repository=repository, token="t", url=server.url)


def gitlab(server: HostsServer, repository: str = "group/n") -> Host:
    return GitLab(repository=repository, token="t", url=server.url)


each_host = pytest.mark.parametrize("host", [github, gitlab])
Make = Callable[[HostsServer], Host]


@each_host
def test_a_comment_is_made_once_and_written_anew(server: HostsServer, host: Make) -> None:
    server.add_comment("something else")
    host(server).comment(7, MARKER, f"{MARKER} first")
    where = host(server).comment(7, MARKER, f"{MARKER} second")
    assert [each["body"] for each in server.comments] == ["something else", f"{MARKER} second"]
    assert "102" in where, "people are told where it is"


@each_host
def test_a_comment_with_the_marker_by_somebody_else_is_left_alone(server: HostsServer, host: Make) -> None:
    server.add_comment(f"{MARKER} forged")
    server.add_comment(f"> {MARKER} quoted", ME)
    host(server).comment(7, MARKER, f"{MARKER} ours")
    assert server.comments[0]["body"] == f"{MARKER} forged"
    assert len(server.comments) == 3


def test_a_workflows_token_that_cannot_ask_who_it_is_knows_its_own_comment(server: HostsServer) -> None:
    server.knows_me = False
    server.add_comment(f"{MARKER} forged")
    for text in ("first", "second"):
        github(server).comment(7, MARKER, f"{MARKER} {text}")
    assert [each["body"] for each in server.comments] == [f"{MARKER} forged", f"{MARKER} second"]


@each_host
def test_an_issue_is_opened_once_written_anew_and_closed(server: HostsServer, host: Make) -> None:
    server.add_issue(f"{MARKER} forged")
    host(server).report("Title", MARKER, f"{MARKER} first")
    host(server).report("Title 2", MARKER, f"{MARKER} second")
    _, ours = server.issues
    assert (ours["title"], ours["body"], ours["state"]) == ("Title 2", f"{MARKER} second", "open")
    assert host(server).resolve(MARKER, "all is well")
    assert (ours["state"], ours["comments"]) == ("closed", ["all is well"])
    assert server.issues[0]["state"] == "open", "the other one is somebody else's"
    assert host(server).resolve(MARKER, "again") is None
    host(server).report("Title", MARKER, f"{MARKER} third")
    assert len(server.issues) == 3, "one that was closed stays closed: what it told is over"


def test_a_pull_request_is_no_issue(server: HostsServer) -> None:
    server.add_issue(f"{MARKER} a pull request's text", ME, pull=True)
    assert github(server).resolve(MARKER, "x") is None


@each_host
def test_a_missing_permission_is_told_with_its_remedy(server: HostsServer, host: Make) -> None:
    server.refuses = 403
    with pytest.raises(OpsError, match=r"403.*(permissions: pull-requests: write|the scope api)"):
        host(server).comment(7, MARKER, "x")
    with pytest.raises(OpsError, match=r"403.*(permissions: issues: write|the scope api)"):
        host(server).report("T", MARKER, "x")


def test_a_repository_that_is_not_there_is_told(server: HostsServer) -> None:
    with pytest.raises(OpsError, match="has no repository o/missing"):
        github(server, "o/missing").comment(7, MARKER, "x")
    with pytest.raises(OpsError, match="404"):
        gitlab(server).comment(8, MARKER, "x")


@pytest.mark.parametrize("made", [GitHub, GitLab])
def test_a_host_that_does_not_answer_is_told(made: Any) -> None:
    host = made(repository="o/n", token="t", url="http://127.0.0.1:9")
    with pytest.raises(OpsError, match="does not answer"):
        host.comment(7, MARKER, "x")


def event(host: str, repository: str = "o/n") -> Event:
    return Event(
        host=host, kind=PULL_REQUEST, branch="b", commit="", pull_request=7,
        fork=False, repository=repository, run_url=""
    )  # fmt: skip


@pytest.mark.parametrize(
    ("host", "environment", "kind"),
    [
        (GITHUB, {"GITHUB_TOKEN": "t"}, GitHub),
        (GITLAB, {"GITLAB_TOKEN": "t"}, GitLab),
        (JENKINS, {"GITHUB_TOKEN": "t"}, GitHub),
        (JENKINS, {"GITLAB_TOKEN": "t"}, GitLab),
    ],
)
def test_each_pipeline_tells_the_host_of_its_repository(host: str, environment: dict[str, str], kind: type) -> None:
    assert isinstance(hosts.of(event(host), environment), kind)


@pytest.mark.parametrize(
    ("host", "said"), [(GITHUB, "GITHUB_TOKEN is not set"), (GITLAB, "GITLAB_TOKEN is not set"), (JENKINS, "neither")]
)
def test_without_a_token_nobody_is_told_and_the_stage_says_why(host: str, said: str) -> None:
    with pytest.raises(CannotAct, match=said):
        hosts.of(event(host), {})


def test_without_a_repository_nobody_is_told() -> None:
    with pytest.raises(CannotAct, match="which repository"):
        hosts.of(event(JENKINS, repository=""), {"GITHUB_TOKEN": "t"})


def test_a_persons_run_tells_no_host() -> None:
    assert hosts.of(event(HERE), {"GITHUB_TOKEN": "t"}) is None
