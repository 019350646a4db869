"""What made a pipeline run, read from its host's own variables: the only reader of them.

Whatever stands in these variables was written by whoever pushed: names of branches are data, for no shell to read.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ops.errors import CannotAct
from ops.pipeline.checkout import Checkout

if TYPE_CHECKING:
    from collections.abc import Mapping

GITHUB, GITLAB, JENKINS = "github", "gitlab", "jenkins"
HERE = "this machine"
"""No host: a person runs a stage."""
PULL_REQUEST, PUSH, SCHEDULE, BY_HAND = "pull request", "push", "schedule", "by hand"
# What says which host it is; each sets its own in every job.
_MARKS = {"GITHUB_ACTIONS": GITHUB, "GITLAB_CI": GITLAB, "JENKINS_URL": JENKINS}
# Jenkins tells no job why it runs, unless the Jenkinsfile does by this.
EVENT_VARIABLE = "PIPELINE_EVENT"
_JENKINS_EVENTS = {"": PUSH, "push": PUSH, "schedule": SCHEDULE, "manual": BY_HAND}
_GITHUB_EVENTS = {
    "pull_request": PULL_REQUEST,
    "push": PUSH,
    "schedule": SCHEDULE,
    "workflow_dispatch": BY_HAND,
}
_GITLAB_EVENTS = {
    "merge_request_event": PULL_REQUEST,
    "push": PUSH,
    "schedule": SCHEDULE,
    **dict.fromkeys(("web", "api", "trigger", "pipeline", "chat"), BY_HAND),
}
_FORK = "comes from a fork"
# Its branches are in the repository itself, and hold what somebody else has just released.
_DEPENDABOT = "dependabot[bot]"
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class Event:
    """Why a pipeline runs, and about what."""

    host: str
    """GITHUB, GITLAB, JENKINS, or HERE."""
    kind: str
    """PULL_REQUEST, PUSH, SCHEDULE or BY_HAND."""
    branch: str
    """The branch that was pushed, of a pull request the one it comes from; empty for a tag or a detached checkout."""
    commit: str
    """What is checked out, and built: of a pull request on GitHub its merge with the branch it goes to."""
    pull_request: int | None
    """Its number, by which the host finds it."""
    untrusted: str
    """Why there are no credentials for it, as `comes from a fork`; empty where there are."""
    repository: str
    """The one the pull request goes to: OWNER/NAME, or GROUP/.../NAME; empty where Jenkins does not say."""
    run_url: str
    """Where the run's log is; empty where nobody says."""
    head: str = ""
    """What the author pushed, where that is not `commit`."""
    run: int = 0
    """The number of the run, higher than those of all that began before it; 0 where the host does not say."""

    @property
    def authors_commit(self) -> str:
        """The commit that the author knows."""
        return self.head or self.commit


def is_on_a_host(environment: Mapping[str, str]) -> bool:
    """Whether a pipeline runs this, and not a person."""
    return any(environment.get(mark) for mark in _MARKS)


def read(environment: Mapping[str, str]) -> Event:
    """Return what made this pipeline run.

    Raises:
        CannotAct: the host's variables are not there, contradict each other, or are of an event that has no stages.

    """
    hosts = [host for mark, host in _MARKS.items() if environment.get(mark)]
    if len(hosts) > 1:
        raise CannotAct(
            f"the environment is of several pipelines' hosts at once: {', '.join(hosts)}. Unset what does not belong "
            f"here: {', '.join(mark for mark in _MARKS if environment.get(mark))}.",
        )
    if not hosts:
        return _here()
    readers = {GITHUB: _github, GITLAB: _gitlab, JENKINS: _jenkins}
    event = readers[hosts[0]](environment)
    if not _COMMIT.fullmatch(event.commit):
        raise CannotAct(
            f"{event.host} says that this runs for commit {event.commit!r}, which is no whole commit: 40 (or 64) "
            "hexadecimal digits. Nothing was done; run the job from a checkout of one.",
        )
    return event


def _here() -> Event:
    checkout = Checkout(Path.cwd())
    return Event(
        host=HERE,
        kind=BY_HAND,
        branch=checkout.branch(),
        commit=checkout.head(),
        pull_request=None,
        untrusted="",
        repository="",
        run_url="",
    )


