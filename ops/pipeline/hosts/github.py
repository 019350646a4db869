"""GitHub: a comment in a pull request, an issue, and whether an environment asks a person."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import requests
from github import Auth, Github, GithubException, RateLimitExceededException, UnknownObjectException

from ops.errors import OpsError
from ops.pipeline.hosts import own_comments
from ops.pipeline.hosts.refusals import remedy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from github.Issue import Issue
    from github.IssueComment import IssueComment
    from github.NamedUser import NamedUser
    from github.Organization import Organization

_SECONDS = 20
_BOT = "Bot"
_FORBIDDEN = 403
ACTIONS = "github-actions[bot]"
"""Whose token GitHub gives to the jobs of a workflow."""


class GitHub:
    """One repository, as the token's owner; `unasked` is the owner's name where the token cannot ask for it."""

    def __init__(self, *, repository: str, token: str, url: str, unasked: str = "") -> None:
        self._name, self._unasked = repository, unasked
        self._login: str | None = None
        self._github = Github(auth=Auth.Token(token), base_url=url, timeout=_SECONDS, retry=None, lazy=True)
        self._repository = self._github.get_repo(repository)

    def comment(self, number: int, marker: str, body: str) -> str:
        """Make the one comment, or write it anew; of several, the newest run's is kept."""
        with self._explained("write a comment", "pull-requests: write"):
            issue = self._repository.get_issue(number)
            kept = own_comments.write(
                body,
                ours=lambda: (each for each in issue.get_comments() if self._is_own(each.body, each.user, marker)),
                make=issue.create_comment,
                write_anew=lambda comment, text: comment.edit(text),
                remove=_removed,
            )
            return str(kept.html_url)

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

    def asks_a_person(self, environment: str) -> bool:
        """Whether jobs of an environment wait until somebody approves them; those of one that is not there do not."""
        with self._explained("tell the rules of an environment", "actions: read"):
            try:
                rules = self._repository.get_environment(environment).protection_rules or []
            except UnknownObjectException:
                return False
            return any(rule.type == "required_reviewers" and rule.reviewers for rule in rules)

    def _open_issue(self, marker: str) -> Issue | None:
        for issue in self._repository.get_issues(state="open", sort="created", direction="asc"):
            if not issue.pull_request and self._is_own(issue.body, issue.user, marker):
                return issue
        return None

    def _is_own(self, body: str | None, user: NamedUser | Organization | None, marker: str) -> bool:
        """Whether we wrote it: the token of a workflow cannot ask who it is, but all it writes is of one bot."""
        # The author of some is nobody: of an account that is no more.
        if user is None or not (body or "").startswith(marker):
            return False
        login = self._whoami()
        return bool(user.login == login if login else user.type == _BOT)

    def _whoami(self) -> str:
        if self._login is None:
            try:
                self._login = str(self._github.get_user().login)
            except GithubException as error:
                if error.status != _FORBIDDEN or isinstance(error, RateLimitExceededException):
                    raise
                self._login = self._unasked
        return self._login

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
            needed = f"The job needs `permissions: {permission}`; a token of Jenkins's, the same for this repository."
            raise OpsError(
                f"GitHub refused to {what} in {self._name} ({error.status}: {said}). "
                f"{remedy(error.status, said, needed)}",
            ) from error
        except requests.RequestException as error:
            raise OpsError(f"GitHub does not answer: {type(error).__name__}. Run the job again.") from error


def _removed(comment: IssueComment) -> None:
    # Another job may have looked at the same moment.
    with suppress(UnknownObjectException):
        comment.delete()
