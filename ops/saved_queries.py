"""The Logs Insights queries saved with a stack: which there are, and what one of them answers.

CloudWatch's console has the same ones: the program saves them as PROJECT/STACK/NAME, and nothing of them is here.
"""

from __future__ import annotations

import contextlib
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from ops.clock import Deadline
from ops.errors import CannotAct

if TYPE_CHECKING:
    import datetime as dt

    from mypy_boto3_logs import CloudWatchLogsClient

    from ops.clock import Clock
    from ops.stack import Stack

PLACEHOLDER = "REQUEST_ID"
_LIMIT = re.compile(r"\|\s*limit\s+\d+")
_DISPLAY = re.compile(r"\|\s*display\s+(.+)")
_MOST_ROWS = 10_000
_MEBIBYTE = 2**20


@dataclass(frozen=True, kw_only=True)
class SavedQuery:
    """A query as CloudWatch keeps it. `name` is what follows the stack's name in CloudWatch's own."""

    name: str
    text: str
    log_groups: list[str]

    @property
    def summary(self) -> str:
        """What it asks, which its first line says."""
        first = self.text.partition("\n")[0]
        return first.removeprefix("#").strip() if first.startswith("#") else ""

    def about(self, request_id: str) -> SavedQuery:
        """Return it with the request that is asked for.

        Raises:
            CannotAct: it is about one request, and none was given, or the other way round.

        """
        needed = f'"{PLACEHOLDER}"' in self.text
        if needed and not request_id:
            raise CannotAct(
                f"{self.name} is about one request: give --request-id ID, which an answer has in X-Request-ID and "
                "every line of a log in request_id."
            )
        if request_id and not needed:
            raise CannotAct(f"{self.name} is not about one request: leave --request-id out, or ask `request`.")
        text = self.text.replace(f'"{PLACEHOLDER}"', f'"{request_id}"')
        return SavedQuery(name=self.name, text=text, log_groups=self.log_groups)

    def at_most(self, rows: int | None) -> SavedQuery:
        """Return it with another number of rows than its own."""
        if rows is None:
            return self
        text = f"{_LIMIT.sub('', self.text)}\n| limit {min(max(rows, 1), _MOST_ROWS)}"
        return SavedQuery(name=self.name, text=text, log_groups=self.log_groups)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What CloudWatch found. A row has the columns it has a value for."""

    columns: list[str]
    rows: list[dict[str, str]]
    matched: int
    scanned_bytes: int

    @property
    def scanned(self) -> str:
        """What was looked at, which is what AWS charges for."""
        return f"{self.matched} lines matched; {self.scanned_bytes / _MEBIBYTE:.1f} MiB of logs scanned"


def saved_queries(logs: CloudWatchLogsClient, stack: Stack) -> list[SavedQuery]:
    """Return all that are saved with a stack, by name."""
    found: list[SavedQuery] = []
    request: dict[str, Any] = {"queryDefinitionNamePrefix": stack.query_prefix}
    while True:
        page = logs.describe_query_definitions(**request)
        found += [
            SavedQuery(
                name=item["name"].removeprefix(stack.query_prefix),
                text=item.get("queryString", ""),
                log_groups=item.get("logGroupNames", []),
            )
            for item in page["queryDefinitions"]
        ]
        if not page.get("nextToken"):
            return sorted(found, key=lambda query: query.name)
        request["nextToken"] = page["nextToken"]


def find(queries: list[SavedQuery], name: str, stack: Stack) -> SavedQuery:
    """Return the query of this name.

    Raises:
        CannotAct: there is none.

    """
    for query in queries:
        if query.name == name:
            return query
    names = ", ".join(query.name for query in queries)
    raise CannotAct(
        f"no query {name} is saved with {stack}. "
        + (f"There are: {names}." if names else "None is: `pulumi up` saves them with the stack.")
    )


def ask(
    logs: CloudWatchLogsClient, query: SavedQuery, since: dt.datetime, clock: Clock, timeout_seconds: int
) -> Answer:
    """Ask CloudWatch about the time since then, and wait for its answer.

    Raises:
        CannotAct: CloudWatch cannot answer, or has not within the time.

    """
    try:
        started = logs.start_query(
            logGroupNames=query.log_groups,
            queryString=query.text,
            startTime=int(since.timestamp()),
            endTime=math.ceil(clock.date().timestamp()),
        )
    except logs.exceptions.ResourceNotFoundException as error:
        raise CannotAct(
            f"a log group that {query.name} reads is not there: {error}. It asks {', '.join(query.log_groups)}; "
            "`pulumi up` makes those of the stack's processes."
        ) from error
    except logs.exceptions.MalformedQueryException as error:
        raise CannotAct(
            f"CloudWatch does not understand the query {query.name}: {error}. Somebody may have changed it in the "
            "console; `pulumi up` brings it back."
        ) from error
    except logs.exceptions.LimitExceededException as error:
        raise CannotAct(f"too many queries are under way in this account: {error}. Ask again in a minute.") from error
    return _answer(logs, query, started["queryId"], Deadline(clock, timeout_seconds))


def _answer(logs: CloudWatchLogsClient, query: SavedQuery, query_id: str, deadline: Deadline) -> Answer:
    ended = False
    try:
        while True:
            result = logs.get_query_results(queryId=query_id)
            status = result["status"]
            ended = status not in ("Scheduled", "Running", "Unknown")
            if status == "Complete":
                return _read(result, query.text)
            if ended:
                raise CannotAct(f"CloudWatch ended the query {query.name}: {status}. Ask for less time with --since.")
            if deadline.passed:
                raise CannotAct(
                    f"CloudWatch has not answered {query.name} within {deadline.timeout_seconds:g} s. "
                    "Ask for less time with --since, or wait longer with --timeout."
                )
            deadline.pause()
    finally:
        if not ended:
            # AWS charges for what it goes on scanning. Where it has just ended, it cannot be stopped.
            with contextlib.suppress(ClientError, BotoCoreError):
                logs.stop_query(queryId=query_id)


def _read(result: Any, text: str) -> Answer:  # noqa: ANN401 - boto3 makes its answers' types at run time
    rows = [
        {cell["field"]: cell.get("value", "") for cell in row if cell["field"] != "@ptr"} for row in result["results"]
    ]
    statistics = result.get("statistics", {})
    return Answer(
        columns=_columns(rows, text),
        rows=rows,
        matched=int(statistics.get("recordsMatched", len(rows))),
        scanned_bytes=int(statistics.get("bytesScanned", 0)),
    )


def _columns(rows: list[dict[str, str]], text: str) -> list[str]:
    """Return the columns as the query displays them: each row has those alone that it has a value for."""
    found = dict.fromkeys(column for row in rows for column in row)
    displayed = [name.strip() for line in _DISPLAY.findall(text) for name in line.split(",")]
    return [*(name for name in displayed if name in found), *(name for name in found if name not in displayed)]
