"""GitHub's and GitLab's REST APIs, as far as a pipeline uses them, on this machine: both libraries really ask it."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from unittest import mock
from urllib.parse import unquote, urlsplit

from github.Requester import Requester

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ME, OTHER = {"login": "me", "type": "Bot", "id": 1}, {"login": "ana", "type": "User", "id": 2}
WORKFLOW, DEPENDABOT = ({"login": f"{name}[bot]", "type": "Bot", "id": 3} for name in ("github-actions", "dependabot"))
REVIEWED = {"id": 1, "type": "required_reviewers", "reviewers": [{"type": "User", "reviewer": OTHER}]}


@dataclass
class HostsServer:
    """What is written there. `refuses`: what any write is answered with; `knows_me`: whether /user tells who asks."""

    url: str = ""
    comments: list[dict[str, Any]] = field(default_factory=list)
    issues: list[dict[str, Any]] = field(default_factory=list)
    refuses: int = 0
    says: str = "Resource not accessible"
    knows_me: bool = True
    says_of_me: int = 403
    loses: bool = False
    """Whether somebody else has removed what is to be removed."""
    meanwhile: Callable[[], None] | None = None
    """What happens just before a comment is made."""
    asked: list[str] = field(default_factory=list)
    environments: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {"prod": [REVIEWED]})
    """GitHub's, with the rules of each."""
    refuses_environments: int = 0

    @property
    def asking(self) -> dict[str, Any]:
        """Who we are there."""
        return ME if self.knows_me else WORKFLOW

    def add_comment(self, body: str, author: dict[str, Any] | None = OTHER) -> dict[str, Any]:
        return self._add(self.comments, body=body, author=author)

    def add_issue(self, body: str, author: dict[str, Any] = OTHER, **more: Any) -> dict[str, Any]:
        return self._add(self.issues, body=body, author=author, state="open", title="", comments=[], **more)

    def _add(self, to: list[dict[str, Any]], **made: Any) -> dict[str, Any]:
        made["id"] = (to[-1]["id"] if to else 100) + 1
        to.append(made)
        return made

    def answer(self, method: str, path: str, sent: dict[str, Any]) -> tuple[int, Any]:
        self.asked.append(f"{method} {path}")
        if method == "POST" and self.meanwhile:
            self.meanwhile()
        if method != "GET" and self.refuses:
            return self.refuses, {"message": self.says}
        if path.endswith("/user"):
            told = (200, {**ME, "username": "me", "web_url": ""})
            return told if self.knows_me else (self.says_of_me, {"message": "no"})
        words = path.split("/")
        if "api" in words:
            return self._gitlab(method, words, sent)
        return self._github(method, words, sent)

    def _github(self, method: str, words: list[str], sent: dict[str, Any]) -> tuple[int, Any]:  # noqa: C901, PLR0911, PLR0912 - a table
        if "missing" in words:
            return 404, {"message": "Not Found"}
        match (method, words[4:]):
            case "GET", ["issues", "7"]:
                return 200, {"number": 7, "url": f"{self.url}/repos/o/n/issues/7", "html_url": "h", "body": ""}
            case "GET", ["issues", "7", "comments"]:
                return 200, [self._github_comment(each) for each in self.comments]
            case "POST", ["issues", "7", "comments"]:
                return 201, self._github_comment(self.add_comment(sent["body"], self.asking))
            case "PATCH", ["issues", "comments", number]:
                found = _of(self.comments, number)
                found["body"] = sent["body"]
                return 200, self._github_comment(found)
            case "DELETE", ["issues", "comments", number]:
                return self._deleted(number)
            case "GET", ["environments", _] if self.refuses_environments:
                return self.refuses_environments, {"message": "Resource not accessible"}
            case "GET", ["environments", name] if name in self.environments:
                return 200, {"id": 1, "name": name, "protection_rules": self.environments[name]}
            case "GET", ["issues"]:
                return 200, [self._github_issue(each) for each in self.issues if each["state"] == "open"]
            case "POST", ["issues"]:
                made = self.add_issue(sent["body"], ME)
                made["title"] = sent["title"]
                return 201, self._github_issue(made)
            case "GET", ["issues", number]:
                return 200, self._github_issue(_of(self.issues, number))
            case "PATCH", ["issues", number]:
                _of(self.issues, number).update(sent)
                return 200, self._github_issue(_of(self.issues, number))
            case "POST", ["issues", number, "comments"]:
                _of(self.issues, number)["comments"].append(sent["body"])
                return 201, self._github_comment({"id": 1, "body": sent["body"], "author": ME})
        return 404, {"message": "Not Found"}

    def _deleted(self, number: str) -> tuple[int, Any]:
        found = [each for each in self.comments if str(each["id"]) == number]
        self.comments[:] = [each for each in self.comments if each not in found]
        return (204, "") if found and not self.loses else (404, {"message": "Not Found"})

    def _github_comment(self, comment: dict[str, Any]) -> dict[str, Any]:
        number = comment["id"]
        place = {"url": f"{self.url}/repos/o/n/issues/comments/{number}", "html_url": f"https://h/c{number}"}
        return {"id": number, "body": comment["body"], "user": comment["author"], **place}

    def _github_issue(self, issue: dict[str, Any]) -> dict[str, Any]:
        number = issue["id"]
        pull = {"pull_request": {"url": "x"}} if issue.get("pull") else {}
        place = {"url": f"{self.url}/repos/o/n/issues/{number}", "html_url": f"https://h/i{number}", "number": number}
        return {**{key: issue[key] for key in ("title", "body", "state")}, "user": issue["author"], **place, **pull}

    def _gitlab(self, method: str, words: list[str], sent: dict[str, Any]) -> tuple[int, Any]:  # noqa: PLR0911 - a table
        match (method, words[5:]):
            case "GET", ["merge_requests", "7"]:
                return 200, {"iid": 7, "id": 70, "web_url": "https://g/mr7", "project_id": 3}
            case "GET", ["merge_requests", "7", "notes"]:
                return 200, self.comments
            case "POST", ["merge_requests", "7", "notes"]:
                return 201, self.add_comment(sent["body"], self.asking)
            case "PUT", ["merge_requests", "7", "notes", number]:
                found = _of(self.comments, number)
                found["body"] = sent["body"]
                return 200, found
            case "DELETE", ["merge_requests", "7", "notes", number]:
                return self._deleted(number)
            case "GET", ["issues"]:
                return 200, [_gitlab_issue(each) for each in self.issues if each["state"] == "open"]
            case "POST", ["issues"]:
                made = self.add_issue(sent["description"], ME)
                made["title"] = sent["title"]
                return 201, _gitlab_issue(made)
            case "PUT", ["issues", number]:
                found = _of(self.issues, number)
                found["state"] = "closed" if sent.get("state_event") == "close" else found["state"]
                found["title"] = sent.get("title", found["title"])
                found["body"] = sent.get("description", found["body"])
                return 200, _gitlab_issue(found)
            case "POST", ["issues", number, "notes"]:
                _of(self.issues, number)["comments"].append(sent["body"])
                return 201, {"id": 1, "body": sent["body"]}
        return 404, {"message": "404 Not Found"}


def _gitlab_issue(issue: dict[str, Any]) -> dict[str, Any]:
    number = issue["id"]
    about = {"iid": number, "id": number, "web_url": f"https://g/i{number}", "project_id": 3}
    return {**about, "title": issue["title"], "description": issue["body"], "author": issue["author"]}


def _of(things: list[dict[str, Any]], number: str) -> dict[str, Any]:
    return next(each for each in things if str(each["id"]) == number)


@contextmanager
def serving() -> Iterator[HostsServer]:
    """Answer on a port of this machine's own."""
    hosts = HostsServer()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            sent = json.loads(self.rfile.read(length) or b"{}")
            path = urlsplit(self.path).path.replace("%2F", "~")
            status, answer = hosts.answer(self.command, unquote(path), sent)
            body = b"" if status == HTTPStatus.NO_CONTENT else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            # GitLab's library waits for as long as it is told.
            self.send_header("Retry-After", "0")
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = answer  # noqa: N815 - the names of HTTP's methods

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hosts.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        # GitHub's library waits between requests, for GitHub's sake: up to a second.
        with mock.patch.object(Requester, "_Requester__deferRequest"):
            yield hosts
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
