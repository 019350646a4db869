"""What each saved query answers, of lines as the application and AWS write them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.observability.saved_queries import PLACEHOLDER, saved_queries
from rehearsal.cloudwatch.insights.query import answer
from rehearsal.cloudwatch.insights.values import Line
from tests.test_settings import settings

JOB = {"command": ["python", "manage.py", "tick"], "schedule": "rate(5 minutes)"}
QUERIES = {query.name: query for query in saved_queries(settings(jobs={"tick": JOB}))}
NOON = 1_750_075_200_000
CLUSTER = "arn:aws:ecs:us-east-1:123456789012"


def at(second: int) -> str:
    """The time of a line as an answer has it."""
    return f"2025-06-16 12:{second // 60:02}:{second % 60:02}.000"


def said(logger: str, message: str, level: str = "INFO", **more: Any) -> dict[str, Any]:
    """A line of the application."""
    return {"timestamp": "2025", "level": level, "logger": logger, "message": message, **more, "release": "sha256:1"}


def request(
    number: int, path: str, status: int = 200, duration_ms: float = 10.0, method: str = "GET"
) -> dict[str, Any]:
    """The line of one request."""
    facts = {"request_id": f"1-{number}", "method": method, "path": path}
    return said("deployment.request", f"{method} {path} {status}", **facts, status=status, duration_ms=duration_ms)


def within(number: int, path: str, line: dict[str, Any]) -> dict[str, Any]:
    """A line that was logged while a request was answered."""
    return {**line, "request_id": f"1-{number}", "method": "GET", "path": path}


def event(kind: str, detail: dict[str, Any], *resources: str) -> dict[str, Any]:
    """An event of EventBridge, as its target puts it into the log."""
    return {"version": "0", "detail-type": kind, "source": "aws", "resources": list(resources), "detail": detail}


def stopped(group: str, exit_code: int | None = None, reason: str = "", **detail: Any) -> dict[str, Any]:
    """A task that has ended."""
    container = {"name": "web", "lastStatus": "STOPPED"} | ({} if exit_code is None else {"exitCode": exit_code})
    container |= {"reason": reason} if reason else {}
    facts = {"lastStatus": "STOPPED", "group": group, "containers": [container], **detail}
    return event("ECS Task State Change", facts, f"{CLUSTER}:task/pactum-staging/1")


TRACE = "Traceback (most recent call last):\n  ...\nRuntimeError: nobody handles this"
SLOW = "SELECT * FROM agreements WHERE id = %s"
ESSENTIAL = {"stopCode": "EssentialContainerExited", "stoppedReason": "Essential container in task exited"}
# By the end of the log group's name; one line a second, the groups after one another.
LOGS: dict[str, list[dict[str, Any] | str]] = {
    "web": [
        request(1, "/", duration_ms=9.5),
        within(2, "/buy/", said("django.request", "Internal Server Error: /buy/", "ERROR", exception=TRACE)),
        request(2, "/buy/", 500, 20.0),
        request(3, "/buy/", 500, 40.0, "POST"),
        request(4, "/buy/", 500, 30.0),
        request(5, "/", 404, 2.5),
        within(6, "/list/", said("deployment.slow_query", "slow statement", "WARNING", duration_ms=600, sql=SLOW)),
        request(6, "/list/", 200, 900.0),
        within(7, "/admin/login/", said("deployment.admin_login", "failed login", "WARNING")),
        within(8, "/admin/login/", said("deployment.admin_login", "staff login", user_id=7)),
        said("deployment.slow_query", "slow statement", "WARNING", duration_ms=2000.5, sql="SELECT pg_sleep(%s)"),
        within(9, "/list/", said("deployment.slow_query", "slow statement", "WARNING", duration_ms=700.5, sql=SLOW)),
        "a worker of gunicorn says this without JSON",
    ],
    "migrate": [said("deployment.migrations", "Migrated.", migrations=["a.0001"]), "Killed"],
    "tick": [said("deployment.last_words", "the command failed", "CRITICAL", exception="ValueError: 3")],
    "shell": [],
    "events": [
        event(
            "ECS Deployment State Change",
            {"eventName": "SERVICE_DEPLOYMENT_FAILED", "reason": "tasks failed to start"},
            f"{CLUSTER}:service/pactum-staging/web",
        ),
        stopped("family:pactum-staging-tick", 0, startedAt="2025-06-16T12:00:00Z", **ESSENTIAL),
        stopped("family:pactum-staging-tick", 3, startedAt="2025-06-16T12:05:00Z", **ESSENTIAL),
        stopped("service:web", 137, "OutOfMemoryError", startedAt="2025-06-16T12:06:00Z", **ESSENTIAL),
        stopped("service:web", stopCode="TaskFailedToStart", stoppedReason="CannotPullContainerError: gone"),
        event("ECS Task State Change", {"lastStatus": "RUNNING", "group": "service:web"}),
        event(
            "RDS DB Instance Event",
            {"EventCategories": ["failover"], "Message": "Multi-AZ instance failover completed"},
            "arn:aws:rds:us-east-1:123456789012:db:pactum-staging-database",
        ),
    ],
}  # fmt: skip
EXITED = "Essential container in task exited"
ANSWERS: dict[str, list[str]] = {
    "errors-by-path": [
        "path | method | status | answers | last_request_id",
        "/buy/ | GET | 500 | 2 | 1-4",
        "/buy/ | POST | 500 | 1 | 1-3",
    ],
    "errors": [
        "@timestamp | process | logger | message | path | request_id | exception",
        f"{at(15)} | tick | deployment.last_words | the command failed |  |  | ValueError: 3",
        f"{at(1)} | web | django.request | Internal Server Error: /buy/ | /buy/ | 1-2 | {TRACE}",
    ],
    "slowest-requests": [
        "@timestamp | duration_ms | method | path | status | request_id",
        f"{at(7)} | 900 | GET | /list/ | 200 | 1-6",
        f"{at(3)} | 40 | POST | /buy/ | 500 | 1-3",
        f"{at(4)} | 30 | GET | /buy/ | 500 | 1-4",
        f"{at(2)} | 20 | GET | /buy/ | 500 | 1-2",
        f"{at(0)} | 9.5 | GET | / | 200 | 1-1",
        f"{at(5)} | 2.5 | GET | / | 404 | 1-5",
    ],
    "slow-paths": [
        "path | requests | p95_ms | slowest_ms",
        "/list/ | 1 | 900 | 900",
        "/buy/ | 3 | 39 | 40",
        "/ | 2 | 9.15 | 9.5",
    ],
    "request": [
        "@timestamp | level | logger | message | duration_ms | sql | exception",
        f"{at(1)} | ERROR | django.request | Internal Server Error: /buy/ |  |  | {TRACE}",
        f"{at(2)} | INFO | deployment.request | GET /buy/ 500 | 20 |  | ",
    ],
    "slow-statements": [
        "sql | times | total_ms | slowest_ms | last_request_id",
        "SELECT pg_sleep(%s) | 1 | 2000.5 | 2000.5 | ",
        f"{SLOW} | 2 | 1300.5 | 700.5 | 1-9",
    ],
    "migrations": [
        "@timestamp | level | line | release",
        f"{at(14)} |  | Killed | ",
        f"{at(13)} | INFO | Migrated. | sha256:1",
    ],
    "deployments": [
        "@timestamp | service | event | reason",
        f"{at(16)} | web | SERVICE_DEPLOYMENT_FAILED | tasks failed to start",
    ],
    "stopped-tasks": [
        "@timestamp | process | exit_code | code | reason | container_reason",
        f"{at(20)} | web |  | TaskFailedToStart | CannotPullContainerError: gone | ",
        f"{at(19)} | web | 137 | EssentialContainerExited | {EXITED} | OutOfMemoryError",
        f"{at(18)} | pactum-staging-tick | 3 | EssentialContainerExited | {EXITED} | ",
        f"{at(17)} | pactum-staging-tick | 0 | EssentialContainerExited | {EXITED} | ",
    ],
    "jobs": [
        "@timestamp | job | exit_code | started | reason | container_reason",
        f"{at(18)} | tick | 3 | 2025-06-16T12:05:00Z | {EXITED} | ",
        f"{at(17)} | tick | 0 | 2025-06-16T12:00:00Z | {EXITED} | ",
    ],
    "database-events": [
        "@timestamp | category | event",
        f"{at(22)} | failover | Multi-AZ instance failover completed",
    ],
    "admin-logins": [
        "@timestamp | message | user_id | path | request_id",
        f"{at(9)} | staff login | 7 | /admin/login/ | 1-8",
        f"{at(8)} | failed login |  | /admin/login/ | 1-7",
    ],
}


def lines_of(logs: tuple[str, ...]) -> list[Line]:
    """The lines of the log groups that a query reads."""
    every = [(log, line) for log, found in LOGS.items() for line in found]
    return [
        Line(
            timestamp=NOON + second * 1000,
            message=line if isinstance(line, str) else json.dumps(line),
            log=f"123456789012:/pactum/staging/{log}",
            stream="s",
            pointer=str(second),
        )
        for second, (log, line) in enumerate(every)
        if log in logs
    ]


@pytest.mark.parametrize("name", QUERIES)
def test_a_saved_query_answers_what_its_summary_promises(name: str) -> None:
    query, header = QUERIES[name], ANSWERS[name][0]
    found = answer(query.text.replace(PLACEHOLDER, "1-2"), lines_of(query.logs)).rows
    rows = [" | ".join(row.get(column, "") for column in header.split(" | ")) for row in found]
    assert rows == ANSWERS[name][1:]
    columns = {column for row in found for column in row} - {"@ptr"}
    assert columns <= set(header.split(" | ")), "a column that the table above does not show"


def test_each_has_an_answer_here() -> None:
    assert ANSWERS.keys() == QUERIES.keys()
    assert len(QUERIES) == 12


@pytest.mark.parametrize("name", QUERIES)
def test_a_saved_query_answers_nothing_of_empty_logs(name: str) -> None:
    assert answer(QUERIES[name].text, []).rows == []
