"""What stands in a database at one moment, and what a transaction holds, as PostgreSQL's own catalogue has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.backends.base.base import BaseDatabaseWrapper

# Django's own record of what was applied: every migration writes it.
RECORD = "django_migrations"
# Views are read like tables; where the release before does so, nobody can see.
TABLES = """
SELECT c.oid, c.relname, n.nspname, c.relkind IN ('v', 'm'), pg_relation_filenode(c.oid), c.relrowsecurity
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
"""
# A column that fills itself in needs nothing from who inserts a row.
COLUMNS = """
SELECT a.attrelid, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
a.atthasdef OR a.attidentity <> '' FROM pg_attribute a WHERE a.attnum > 0 AND NOT a.attisdropped
"""
CONSTRAINTS = """
SELECT oid, conrelid, confrelid, conname, contype, convalidated, conkey::int[], conindid FROM pg_constraint
WHERE contype IN ('c', 'f', 'x') AND conrelid <> 0
"""
INDEXES = """
SELECT i.indexrelid, i.indrelid, c.relname, i.indisunique, i.indkey::int[], pg_get_indexdef(i.indexrelid),
pg_relation_filenode(i.indexrelid)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
"""
TRIGGERS = "SELECT oid, tgrelid, tgname FROM pg_trigger WHERE NOT tgisinternal"
# Held until the transaction ends; a table that was dropped still has its lock, and no name any more.
LOCKS = "SELECT relation, mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' AND granted"


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table, or a view. `file` is another one after all of it was written anew; a view has none."""

    name: str
    schema: str
    is_view: bool
    file: int | None
    row_security: bool


@dataclass(frozen=True, kw_only=True)
class Column:
    """`fills_itself`: it has a default, is generated or counts up."""

    name: str
    type: str
    not_null: bool
    fills_itself: bool


@dataclass(frozen=True, kw_only=True)
class Constraint:
    """A check (`c`), a foreign key (`f`) or an exclusion (`x`, with its index); uniqueness is an index."""

    table: int
    refers_to: int
    name: str
    kind: str
    validated: bool
    columns: frozenset[int]
    index: int


@dataclass(frozen=True, kw_only=True)
class Index:
    """`columns` are numbers; 0 is an expression. One with the file of another was not built, but given a new number."""

    table: int
    name: str
    unique: bool
    columns: frozenset[int]
    definition: str
    file: int | None


@dataclass(frozen=True, kw_only=True)
class Schema:
    """What stands in a database at one moment, by the numbers that PostgreSQL gives it: they outlive a new name."""

    tables: Mapping[int, Table]
    columns: Mapping[tuple[int, int], Column]
    constraints: Mapping[int, Constraint]
    indexes: Mapping[int, Index]
    triggers: Mapping[int, tuple[int, str]]


def look(connection: BaseDatabaseWrapper) -> Schema:
    """Take down what is in the database now."""
    return Schema(
        tables={
            oid: Table(name=name, schema=schema, is_view=is_view, file=file, row_security=row_security)
            for oid, name, schema, is_view, file, row_security in _rows(connection, TABLES)
            if name != RECORD
        },
        columns={
            (table, number): Column(name=name, type=type_, not_null=not_null, fills_itself=fills_itself)
            for table, number, name, type_, not_null, fills_itself in _rows(connection, COLUMNS)
        },
        constraints={
            oid: Constraint(
                table=table,
                refers_to=refers_to,
                name=name,
                kind=kind,
                validated=validated,
                columns=frozenset(columns or ()),
                index=index,
            )
            for oid, table, refers_to, name, kind, validated, columns, index in _rows(connection, CONSTRAINTS)
        },
        indexes={
            oid: Index(
                table=table, name=name, unique=unique, columns=frozenset(columns), definition=definition, file=file
            )
            for oid, table, name, unique, columns, definition, file in _rows(connection, INDEXES)
        },
        triggers={oid: (table, name) for oid, table, name in _rows(connection, TRIGGERS)},
    )


def locks(connection: BaseDatabaseWrapper, before: Schema) -> dict[str, list[str]]:
    """Return the locks that the transaction under way holds on tables and views of before, by name."""
    held: dict[str, set[str]] = {}
    for oid, mode in _rows(connection, LOCKS):
        if oid in before.tables:
            held.setdefault(before.tables[oid].name, set()).add(mode)
    return {table: sorted(modes) for table, modes in sorted(held.items())}


def _rows(connection: BaseDatabaseWrapper, query: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())
