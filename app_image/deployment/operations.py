"""What a migration is made of, as far down as the database is reached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.postgres import operations as postgres
from django.db.migrations import Migration, operations

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.migrations.operations.base import Operation

_WITH_INDEX = (operations.AddIndex, postgres.AddIndexConcurrently)
_WITH_CONSTRAINT = (operations.AddConstraint, postgres.AddConstraintNotValid)


def flattened(found: Iterable[Operation]) -> Iterator[Operation]:
    """Answer the operations that reach the database: what only Django's picture of the models learns is left out."""
    for operation in found:
        if isinstance(operation, operations.SeparateDatabaseAndState):
            yield from flattened(operation.database_operations)
        else:
            yield operation


def described(migration: Migration, connection: BaseDatabaseWrapper) -> list[dict[str, Any]]:
    """Describe each operation: its `type`, the `parts` of it that make SQL of their own, and `sql` that was written."""
    told = [
        {
            "type": _name(operation),
            "parts": sorted({_name(part) for part in _parts(operation)}),
            **({"sql": _statements(operation.sql, connection)} if isinstance(operation, operations.RunSQL) else {}),
            "runs_code": isinstance(operation, operations.RunPython),
        }
        for operation in flattened(migration.operations)
    ]
    if type(migration).apply is not Migration.apply:
        told.append({"type": f"{_name(migration)}.apply", "parts": [], "runs_code": True})
    return told


def _parts(operation: Operation) -> Iterator[object]:
    if isinstance(operation, _WITH_INDEX):
        yield operation.index
    elif isinstance(operation, _WITH_CONSTRAINT):
        yield operation.constraint
    elif isinstance(operation, operations.CreateModel):
        yield from operation.options.get("indexes", ())
        yield from operation.options.get("constraints", ())


def _statements(sql: Any, connection: BaseDatabaseWrapper) -> list[str]:  # noqa: ANN401 - a text, or texts with values
    if isinstance(sql, str):
        return list(connection.ops.prepare_sql_script(sql))
    return [str(each[0] if isinstance(each, tuple | list) else each) for each in sql]


def _name(thing: object) -> str:
    return f"{type(thing).__module__}.{type(thing).__qualname__}"
