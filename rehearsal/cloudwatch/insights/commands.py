"""The commands of a query, each from its words to what it makes of the rows.

Source: Amazon CloudWatch Logs User Guide, "CloudWatch Logs Insights language query syntax" and its pages.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rehearsal.cloudwatch.insights.aggregates import Aggregate, read_aggregate
from rehearsal.cloudwatch.insights.expressions import Expression, Expressions
from rehearsal.cloudwatch.insights.values import Natural, Row, Value, field_of, text_of
from rehearsal.cloudwatch.insights.words import QueryError, Words

Rows = list[dict[str, Value]]
Command = Callable[[Rows], Rows]
MOST_ROWS = 10_000
MOST_STATS = 2


@dataclass
class Plan:
    """A query that was read: its commands, and which columns it shows."""

    words: Words
    read: Expressions = field(init=False)
    commands: list[tuple[str, Command]] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)
    displayed: list[str] = field(default_factory=list)
    limit: int = MOST_ROWS

    def __post_init__(self) -> None:
        """Begin to read, with the fields of the lines."""
        self.read = Expressions(self.words)

    def names(self) -> list[str]:
        """Which commands there are by now."""
        return [name for name, _ in self.commands]

    @property
    def counts(self) -> bool:
        """Whether its rows are of `stats`, no lines."""
        return "stats" in self.names()

    def add(self, name: str) -> None:
        """Read one command, whose name was read. Raises QueryError."""
        self._check_order(name)
        self.commands.append((name, COMMANDS[name](self)))

    def _check_order(self, name: str) -> None:
        before, at = self.names(), self.words.at
        if "dedup" in before and name != "limit":
            raise QueryError(f"after dedup there can only be limit, and not {name}", at, at)
        if "limit" in before and name not in ("display", "limit"):
            raise QueryError(f"{name} after limit is not covered here: put it before", at, at)
        if name == "stats" and before.count("stats") == MOST_STATS:
            raise QueryError(f"a query has at most {MOST_STATS} stats", at, at)
        if name == "stats" and "stats" in before and "sort" in before:
            raise QueryError("sort must stand after the second stats", at, at)
        if name == "parse" and "stats" in before:
            raise QueryError("parse after stats is not covered here", at, at)


def _filter(plan: Plan) -> Command:
    holds = plan.read.read()

    def kept(row: Row) -> bool:
        found = holds(row)
        if found is not None and not isinstance(found, bool):
            raise QueryError(f"filter needs a condition, and {text_of(found)!r} is none")
        return found is True

    return lambda rows: [row for row in rows if kept(row)]


def _fields(plan: Plan) -> Command:
    made: dict[str, Expression] = {}

    def one() -> None:
        start = plan.words.at
        expression = plan.read.read()
        written = plan.words.since(start).strip("`")
        if name := plan.read.alias():
            plan.read.make(name)
            made[name] = expression
        elif not _is_name(written):
            # A function without an alias is a column called as it is written.
            name = written
            made[name] = expression
        plan.fields.append(name or written)

    plan.words.listed(one)
    return lambda rows: [row | {name: expression(row) for name, expression in made.items()} for row in rows]


def _is_name(written: str) -> bool:
    return not any(sign in written for sign in "( +*/^%\"'")


def _display(plan: Plan) -> Command:
    shown: list[str] = []
    plan.words.listed(lambda: shown.append(plan.read.named()))
    plan.displayed = shown
    return lambda rows: rows


def _parse(plan: Plan) -> Command:
    name, at = plan.read.named(), plan.words.at
    pattern = plan.words.regex()
    if pattern is None:
        raise plan.words.unexpected("parse is covered here with a /regular expression/ only")
    if not pattern.groupindex or len(pattern.groupindex) < pattern.groups:
        raise QueryError("parse needs groups with names, (?<name>...), and no others", at, plan.words.at)
    for group in pattern.groupindex:
        plan.read.make(group)

    def parsed(row: dict[str, Value]) -> dict[str, Value]:
        value = field_of(row, name)
        found = pattern.search(text_of(value)) if value is not None else None
        return row | dict(found.groupdict() if found else {})

    return lambda rows: [parsed(row) for row in rows]


def _stats(plan: Plan) -> Command:
    columns: list[Aggregate] = []
    groups: dict[str, Expression] = {}

    def group() -> None:
        start = plan.words.at
        expression = plan.read.read()
        written = plan.words.since(start).strip("`")
        groups[plan.read.alias() or written] = expression

    plan.words.listed(lambda: columns.append(read_aggregate(plan.read)))
    if plan.words.keyword("by"):
        plan.words.listed(group)
    names = [*groups, *(column.name for column in columns)]
    if twice := [name for name in names if names.count(name) > 1]:
        raise QueryError(f"stats makes {twice[0]} twice", plan.words.at, plan.words.at)
    plan.read.known, plan.fields, plan.displayed = set(names), names, []

    def grouped(rows: Rows) -> Rows:
        found: dict[tuple[str | None, ...], Rows] = {}
        keys: dict[tuple[str | None, ...], dict[str, Value]] = {}
        for row in rows:
            values = {name: expression(row) for name, expression in groups.items()}
            key = tuple(None if value is None else text_of(value) for value in values.values())
            keys[key] = values
            found.setdefault(key, []).append(row)
        return [keys[key] | {column.name: column.of(inside) for column in columns} for key, inside in found.items()]

    return grouped


def _sort(plan: Plan) -> Command:
    keys: list[tuple[str, bool]] = []

    def one() -> None:
        name = plan.read.named()
        keys.append((name, plan.words.keyword("asc", "desc") == "desc"))

    plan.words.listed(one)

    def ordered(rows: Rows) -> Rows:
        for name, _ in keys:
            if any(row.get(name) is None for row in rows):
                raise QueryError(
                    f"sort meets a row without {name}: where it stands, AWS's documentation does not say. "
                    f"Put `filter ispresent({name})` before"
                )
        # Lines of one moment keep the order they were written in, seen from the side the sorting begins at.
        result = rows[::-1] if keys[0][1] else list(rows)
        for name, descending in reversed(keys):
            result.sort(key=lambda row: Natural(row[name]), reverse=descending)
        return result

    return ordered


def _limit(plan: Plan) -> Command:
    at, rows = plan.words.at, plan.words.number()
    if rows is None or not rows.is_integer() or not 1 <= rows <= MOST_ROWS:
        raise QueryError(f"limit takes a number from 1 to {MOST_ROWS}", at, plan.words.at)
    plan.limit = min(plan.limit, int(rows))
    return lambda rows: rows


def _dedup(plan: Plan) -> Command:
    names: list[str] = []
    plan.words.listed(lambda: names.append(plan.read.named()))
    newest_first = "sort" not in plan.names()

    def kept(rows: Rows) -> Rows:
        seen: set[tuple[str, ...]] = set()
        result: Rows = []
        for row in reversed(rows) if newest_first else rows:
            values = [row.get(name) for name in names]
            key = tuple(text_of(value) for value in values)
            # Without a value a row is nobody's double.
            if None in values or key not in seen:
                result.append(row)
            seen.add(key)
        return result[::-1] if newest_first else result

    return kept


COMMANDS: dict[str, Callable[[Plan], Command]] = {
    "filter": _filter,
    "fields": _fields,
    "display": _display,
    "parse": _parse,
    "stats": _stats,
    "sort": _sort,
    "limit": _limit,
    "dedup": _dedup,
}


def run(plan: Plan, rows: Sequence[dict[str, Value]]) -> tuple[Rows, int]:
    """Carry the commands out on lines in the order of time; the rows in the order they are shown, and lines matched."""
    result, matched = list(rows), len(rows)
    by_line = True
    for name, command in plan.commands:
        result = command(result)
        by_line = by_line and name not in ("stats", "dedup")
        matched = len(result) if by_line else matched
    if not plan.counts and "sort" not in plan.names():
        result.reverse()  # the newest first
    return result[: plan.limit], matched
