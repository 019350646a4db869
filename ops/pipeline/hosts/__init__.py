"""The hosts of pull requests: where a pipeline tells people something."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ops.errors import CannotAct
from ops.pipeline.event import GITHUB, GITLAB, JENKINS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ops.pipeline.event import Event
    from ops.pipeline.hosts.github import GitHub


class Host(Protocol):
    """What a pipeline says where people look. Each answers the address of what it wrote."""

    def comment(self, number: int, marker: str, body: str) -> str:
        """Make the one comment with the marker in a pull request, or write it anew; a newer run's stays."""
        ...

    def report(self, title: str, marker: str, body: str) -> str:
        """Open the one issue with the marker, or write it anew."""
        ...

    def resolve(self, marker: str, body: str) -> str | None:
        """Close the issue with the marker, with a comment; None when none is open."""
        ...


def of(event: Event, environment: Mapping[str, str]) -> Host | None:
    """Return where this event's people look; None where a person runs the stage.

    Raises:
        CannotAct: the host is known, but not who we are there.

    """
    if event.host == GITHUB or (event.host == JENKINS and environment.get("GITHUB_TOKEN")):
        return on_github(event, environment)
    if event.host == GITLAB or (event.host == JENKINS and environment.get("GITLAB_TOKEN")):
        from ops.pipeline.hosts.gitlab import GitLab  # noqa: PLC0415 - as below

        return GitLab(
            repository=_repository(event),
            token=_token("GITLAB_TOKEN", environment),
            url=environment.get("CI_SERVER_URL") or environment.get("GITLAB_URL") or "https://gitlab.com",
        )
    if event.host == JENKINS:
        raise CannotAct(
            "Jenkins has neither GITHUB_TOKEN nor GITLAB_TOKEN for this job, so nobody can be told in the pull "
            "request. Give it the credential of its repository's host under that name (docs/pipelines.md).",
        )
    return None


def on_github(event: Event, environment: Mapping[str, str]) -> GitHub:
    """Return the event's repository, which is at GitHub.

    Raises:
        CannotAct: who we are there is not known.

    """
    from ops.pipeline.hosts.github import ACTIONS, GitHub  # noqa: PLC0415 - a person's machine need not have the library

    return GitHub(
        repository=_repository(event),
        token=_token("GITHUB_TOKEN", environment),
        url=environment.get("GITHUB_API_URL") or "https://api.github.com",
        unasked=ACTIONS if event.host == GITHUB else "",
    )


def _token(name: str, environment: Mapping[str, str]) -> str:
    if environment.get(name):
        return environment[name]
    remedy = {
        "GITHUB_TOKEN": "Give the step `env: GITHUB_TOKEN: ${{ github.token }}`.",
        "GITLAB_TOKEN": "Make a project access token (role Reporter, scope api) and a masked variable of that name; "
        "the job's own token cannot write comments.",
    }
    raise CannotAct(f"{name} is not set, so the host knows nobody here. {remedy[name]}")


def _repository(event: Event) -> str:
    if event.repository:
        return event.repository
    raise CannotAct(
        f"{event.host} does not say which repository this is (GIT_URL), so its host cannot be asked or told anything."
    )
