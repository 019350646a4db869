"""Which migrations can be undone, so that the database is what it was: an operator must know before going back."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from django.db.migrations import operations

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.db.migrations import Migration
    from django.db.migrations.operations.base import Operation


@dataclass(frozen=True, kw_only=True)
class Applied:
    """A migration that was applied. `why` says, where it cannot be undone, what stands in the way."""

    name: str
    undoable: bool
    why: str


def describe(migrations: Iterable[Migration]) -> list[dict[str, str | bool]]:
    """Describe migrations as the log line about them does."""
    return [asdict(judge(migration)) for migration in migrations]


def judge(migration: Migration) -> Applied:
    """Say whether a migration can be undone; Django's own answer is about the schema only, not about what was in it."""
    obstacles = [obstacle for operation in migration.operations for obstacle in _obstacles(migration, operation)]
    return Applied(
        name=f"{migration.app_label}.{migration.name}", undoable=not obstacles, why="; ".join(dict.fromkeys(obstacles))
    )


def _obstacles(migration: Migration, operation: Operation) -> Iterator[str]:
    app = migration.app_label
    if isinstance(operation, operations.SeparateDatabaseAndState):
        for each in operation.database_operations:
            yield from _obstacles(migration, each)
    elif not operation.reversible:
        yield f"{type(operation).__name__} has no way back"
    elif isinstance(operation, operations.DeleteModel):
        yield f"the rows of {app}.{operation.name} are gone"
    elif isinstance(operation, operations.RemoveField):
        yield f"the values of {app}.{operation.model_name}.{operation.name} are gone"
