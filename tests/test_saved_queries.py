"""infra/observability/saved_queries.py: what is asked, of which logs, by fields that there are."""

from __future__ import annotations

import ast
import re
from typing import Any

import pytest

from infra.observability.saved_queries import PLACEHOLDER, SavedQueries, SavedQueriesArgs, saved_queries
from infra.process_settings import MOST_PROCESSES
from ops.saved_queries import PLACEHOLDER as OPS_PLACEHOLDER
from ops.stack import Stack
from tests.recorder import ROOT, record
from tests.test_settings import settings

QUERY = "aws:cloudwatch/queryDefinition:QueryDefinition"
COMMAND = ["python", "manage.py", "it"]
WORKER, JOB = {"command": COMMAND}, {"command": COMMAND, "schedule": "rate(5 minutes)"}
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutQueryDefinition.html
MOST_GROUPS, LONGEST_TEXT, LONGEST_NAME = 50, 10_000, 255
KIT = ROOT / "app_image" / "deployment"
# What CloudWatch gives every line, and what EventBridge's events are made of.
GIVEN = {"@timestamp", "@message", "@log", "detail", "resources"}
OF_EVENTS = {"eventName", "reason", "group", "lastStatus", "stopCode", "stoppedReason", "containers", "exitCode"}
OF_EVENTS |= {"startedAt", "EventCategories", "Message"}
WORDS = re.compile(
    r"\b(filter|stats|sort|limit|display|parse|fields|asc|desc|by|as|and|in|or|count|max|sum|pct|latest|coalesce)\b"
)


def defined(**changes: Any) -> dict[str, dict[str, Any]]:
    """The registered definitions, by the end of their names."""
    found = settings(**changes)
    recorder = record(lambda: SavedQueries("it", SavedQueriesArgs(settings=found)))
    assert recorder.error is None
    return {item.inputs["name"].removeprefix("pactum/staging/"): item.inputs for item in recorder.of_type(QUERY)}


def test_each_query_the_issue_names_is_saved_under_its_stack() -> None:
    names = set(defined(jobs={"tick": JOB}))
    assert names >= {"errors-by-path", "slowest-requests", "request", "migrations", "deployments", "admin-logins"}
    assert names >= {"slow-statements", "jobs", "errors", "stopped-tasks", "database-events"}
    assert all("/" not in name for name in names), "without the stack's name before it `ops` would not find it"


def test_they_read_the_logs_of_the_stacks_own_processes() -> None:
    found = defined(workers={"mail": WORKER}, jobs={"tick": JOB})
    group = Stack(project="pactum", name="staging").log_group
    everywhere = [group(process) for process in ("web", "mail", "tick", "shell", "migrate")]
    assert found["errors"]["logGroupNames"] == everywhere
    assert found["slow-statements"]["logGroupNames"] == everywhere[:-1], "the migration's are not told of"
    assert found["request"]["logGroupNames"] == [group("web")]
    assert found["migrations"]["logGroupNames"] == [group("migrate")]
    assert {name for name, query in found.items() if query["logGroupNames"] == [group("events")]} == {
        "deployments",
        "stopped-tasks",
        "database-events",
        "jobs",
    }


def test_jobs_are_asked_about_by_their_families_where_there_are_some() -> None:
    text = defined(jobs={"tick": JOB, "tock": JOB})["jobs"]["queryString"]
    assert 'detail.group in ["family:pactum-staging-tick", "family:pactum-staging-tock"]' in text
    assert "/^family:pactum-staging-(?<job>.+)$/" in text
    assert "jobs" not in defined(jobs={})


def test_as_many_processes_as_a_stack_may_have_fit_into_cloudwatchs_limits() -> None:
    workers = {f"worker-{number}": WORKER for number in range(MOST_PROCESSES)}
    jobs = {f"job-{number}": JOB for number in range(MOST_PROCESSES)}
    for name, query in defined(workers=workers, jobs=jobs, databaseInstanceClass="db.m7g.4xlarge").items():
        assert len(query["logGroupNames"]) <= MOST_GROUPS, name
        assert len(query["queryString"]) <= LONGEST_TEXT, name
        assert len(query["name"]) <= LONGEST_NAME, name


@pytest.mark.parametrize("query", saved_queries(settings(jobs={"tick": JOB})), ids=lambda query: query.name)
def test_a_query_asks_by_loggers_and_fields_that_are_written(query: Any) -> None:
    assert query.text.splitlines()[0] == f"# {query.summary}", "`ops logs query --list` shows it"
    assert all(line == line.rstrip() and line for line in query.text.splitlines())
    body = query.text.partition("\n")[2]
    sources = "".join(path.read_text() for path in KIT.rglob("*.py"))
    for logger in re.findall(r'logger = "([^"]+)"', body):
        assert f'"{logger}"' in sources, f"nothing logs as {logger}"
    named = set(re.findall(r"\bas (\w+)", body)) | set(re.findall(r"\(\?<(\w+)>", body))
    plain = WORDS.sub(" ", re.sub(r'"[^"]*"|`[^`]*`|/(\\/|[^/\n])+/', " ", body))
    used = {part for word in re.findall(r"@?[A-Za-z_][\w.]*", plain) for part in word.split(".") if not part.isdigit()}
    assert used - named <= written() | GIVEN | OF_EVENTS, "a field that no line has answers nothing"


def written() -> set[str]:
    """The keys of the application's lines, by its formatter's own source."""
    module = ast.parse((KIT / "json_logs.py").read_text())
    keys = {
        node.slice.value
        for node in ast.walk(module)
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant)
    }
    keys |= {
        key.value
        for node in ast.walk(module)
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant)
    }
    (extras,) = (
        ast.literal_eval(node.value)
        for node in module.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "EXTRAS"
    )
    return {str(key) for key in keys} | set(extras)


def test_ops_puts_the_requests_id_where_the_query_has_room_for_it() -> None:
    texts = [query.text for query in saved_queries(settings()) if f'"{PLACEHOLDER}"' in query.text]
    assert len(texts) == 1
    assert OPS_PLACEHOLDER == PLACEHOLDER, "two programs, which share no module, mean the same"


def test_the_page_about_logs_names_every_query() -> None:
    section = (
        (ROOT / "docs" / "logs.md").read_text(encoding="utf-8").partition("## Saved queries")[2].partition("\n## ")[0]
    )
    cells = [row.split("|")[1] for row in section.splitlines() if row.startswith("| `")]
    named = {name for cell in cells for name in re.findall(r"`([a-z-]+)`", cell)}
    assert named == {query.name for query in saved_queries(settings(jobs={"tick": JOB}))}
