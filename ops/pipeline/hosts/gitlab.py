"""GitLab: a note in a merge request, and an issue."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import gitlab
import requests

from ops.errors import OpsError
from ops.pipeline.hosts import own_comments
from ops.pipeline.hosts.refusals import remedy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SECONDS = 20
_GONE = 404


class GitLab:
    """One project, as the token's owner."""

    def __init__(self, *, repository: str, token: str, url: str) -> None:
        self._name, self._url = repository, url
        self._gitlab = gitlab.Gitlab(url, private_token=token, timeout=_SECONDS, retry_transient_errors=False)
        self._project = self._gitlab.projects.get(repository, lazy=True)
        self._own_id = 0

    def comment(self, number: int, marker: str, body: str) -> str:
        """Make the one note, or write it anew; of several, the newest run's is kept."""
        with self._explained("write a note"):
            request = self._project.mergerequests.get(number)
            notes = request.notes
            kept = own_comments.write(
                body,
                ours=lambda: (
                    each
                    for each in notes.list(iterator=True, order_by="created_at", sort="asc")
                    if str(each.body).startswith(marker) and self._is_ours(each.author)
                ),
                make=lambda text: notes.create({"body": text}),
                write_anew=_written_anew,
                remove=_removed,
            )
            return f"{request.web_url}#note_{kept.id}"

    def report(self, title: str, marker: str, body: str) -> str:
        """Open the one issue, or write it anew."""
        with self._explained("write an issue"):
            issue = self._open_issue(marker)
            if issue is None:
                return str(self._project.issues.create({"title": title, "description": body}).web_url)
            issue.title, issue.description = title, body
            issue.save()
            return str(issue.web_url)

    def resolve(self, marker: str, body: str) -> str | None:
        """Close the issue, if one is open."""
        with self._explained("close an issue"):
            issue = self._open_issue(marker)
            if issue is None:
                return None
            issue.notes.create({"body": body})
            issue.state_event = "close"
            issue.save()
            return str(issue.web_url)

    def _open_issue(self, marker: str) -> Any:  # noqa: ANN401 - python-gitlab's objects have any attribute
        for issue in self._project.issues.list(iterator=True, state="opened", order_by="created_at", sort="asc"):
            if str(issue.description).startswith(marker) and self._is_ours(issue.author):
                return issue
        return None

    def _is_ours(self, author: Mapping[str, Any] | None) -> bool:
        if not self._own_id:
            self._gitlab.auth()
            self._own_id = int(self._gitlab.user.id) if self._gitlab.user else 0
        return bool(author and author.get("id") == self._own_id)

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        try:
            yield
        except gitlab.GitlabError as error:
            said = str(error.error_message)
            needed = "GITLAB_TOKEN must be a project access token with the role Reporter and the scope api."
            raise OpsError(
                f"GitLab refused to {what} in {self._name} ({error.response_code}: {said}). "
                f"{remedy(error.response_code, said, needed)}",
            ) from error
        except requests.RequestException as error:
            raise OpsError(
                f"GitLab at {self._url} does not answer: {type(error).__name__}. Run the job again."
            ) from error


def _written_anew(note: Any, body: str) -> None:  # noqa: ANN401 - as above
    note.body = body
    note.save()


def _removed(note: Any) -> None:  # noqa: ANN401 - as above
    try:
        note.delete()
    except gitlab.GitlabDeleteError as error:
        # Another job may have looked at the same moment.
        if error.response_code != _GONE:
            raise
