"""What a migration does to tables that are there already: found by looking, before and after, never by reading SQL."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from django.db.backends.base.base import BaseDatabaseWrapper

# Django's own record of what was applied: every migration writes it.
RECORD = "django_migrations"
TABLES = """
SELECT c.oid, c.relname, pg_relation_filenode(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
"""
# A column that fills itself in needs nothing from who inserts a row.
COLUMNS = """
SELECT a.attrelid, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
a.atthasdef OR a.attidentity <> '' FROM pg_attribute a WHERE a.attnum > 0 AND NOT a.attisdropped
"""
CONSTRAINTS = """
SELECT oid, conrelid, confrelid, conname, contype, convalidated FROM pg_constraint
WHERE contype IN ('c', 'f', 'u', 'x') AND conrelid <> 0
"""
INDEXES = """
SELECT i.indexrelid, i.indrelid, c.relname, i.indisunique FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
"""
# Held until the transaction ends; a table that was dropped still has its lock, and no name any more.
LOCKS = "SELECT relation, mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' AND granted"


@dataclass(frozen=True, kw_only=True)
class Column:
    """`fills_itself`: it has a default, is generated or counts up."""

    name: str
    type: str
    not_null: bool
    fills_itself: bool


@dataclass(frozen=True, kw_only=True)
class Schema:
    """What stands in a database at one moment, by the numbers that PostgreSQL gives it: they outlive a new name."""

    tables: Mapping[int, str]
    files: Mapping[int, int]
    columns: Mapping[tuple[int, int], Column]
    constraints: Mapping[int, tuple[int, int, str, str, bool]]
    indexes: Mapping[int, tuple[int, str, bool]]


@dataclass(kw_only=True)
class Effects:
    """What happened to tables that were there before; `locks` is None where nobody could look at them."""

    changes: list[dict[str, str]] = field(default_factory=list)
    locks: dict[str, list[str]] | None = None


def look(connection: BaseDatabaseWrapper) -> Schema:
    """Take down what is in the database now."""
    tables = [row for row in _rows(connection, TABLES) if row[1] != RECORD]
    return Schema(
        tables={oid: name for oid, name, _ in tables},
        files={oid: file for oid, _, file in tables},
        columns={
            (table, number): Column(name=name, type=type_, not_null=not_null, fills_itself=fills_itself)
            for table, number, name, type_, not_null, fills_itself in _rows(connection, COLUMNS)
        },
        constraints={oid: tuple(rest) for oid, *rest in _rows(connection, CONSTRAINTS)},
        indexes={oid: tuple(rest) for oid, *rest in _rows(connection, INDEXES)},
    )


def locks(connection: BaseDatabaseWrapper, before: Schema) -> dict[str, list[str]]:
    """Return the locks that the transaction under way holds on tables of before, by table."""
    held: dict[str, set[str]] = {}
    for oid, mode in _rows(connection, LOCKS):
        if oid in before.tables:
            held.setdefault(before.tables[oid], set()).add(mode)
    return {table: sorted(modes) for table, modes in sorted(held.items())}


def compare(before: Schema, after: Schema) -> list[dict[str, str]]:
    """Return what is otherwise with the tables of before: each with `kind`, `table`, and what it is about."""
    found: list[dict[str, str]] = []
    for oid, table in sorted(before.tables.items(), key=lambda item: item[1]):
        if oid not in after.tables:
            found.append(_change("table_gone", table))
            continue
        if after.tables[oid] != table:
            found.append(_change("table_renamed", table, to=after.tables[oid]))
        if after.files[oid] != before.files[oid]:
            found.append(_change("rewritten", table))
        found += _of_columns(oid, table, before, after)
        found += _of_constraints(oid, table, before, after)
    return found


def _of_columns(oid: int, table: str, before: Schema, after: Schema) -> Iterator[dict[str, str]]:
    old = {number: column for (of, number), column in before.columns.items() if of == oid}
    new = {number: column for (of, number), column in after.columns.items() if of == oid}
    for number in sorted(old.keys() | new.keys()):
        was, now = old.get(number), new.get(number)
        if was and not now:
            yield _change("column_gone", table, column=was.name)
        elif now and not was:
            if now.not_null and not now.fills_itself:
                yield _change("column_required", table, column=now.name)
        elif was and now:
            yield from _of_column(table, was, now)


def _of_column(table: str, was: Column, now: Column) -> Iterator[dict[str, str]]:
    if was.name != now.name:
        yield _change("column_renamed", table, column=was.name, to=now.name)
    if was.type != now.type:
        yield _change("type_changed", table, column=was.name, was=was.type, to=now.type)
    if now.not_null and not was.not_null:
        yield _change("not_null", table, column=was.name)
    elif now.not_null and was.fills_itself and not now.fills_itself:
        yield _change("column_required", table, column=was.name)


def _of_constraints(oid: int, table: str, before: Schema, after: Schema) -> Iterator[dict[str, str]]:
    for number, (of, refers_to, name, kind, validated) in after.constraints.items():
        if number in before.constraints:
            if validated and not before.constraints[number][4] and of == oid:
                yield _change("validated", table, name=name)
        elif kind in "cf" and of == oid:
            other = before.tables.get(refers_to, "") if kind == "f" else ""
            checked = "constraint" if validated else "constraint_not_valid"
            yield _change(checked, table, name=name, **({"other": other} if other else {}))
    for number, (of, name, unique) in after.indexes.items():
        if of == oid and number not in before.indexes:
            yield _change("unique" if unique else "index", table, name=name)


def _change(kind: str, table: str, **about: str) -> dict[str, str]:
    return {"kind": kind, "table": table, **about}


def _rows(connection: BaseDatabaseWrapper, query: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())
