"""Logs Insights: what a query answers. MiniStack passes over what it does not know of one, and answers all the same."""

from typing import Any

from ministack.services import cloudwatch_logs, ecs

from rehearsal.cloudwatch.insights.query import Answer, answer
from rehearsal.cloudwatch.insights.values import Line
from rehearsal.cloudwatch.insights.words import QueryError
from rehearsal.emulator.patching import Extension, replace, require

EXTENSION = Extension(
    name="log queries",
    rule=(
        "Filter, parse, stats, sort, dedup, limit, fields and display answer as the query language says, on fields "
        "discovered in JSON; a query that is wrong, or not covered here, is a MalformedQueryException that names the "
        "place; one that has ended cannot be stopped"
    ),
    source="CloudWatch Logs Insights language query syntax; API Reference, StartQuery and StopQuery",
)
MILLISECONDS = 1000
MOST_GROUPS = 50
Record = dict[str, Any]


def install() -> None:
    """Answer queries, and refuse to stop one that was answered: here each is at once."""
    resolve = require(cloudwatch_logs, "_resolve_query_log_groups", "(data) -> list[str]")
    replace(cloudwatch_logs, "_start_query", "(data)", lambda asked: start(asked, resolve(asked)))
    replace(cloudwatch_logs, "_stop_query", "(data)", stop)


def start(asked: Record, groups: list[str]) -> Any:
    """Answer a query about these log groups, for GetQueryResults to fetch."""
    text, limit = asked.get("queryString", ""), asked.get("limit")
    if problem := problem_of(asked, groups):
        return ecs.error_response_json(*problem)
    lines = lines_of(groups, asked["startTime"], asked["endTime"])
    try:
        found = answer(text, lines, limit)
    except QueryError as error:
        return malformed(error)
    query_id = ecs.new_uuid()
    cloudwatch_logs._queries[query_id] = kept(query_id, asked, found, lines)
    return ecs.json_response({"queryId": query_id})


def problem_of(asked: Record, groups: list[str]) -> tuple[str, str] | None:
    """Why a query is not begun, as AWS names it; None for no reason."""
    if not 1 <= len(groups) <= MOST_GROUPS:
        return "InvalidParameterException", f"A query asks 1 to {MOST_GROUPS} log groups, this one {len(groups)}"
    for name in groups:
        if name not in cloudwatch_logs._log_groups:
            return "ResourceNotFoundException", f"Log group '{name}' does not exist for account ID"
    if asked.get("queryLanguage", "CWLI") != "CWLI":
        return "InvalidParameterException", f"{asked['queryLanguage']} is not rehearsed: only CWLI is"
    if asked["startTime"] > asked["endTime"]:
        return "InvalidParameterException", "The query's start time is after its end time"
    return None


def lines_of(groups: list[str], start_second: int, end_second: int) -> list[Line]:
    """The lines of these log groups between two seconds, both included, in the order of time."""
    found = [
        Line(
            timestamp=event["timestamp"],
            message=event["message"],
            log=f"{ecs.get_account_id()}:{group}",
            stream=stream,
            pointer=event["eventId"],
        )
        for group in groups
        for stream, record in list(cloudwatch_logs._log_groups[group]["streams"].items())
        for event in list(record["events"])
        if start_second * MILLISECONDS <= event["timestamp"] <= end_second * MILLISECONDS
    ]
    return sorted(found, key=lambda line: line.timestamp)


def kept(query_id: str, asked: Record, found: Answer, lines: list[Line]) -> Record:
    """A query that was answered, as MiniStack keeps it."""
    return {
        "queryId": query_id,
        "logGroupName": asked.get("logGroupName", ""),
        "logGroupNames": asked.get("logGroupNames", []),
        "logGroupIdentifiers": asked.get("logGroupIdentifiers", []),
        "startTime": asked["startTime"],
        "endTime": asked["endTime"],
        "queryString": asked["queryString"],
        "status": "Complete",
        "results": [[{"field": name, "value": value} for name, value in row.items()] for row in found.rows],
        "statistics": {
            "recordsMatched": float(found.matched),
            "recordsScanned": float(len(lines)),
            "bytesScanned": float(sum(len(line.message.encode()) for line in lines)),
        },
    }


def malformed(error: QueryError) -> Any:
    """Say what is wrong with a query, and where, as AWS does."""
    location = {"startCharOffset": error.start, "endCharOffset": error.end}
    extra = {"queryCompileError": {"location": location, "message": str(error)}}
    return ecs.error_response_json("MalformedQueryException", str(error), 400, extra)


def stop(asked: Record) -> Any:
    """Refuse: a query has ended as soon as it was begun."""
    if asked.get("queryId") not in cloudwatch_logs._queries:
        return ecs.error_response_json("ResourceNotFoundException", "The specified query does not exist")
    return ecs.error_response_json("InvalidParameterException", "The specified query is not running")
