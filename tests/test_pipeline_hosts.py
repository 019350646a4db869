"""One comment and one issue on each host, told over HTTP to a server that plays the host's own API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ops.errors import CannotAct, OpsError
from ops.pipeline import hosts
from ops.pipeline.event import GITHUB, GITLAB, HERE, JENKINS, PULL_REQUEST, Event
from ops.pipeline.hosts import Host
from ops.pipeline.hosts.github import ACTIONS, GitHub
from ops.pipeline.hosts.gitlab import GitLab
from tests.hosts_server import DEPENDABOT, ME, WORKFLOW, HostsServer, serving

MARKER = "<!-- marker -->"


@pytest.fixture
def server() -> Iterator[HostsServer]:
    with serving() as found:
        yield found


def github(server: HostsServer, repository: str = "o/n") -> Host:
    return GitHub(repository=repository, token="t", url=server.url, unasked=ACTIONS)


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
    server.add_comment(f"{MARKER} another bot's", DEPENDABOT)
    for text in ("first", "second"):
        github(server).comment(7, MARKER, f"{MARKER} {text}")
    bodies = [each["body"].removeprefix(f"{MARKER} ") for each in server.comments]
    assert bodies == ["forged", "another bot's", "second"]


def test_an_apps_token_at_jenkins_knows_a_bots_comment_for_its_own(server: HostsServer) -> None:
    server.knows_me = False
    server.add_comment(f"{MARKER} first", DEPENDABOT)
    GitHub(repository="o/n", token="t", url=server.url).comment(7, MARKER, f"{MARKER} second")
    assert [each["body"] for each in server.comments] == [f"{MARKER} second"]


def test_a_host_that_cannot_say_who_we_are_is_not_taken_for_a_workflows(server: HostsServer) -> None:
    server.knows_me, server.says_of_me = False, 502
    server.add_comment(f"{MARKER} first", WORKFLOW)
    with pytest.raises(OpsError, match="502"):
        github(server).comment(7, MARKER, f"{MARKER} second")
    assert server.comments[0]["body"] == f"{MARKER} first"


@each_host
def test_a_comment_of_nobody_is_left_alone(server: HostsServer, host: Make) -> None:
    server.add_comment(f"{MARKER} of an account that is no more", None)
    host(server).comment(7, MARKER, f"{MARKER} ours")
    assert len(server.comments) == 2


def written(run: int, text: str = "") -> str:
    return f"{MARKER}\n<!-- run {run} -->\n{text}"


@each_host
def test_an_older_run_that_ends_later_leaves_the_newer_ones_comment(
    server: HostsServer, host: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    host(server).comment(7, MARKER, written(9, "of 9"))
    host(server).comment(7, MARKER, written(8, "of 8"))
    assert [each["body"] for each in server.comments] == [written(9, "of 9")]
    assert "a newer run (9) has written the comment" in capsys.readouterr().out
    host(server).comment(7, MARKER, written(9, "of 9, once more"))
    host(server).comment(7, MARKER, written(10, "of 10"))
    assert [each["body"] for each in server.comments] == [written(10, "of 10")]


@each_host
def test_a_number_in_the_words_of_others_makes_no_run_newer(server: HostsServer, host: Make) -> None:
    host(server).comment(7, MARKER, written(8, "```\n<!-- run 99 -->\n```"))
    host(server).comment(7, MARKER, written(9))
    assert [each["body"] for each in server.comments] == [written(9)]


@each_host
@pytest.mark.parametrize("runs", [(8, 9), (9, 8), (9, 9), (0, 0)])
def test_two_runs_that_find_no_comment_leave_one_the_newer_ones(
    server: HostsServer, host: Make, runs: tuple[int, int]
) -> None:
    first, second = (written(run, f"{run}") for run in runs)

    def meanwhile() -> None:
        server.meanwhile = None
        host(server).comment(7, MARKER, second)

    server.meanwhile = meanwhile
    host(server).comment(7, MARKER, first)
    assert [each["body"] for each in server.comments] == [written(max(runs), f"{max(runs)}")]


@each_host
def test_of_two_comments_that_are_there_one_is_left(server: HostsServer, host: Make) -> None:
    for each in (f"{MARKER} old", written(3), written(3)):
        server.add_comment(each, ME)
    server.add_comment(f"{MARKER} forged")
    host(server).comment(7, MARKER, written(5))
    assert [each["body"] for each in server.comments] == [written(5), f"{MARKER} forged"]
    assert server.comments[0]["id"] == 102, "of those of one run the first, so that two jobs keep the same one"


@each_host
def test_a_run_whose_number_nobody_knows_writes_all_the_same(server: HostsServer, host: Make) -> None:
    server.add_comment(written(3), ME)
    host(server).comment(7, MARKER, f"{MARKER}\nby hand")
    assert [each["body"] for each in server.comments] == [f"{MARKER}\nby hand"]


@each_host
def test_a_comment_that_another_job_has_removed_is_no_failure(server: HostsServer, host: Make) -> None:
    for each in (written(3), written(2)):
        server.add_comment(each, ME)
    server.loses = True
    host(server).comment(7, MARKER, written(5))
    assert written(5) in [each["body"] for each in server.comments]


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


@each_host
@pytest.mark.parametrize(
    ("status", "said", "remedy"),
    [
        (403, "Unable to create comment because issue is locked", "conversation is locked: unlock it"),
        (403, "You have exceeded a secondary rate limit", "wait some minutes"),
        (429, "Too many requests", "wait some minutes"),
        (502, "Bad gateway", "a fault of the host's own: run the job again later"),
        (503, "", "a fault of the host's own: run the job again later"),
        (410, "Issues are disabled for this repo", "Issues are switched off"),
        (422, "Validation Failed: body is too long", "a fault of this project's own"),
        (401, "Bad credentials", "wrong, or has expired"),
    ],
)
def test_a_refusal_is_told_with_its_own_remedy(
    server: HostsServer, host: Make, status: int, said: str, remedy: str
) -> None:
    server.refuses, server.says = status, said
    with pytest.raises(OpsError) as raised:
        host(server).comment(7, MARKER, "x")
    assert remedy in str(raised.value)
    needed = "permissions:" in str(raised.value) or "scope api" in str(raised.value)
    assert needed == (status == 401), "a permission is not what is missing"


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
        untrusted="", repository=repository, run_url=""
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


@pytest.mark.parametrize(("host", "left"), [(GITHUB, [DEPENDABOT]), (JENKINS, [])])
def test_only_github_gives_its_jobs_a_token_of_the_workflows_bot(
    server: HostsServer, host: str, left: list[dict[str, Any]]
) -> None:
    server.knows_me = False
    server.add_comment(f"{MARKER} a bot's", DEPENDABOT)
    found = hosts.of(event(host), {"GITHUB_TOKEN": "t", "GITHUB_API_URL": server.url})
    assert found
    found.comment(7, MARKER, f"{MARKER} ours")
    assert [each["author"] for each in server.comments if not each["body"].endswith("ours")] == left


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
