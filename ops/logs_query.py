"""`python -m ops logs query NAME`: what a saved query answers, as a table."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import TYPE_CHECKING

from ops import saved_queries
from ops.errors import CannotAct
from ops.transcript import harmless

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from ops.command import Context

TIMEOUT_SECONDS = 60
LONGEST_CELL = 120
# The balancer's header has the id with a word before it.
_REQUEST_ID = re.compile(r"(?:Root=)?([A-Za-z0-9._-]{1,128})")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_OF_LINES = ("follow", "grep", "level")


def run(context: Context, options: argparse.Namespace, since: dt.datetime) -> None:
    """List the queries, or ask one.

    Raises:
        CannotAct: there is no such query, or an option does not go with it.

    """
    word, *names = options.question
    if word != "query" or len(names) > 1:
        raise CannotAct(f"{' '.join(options.question)!r} is not understood: write `logs query NAME`, or `logs`.")
    if others := [name for name in _OF_LINES if getattr(options, name)]:
        raise CannotAct(f"--{others[0]} is about the lines of one process: leave it out of `logs query`.")
    queries = saved_queries.saved_queries(context.aws.logs, context.stack)
    if options.list or not names:
        _list(context, queries)
        return
    request_id = _request_id(options.request_id)
    query = saved_queries.find(queries, names[0], context.stack).about(request_id).at_most(options.limit)
    answer = saved_queries.ask(context.aws.logs, query, since, context.clock, options.timeout)
    if context.json:
        for row in answer.rows:
            print(json.dumps(row), flush=True)
    elif answer.rows:
        _show([answer.columns, *([_cell(row.get(column, "")) for column in answer.columns] for row in answer.rows)])
    moment = since.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    context.transcript.step(f"{len(answer.rows)} rows since {moment} (--since); {answer.scanned}")


def _list(context: Context, queries: list[saved_queries.SavedQuery]) -> None:
    if context.json:
        for query in queries:
            print(json.dumps({"name": query.name, "summary": query.summary, "log_groups": query.log_groups}))
    elif queries:
        _show([[query.name, query.summary] for query in queries])
    else:
        context.transcript.step(f"no query is saved with {context.stack}: `pulumi up` saves them")


def _request_id(given: str) -> str:
    found = _REQUEST_ID.fullmatch(given)
    if given and not found:
        raise CannotAct(f"--request-id {given!r} is no request's id: letters, digits and . _ - only.")
    return found.group(1) if found else ""


def _cell(text: str) -> str:
    """Return what fits into a table: of several lines the last, where an exception says what it is."""
    lines = [line for line in text.splitlines() if line.strip()] or [""]
    line = harmless(lines[-1]).replace("\t", " ")
    return line if len(line) <= LONGEST_CELL else f"{line[: LONGEST_CELL - 1]}…"


def _show(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    numbers = [all(_NUMBER.fullmatch(row[column]) for row in rows[1:] if row[column]) for column in range(len(widths))]
    for row in rows:
        cells = (
            cell.rjust(width) if number and len(rows) > 1 else cell.ljust(width)
            for cell, width, number in zip(row, widths, numbers, strict=True)
        )
        print("  ".join(cells).rstrip(), flush=True)
