"""GitHub: a comment in a pull request, and an issue."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import requests
from github import Auth, Github, GithubException, UnknownObjectException

from ops.errors import OpsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from github.Issue import Issue
    from github.NamedUser import NamedUser
    from github.Organization import Organization

_SECONDS = 20
_BOT = "Bot"


class GitHub:
    """One repository, as the token's owner."""

    def __init__(self, *, repository: str, token: str, url: str) -> None:
        self._name = repository
        self._github = Github(auth=Auth.Token(token), base_url=url, timeout=_SECONDS, retry=None, lazy=True)
        self._repository = self._github.get_repo(repository)

    def comment(self, number: int, marker: str, body: str) -> str:
        """Make the one comment, or write it anew; of several, the first is kept."""
        with self._explained("write a comment", "pull-requests: write"):
            issue = self._repository.get_issue(number)
            for comment in issue.get_comments():
                if (comment.body or "").startswith(marker) and self._is_ours(comment.user):
                    comment.edit(body)
                    return comment.html_url
            return issue.create_comment(body).html_url

    def report(self, title: str, marker: str, body: str) -> str:
        """Open the one issue, or write it anew."""
        with self._explained("write an issue", "issues: write"):
            issue = self._open_issue(marker)
            if issue is None:
                return self._repository.create_issue(title=title, body=body).html_url
            issue.edit(title=title, body=body)
            return issue.html_url

    def resolve(self, marker: str, body: str) -> str | None:
        """Close the issue, if one is open."""
        with self._explained("close an issue", "issues: write"):
            issue = self._open_issue(marker)
            if issue is None:
                return None
            issue.create_comment(body)
            issue.edit(state="closed")
            return issue.html_url

    def _open_issue(self, marker: str) -> Issue | None:
        for issue in self._repository.get_issues(state="open", sort="created", direction="asc"):
            if (issue.body or "").startswith(marker) and not issue.pull_request and self._is_ours(issue.user):
                return issue
        return None

    def _is_ours(self, user: NamedUser | Organization) -> bool:
        """Whether we wrote it: the token of a workflow cannot ask who it is, but all it writes is of a bot."""
        try:
            return bool(user.login == self._github.get_user().login)
        except GithubException:
            return bool(user.type == _BOT)

    @contextmanager
    def _explained(self, what: str, permission: str) -> Iterator[None]:
        try:
            yield
        except UnknownObjectException as error:
            raise OpsError(
                f"GitHub has no repository {self._name}, pull request or issue of that number for this token "
                f"({error.status}), so it could not {what}. Check GITHUB_TOKEN and the repository's name.",
            ) from error
        except GithubException as error:
            said = error.data.get("message", "") if isinstance(error.data, dict) else str(error.data)
            raise OpsError(
                f"GitHub refused to {what} in {self._name} ({error.status}: {said}). The job needs `permissions: "
                f"{permission}`; a token of Jenkins's, the same for this repository.",
            ) from error
        except requests.RequestException as error:
            raise OpsError(f"GitHub does not answer: {type(error).__name__}. Run the job again.") from error
