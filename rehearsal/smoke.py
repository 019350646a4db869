"""What must work once a release is live, tried through the load balancer on the running tasks."""

import json
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode

from botocore.exceptions import BotoCoreError, ClientError

from rehearsal.balancer_client import Answer, BalancerClient
from rehearsal.errors import RehearsalError
from rehearsal.place import Place
from rehearsal.realisers.tools import Tools

REPLACEMENT_SECONDS = 180
LOG_SECONDS = 30
SHOWN_LOG_LINES = 3
OK = 200
FOUND = 302


@dataclass(frozen=True, kw_only=True)
class Live:
    """What the update answered: the stack's outputs that the checks need."""

    stack: str
    url: str
    release: str
    cluster: str
    service: str

    @classmethod
    def from_outputs(cls, stack: str, outputs: dict[str, Any]) -> "Live":
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
        )


class CheckError(RehearsalError):
    """A check did not find what it must."""


def checks(tools: Tools, live: Live) -> dict[str, Callable[[], None]]:
    """The checks by name, in the order they are run."""
    return {
        "home_page": lambda: home_page(tools.place, live),
        "readyz_release": lambda: readyz_release(tools.place, live),
        "request_id_in_logs": lambda: request_id_in_logs(tools, live),
        "agreement_survives_its_task": lambda: agreement_survives_its_task(tools, live),
    }


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


def home_page(place: Place, live: Live) -> None:
    answer = _expect(BalancerClient(place=place, url=live.url).get("/"), OK, "the home page")
    if "<html" not in answer.body.lower():
        raise CheckError(f"the home page is not HTML: {answer.body[:200]}")


def readyz_release(place: Place, live: Live) -> None:
    answer = _expect(BalancerClient(place=place, url=live.url).get("/readyz"), OK, "/readyz")
    release = json.loads(answer.body).get("release")
    if release != live.release:
        raise CheckError(f"/readyz answers release {release}, deployed was {live.release}")


def request_id_in_logs(tools: Tools, live: Live) -> None:
    """The id a user's answer carries is found again in CloudWatch Logs, in the line of that very request."""
    answer = _expect(BalancerClient(place=tools.place, url=live.url).get("/"), OK, "the home page")
    request_id = answer.headers.get("x-request-id", "")
    if not request_id:
        raise CheckError("the answer carries no X-Request-ID")
    group = f"/pactum/{live.stack}/web"
    deadline = time.monotonic() + LOG_SECONDS
    while time.monotonic() < deadline:
        events = tools.client("logs").filter_log_events(logGroupName=group, filterPattern=f'"{request_id}"')["events"]
        if any(json.loads(event["message"]).get("request_id") == request_id for event in events):
            return
        time.sleep(0.5)
    raise CheckError(f"request id {request_id} is not in log group {group} after {LOG_SECONDS} s")


def agreement_survives_its_task(tools: Tools, live: Live) -> None:
    """An agreement made with the real form is still there after every task that ran was replaced."""
    user = BalancerClient(place=tools.place, url=live.url)
    path, title = _create_agreement(user, live)
    _replace_tasks(tools, live)
    answer = _expect(BalancerClient(place=tools.place, url=live.url).get(path), OK, "the agreement's page")
    if title not in answer.body:
        raise CheckError(f"{path} no longer shows the agreement after its task was replaced")


def _create_agreement(user: BalancerClient, live: Live) -> tuple[str, str]:
    form = _expect(user.get("/agreements/new/"), OK, "the form")
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form.body)
    if not token:
        raise CheckError("the form for a new agreement carries no CSRF token")
    title = f"Rehearsed agreement {secrets.token_hex(4)}"
    fields = {
        "csrfmiddlewaretoken": token[1],
        "title": title,
        "parties": "Ana Lima\nBento Souza",
        "terms": "Both parties rehearse before they deploy.",
        "status": "draft",
    }
    origin = live.url.rstrip("/")
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Referer": f"{origin}/agreements/new/"}
    answer = _expect(
        user.request("POST", "/agreements/new/", headers=headers, body=urlencode(fields)),
        FOUND,
        "creating an agreement",
    )
    path = re.sub(r"^https?://[^/]+", "", answer.headers.get("location", ""))
    if title not in _expect(user.get(path), OK, "the new agreement's page").body:
        raise CheckError(f"{path} does not show the agreement that was just created")
    return path, title


def _replace_tasks(tools: Tools, live: Live) -> None:
    ecs = tools.client("ecs")
    before = ecs.list_tasks(cluster=live.cluster, serviceName=live.service, desiredStatus="RUNNING")["taskArns"]
    if not before:
        raise CheckError(f"service {live.service} runs no task")
    for task in before:
        ecs.stop_task(cluster=live.cluster, task=task, reason="rehearsal: is the agreement still there afterwards?")
    deadline = time.monotonic() + REPLACEMENT_SECONDS
    while time.monotonic() < deadline:
        now = ecs.list_tasks(cluster=live.cluster, serviceName=live.service, desiredStatus="RUNNING")["taskArns"]
        if len(now) >= len(before) and not set(now) & set(before) and _answers(tools.place, live):
            return
        time.sleep(0.5)
    raise CheckError(f"{len(before)} stopped tasks were not replaced within {REPLACEMENT_SECONDS} s")


def _answers(place: Place, live: Live) -> bool:
    try:
        return BalancerClient(place=place, url=live.url).get("/readyz").status == OK
    except (OSError, HTTPException):
        return False