def _github(environment: Mapping[str, str]) -> Event:
    kind = _kind(GITHUB, environment.get("GITHUB_EVENT_NAME", ""), _GITHUB_EVENTS)
    repository, server = environment.get("GITHUB_REPOSITORY", ""), environment.get("GITHUB_SERVER_URL", "")
    run = environment.get("GITHUB_RUN_ID", "")
    pull = _github_pull_request(environment) if kind == PULL_REQUEST else {}
    head = pull.get("head") or {}
    # The head's repository is null once the fork was deleted.
    source = (head.get("repo") or {}).get("full_name", "")
    on_branch = environment.get("GITHUB_REF_TYPE") == "branch"
    return Event(
        host=GITHUB,
        kind=kind,
        branch=head.get("ref", "") if pull else environment.get("GITHUB_REF_NAME", "") if on_branch else "",
        commit=environment.get("GITHUB_SHA", ""),
        pull_request=_number(GITHUB, pull.get("number")) if pull else None,
        untrusted=_distrust(pull, source, repository) if pull else "",
        repository=repository,
        run_url=f"{server}/{repository}/actions/runs/{run}" if server and repository and run else "",
        head=head.get("sha", ""),
        run=_run(run),
    )


def _github_pull_request(environment: Mapping[str, str]) -> dict[str, Any]:
    """GitHub's variables name neither the number nor where a pull request comes from: the event's file does."""
    path = environment.get("GITHUB_EVENT_PATH", "")
    try:
        found = json.loads(Path(path).read_text())["pull_request"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CannotAct(
            f"the file of GitHub's event (GITHUB_EVENT_PATH={path!r}) does not tell of a pull request: {error!r}. "
            "Nothing was done. GitHub writes it for every job: do not change that variable.",
        ) from error
    if not isinstance(found, dict):
        raise CannotAct(f"the file of GitHub's event ({path}) holds no object `pull_request`. Nothing was done.")
    return found


def _distrust(pull: Mapping[str, Any], source: str, repository: str) -> str:
    if source.lower() != repository.lower():
        return _FORK
    if (pull.get("user") or {}).get("login") == _DEPENDABOT:
        return "is Dependabot's, and brings versions that nobody here has read"
    return ""


def _gitlab(environment: Mapping[str, str]) -> Event:
    kind = _kind(GITLAB, environment.get("CI_PIPELINE_SOURCE", ""), _GITLAB_EVENTS)
    merging = kind == PULL_REQUEST
    target = environment.get("CI_MERGE_REQUEST_PROJECT_PATH", "")
    # A fork's own pipeline for its merge request is in the fork's project, and not in the one it goes to.
    places = {environment.get(name, "") for name in ("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH", "CI_PROJECT_PATH")}
    branch = "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME" if merging else "CI_COMMIT_BRANCH"
    return Event(
        host=GITLAB,
        kind=kind,
        branch=environment.get(branch, ""),
        commit=environment.get("CI_COMMIT_SHA", ""),
        pull_request=_number(GITLAB, environment.get("CI_MERGE_REQUEST_IID")) if merging else None,
        untrusted=_FORK if merging and places != {target} else "",
        repository=target if merging else environment.get("CI_PROJECT_PATH", ""),
        run_url=environment.get("CI_PIPELINE_URL", ""),
        head=environment.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "") if merging else "",
        run=_run(environment.get("CI_PIPELINE_ID", "")),
    )


def _jenkins(environment: Mapping[str, str]) -> Event:
    change = environment.get("CHANGE_ID", "")
    kind = PULL_REQUEST if change else _kind(JENKINS, environment.get(EVENT_VARIABLE, ""), _JENKINS_EVENTS)
    return Event(
        host=JENKINS,
        kind=kind,
        branch=environment.get("CHANGE_BRANCH" if change else "BRANCH_NAME", ""),
        commit=environment.get("GIT_COMMIT", ""),
        pull_request=_number(JENKINS, change) if change else None,
        untrusted=_FORK if change and environment.get("CHANGE_FORK") else "",
        repository=_repository(environment.get("GIT_URL", "")),
        run_url=environment.get("BUILD_URL", ""),
        run=_run(environment.get("BUILD_NUMBER", "")),
    )


def _kind(host: str, named: str, kinds: Mapping[str, str]) -> str:
    if named in kinds:
        return kinds[named]
    raise CannotAct(
        f"{host} runs this for the event {named!r}, for which there are no stages. Nothing was done. "
        f"There are stages for {', '.join(repr(name) for name in kinds if name)}: see the workflow's triggers.",
    )


def _run(number: str) -> int:
    return int(number) if number.isascii() and number.isdigit() else 0


def _number(host: str, found: object) -> int:
    text = str(found)
    if text.isascii() and text.isdigit():
        return int(text)
    raise CannotAct(f"{host} says that the pull request's number is {found!r}, which is none. Nothing was done.")


def _repository(url: str) -> str:
    """Return OWNER/NAME of a repository's address, by https or ssh; empty when it is neither."""
    found = re.fullmatch(r"(?:https?://[^/]+/|ssh://[^/]+/|[^@/:]+@[^:/]+:)([^?#]+?)(?:\.git)?/?", url)
    return found[1] if found else ""
