"""What must work once a release is live, tried through the load balancer on the running tasks."""

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPException
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from rehearsal import edge_checks
from rehearsal.application import Application, Check
from rehearsal.balancer_client import Answer, BalancerClient
from rehearsal.errors import RehearsalError
from rehearsal.place import Place
from rehearsal.realisers.tools import Tools

REPLACEMENT_SECONDS = 180
LOG_SECONDS = 30
SHOWN_LOG_LINES = 3
OK = 200
FIRST_BAD_STATUS = 500
# What the balancer gives every request, in X-Amzn-Trace-Id behind "Root=".
TRACE = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")


@dataclass(frozen=True, kw_only=True)
class Live:
    """What the update answered: the stack's outputs that the checks need; and what is known of the application."""

    stack: str
    url: str
    release: str
    cluster: str
    service: str
    application: Application = field(default_factory=Application)

    @property
    def users_paths(self) -> list[str]:
        """What users keep asking for: every second time which release answers, so that a change is seen at once."""
        return [path for page in self.application.pages for path in (page, self.application.readiness_path)]

    @classmethod
    def from_outputs(cls, stack: str, outputs: dict[str, Any], application: Application) -> "Live":
        """The outputs of stacks/outputs.py. RehearsalError when the program exports others."""
        missing = {"url", "release", "cluster_name", "service_name"} - outputs.keys()
        if missing:
            raise RehearsalError(
                f"The program does not export {', '.join(sorted(missing))}.",
                remedy="Export what stacks/outputs.py describes: the rehearsal and operator commands read it.",
            )
        return cls(
            stack=stack,
            url=outputs["url"],
            release=outputs["release"],
            cluster=outputs["cluster_name"],
            service=outputs["service_name"],
            application=application,
        )


class CheckError(RehearsalError):
    """A check did not find what it must."""


def checks(tools: Tools, live: Live) -> dict[str, Callable[[], None]]:
    """The checks by name, in the order they are run: those of every application, then this one's own."""
    site = _Site(tools=tools, live=live)
    return {
        "page_answers": lambda: page_answers(tools.place, live),
        "readyz_release": lambda: readyz_release(tools.place, live),
        "request_id_in_logs": lambda: request_id_in_logs(tools, live),
        **(_https_checks(tools, live) if live.url.startswith("https:") else {}),
        **{name: partial(_own, check, site) for name, check in live.application.checks.items()},
    }


def _https_checks(tools: Tools, live: Live) -> dict[str, Callable[[], None]]:
    return {
        "http_redirects": lambda: edge_checks.http_redirects(tools.place, live.url),
        "domain_leads_to_balancer": lambda: edge_checks.domain_leads_to_balancer(tools, live.url),
    }


def _own(check: Check, site: "_Site") -> None:
    """A check of the application's own: whatever it raises is what it found."""
    try:
        check(site)
    except Exception as error:
        raise CheckError(str(error) or type(error).__name__) from error


@dataclass(kw_only=True)
class _Site:
    """What the application's own checks are given."""

    tools: Tools
    live: Live

    @property
    def url(self) -> str:
        return self.live.url

    def user(self) -> BalancerClient:
        return BalancerClient(place=self.tools.place, url=self.live.url)

    def replace_tasks(self) -> None:
        _replace_tasks(self.tools, self.live)


def run(all_checks: dict[str, Callable[[], None]], doing: Callable[[str], None]) -> dict[str, str]:
    """Run every check; maps its name to `ok`, or to what it found."""
    found = {}
    for name, check in all_checks.items():
        doing(name)
        try:
            check()
            found[name] = "ok"
        except (RehearsalError, OSError, HTTPException, ValueError, BotoCoreError, ClientError) as error:
            found[name] = str(error) or type(error).__name__
    return found


def application_log(tools: Tools, live: Live) -> list[str]:
    """The web tasks' log lines so far, oldest first; kept as application.log in the scratch directory."""
    pages = tools.client("logs").get_paginator("filter_log_events").paginate(logGroupName=f"/pactum/{live.stack}/web")
    lines = [event["message"] for page in pages for event in page["events"]]
    (tools.place.scratch / "application.log").write_text("\n".join([*lines, ""]), encoding="utf-8")
    return lines


def last_errors(lines: list[str]) -> list[str]:
    """The last few lines that are errors; of a log without any, the last few."""
    errors = [line for line in lines if '"level": "ERROR"' in line or '"level": "CRITICAL"' in line]
    return (errors or lines)[-SHOWN_LOG_LINES:]


def _expect(answer: Answer, status: int, what: str) -> Answer:
    if answer.status != status:
        raise CheckError(f"{what} answered {answer.status} instead of {status}: {' '.join(answer.body.split())[:200]}")
    return answer


def page_answers(place: Place, live: Live) -> None:
    """The first of the application's pages is answered, whatever is said to somebody who has not logged in."""
    _page(place, live)


def _page(place: Place, live: Live) -> Answer:
    path = live.application.pages[0]
    answer = BalancerClient(place=place, url=live.url).get(path)
    if answer.status >= FIRST_BAD_STATUS:
        raise CheckError(f"{path} answered {answer.status}: {' '.join(answer.body.split())[:200]}")
    return answer


def readyz_release(place: Place, live: Live) -> None:
    path = live.application.readiness_path
    answer = _expect(BalancerClient(place=place, url=live.url).get(path), OK, path)
    release = json.loads(answer.body).get("release")
    if release != live.release:
        raise CheckError(f"{path} answers release {release}, deployed was {live.release}")


def request_id_in_logs(tools: Tools, live: Live) -> None:
    """The id a user's answer carries is found again in CloudWatch Logs, in the line of that very request."""
    request_id = _page(tools.place, live).headers.get("x-request-id", "")
    if not request_id:
        raise CheckError("the answer carries no X-Request-ID")
    if not TRACE.fullmatch(request_id):
        raise CheckError(f"X-Request-ID is {request_id}, which is not the balancer's: no X-Amzn-Trace-Id has come")
    group = f"/pactum/{live.stack}/web"
    deadline = time.monotonic() + LOG_SECONDS
    while time.monotonic() < deadline:
        events = tools.client("logs").filter_log_events(logGroupName=group, filterPattern=f'"{request_id}"')["events"]
        if any(json.loads(event["message"]).get("request_id") == request_id for event in events):
            return
        time.sleep(0.5)
    raise CheckError(f"request id {request_id} is not in log group {group} after {LOG_SECONDS} s")


def _replace_tasks(tools: Tools, live: Live) -> None:
    ecs = tools.client("ecs")
    before = ecs.list_tasks(cluster=live.cluster, serviceName=live.service, desiredStatus="RUNNING")["taskArns"]
    if not before:
        raise CheckError(f"service {live.service} runs no task")
    for task in before:
        ecs.stop_task(cluster=live.cluster, task=task, reason="rehearsal: is what was stored still there afterwards?")
    deadline = time.monotonic() + REPLACEMENT_SECONDS
    while time.monotonic() < deadline:
        now = ecs.list_tasks(cluster=live.cluster, serviceName=live.service, desiredStatus="RUNNING")["taskArns"]
        if len(now) >= len(before) and not set(now) & set(before) and _answers(tools.place, live):
            return
        time.sleep(0.5)
    raise CheckError(f"{len(before)} stopped tasks were not replaced within {REPLACEMENT_SECONDS} s")


def _answers(place: Place, live: Live) -> bool:
    try:
        return BalancerClient(place=place, url=live.url).get(live.application.readiness_path).status == OK
    except (OSError, HTTPException):
        return False
