"""A whole query: read once, asked of the lines of some log groups."""

from collections.abc import Iterable
from dataclasses import dataclass

from rehearsal.cloudwatch.insights.commands import COMMANDS, Plan, run
from rehearsal.cloudwatch.insights.values import Line, Row, field_of, text_of
from rehearsal.cloudwatch.insights.words import QueryError, Words

UNTOLD = ("@timestamp", "@message")
LONGEST = 10_000


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Rows of columns and values; a row lacks the columns it has no value for."""

    rows: list[dict[str, str]]
    matched: int


def answer(text: str, lines: Iterable[Line], limit: int | None = None) -> Answer:
    """What Logs Insights answers to a query, of lines in the order of time; at most `limit` rows.

    Raises QueryError for a query that is wrong, and for one that asks for what is not documented or not covered.
    """
    plan = read(text)
    rows, matched = run(plan, [line.row() for line in lines])
    columns = _columns(plan)
    return Answer(rows=[_shown(row, columns) for row in rows[:limit]], matched=matched)


def read(text: str) -> Plan:
    """Read a query. Raises QueryError."""
    if len(text) > LONGEST:
        raise QueryError(f"a query has at most {LONGEST} characters, this one {len(text)}")
    words = Words(text)
    plan = Plan(words)
    while True:
        name = words.keyword(*COMMANDS)
        if not name:
            raise words.unexpected(f"the commands that are covered here are {', '.join(COMMANDS)}")
        plan.add(name)
        if words.ended:
            break
        words.expect("|")
    if "parse" in plan.names() and not plan.displayed and not plan.counts:
        raise QueryError("a query with parse needs display here: which columns it shows otherwise is not documented")
    return plan


def _columns(plan: Plan) -> list[str]:
    columns = list(dict.fromkeys(plan.displayed or plan.fields or UNTOLD))
    return columns if plan.counts else [*columns, *(["@ptr"] if "@ptr" not in columns else [])]


def _shown(row: Row, columns: list[str]) -> dict[str, str]:
    values = {column: field_of(row, column) for column in columns}
    return {column: text_of(value) for column, value in values.items() if value is not None}
