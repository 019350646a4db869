"""Which migrations can be undone, so that the database is what it was: an operator must know before going back."""

from __future__ import annotations

import dis
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import sqlparse
from django.db import connection
from django.db.migrations import operations
from django.db.migrations.state import ProjectState
from django.db.models import NOT_PROVIDED

from deployment.column_types import holds_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.db.migrations import Migration
    from django.db.migrations.operations.base import Operation
    from django.db.models import Field

# Statements after which rows or values are gone, whatever way back stands beside them: these, and each DROP of
# anything that is not known to have none.
_KEEPS_ROWS = "INDEX|CONSTRAINT|DEFAULT|NOT|IDENTITY|TRIGGER|VIEW|FUNCTION|PROCEDURE|POLICY|RULE"
_TAKES_AWAY = re.compile(
    rf"\b(DELETE\s+FROM|TRUNCATE|DROP\s+(?!(?:{_KEEPS_ROWS})\b)\"?\w+)",
    re.IGNORECASE,
)
_NOTHING = re.compile(r"\s*(?:SELECT\s+\d+)?\s*;?\s*", re.IGNORECASE)
# What the body of a function is made of that does nothing: `pass`, `return None`, `lambda *_: None`.
_IDLE = {"RESUME", "NOP", "LOAD_CONST", "RETURN_CONST", "RETURN_VALUE"}


@dataclass(frozen=True, kw_only=True)
class Applied:
    """A migration that was applied. `why` says, where it cannot be undone, what stands in the way."""

    name: str
    undoable: bool
    why: str


def describe(migrations: Iterable[Migration], before: ProjectState) -> list[dict[str, str | bool]]:
    """Describe migrations, which follow on each other and on this state, as the log line about them does."""
    told, state = [], _copy(before)
    for migration in migrations:
        told.append(asdict(judge(migration, state)))
        state = migration.mutate_state(state, preserve=False)
    return told


def judge(migration: Migration, before: ProjectState) -> Applied:
    """Say whether a migration can be undone; Django's own answer is about the schema only, not about what was in it."""
    obstacles = list(dict.fromkeys(_obstacles(migration.app_label, migration.operations, _copy(before))))
    return Applied(name=f"{migration.app_label}.{migration.name}", undoable=not obstacles, why="; ".join(obstacles))


def _obstacles(app: str, found: Iterable[Operation], state: ProjectState) -> Iterator[str]:
    """Walk through the operations, each judged on the models as they are before it."""
    for operation in found:
        if isinstance(operation, operations.SeparateDatabaseAndState):
            yield from _obstacles(app, operation.database_operations, _copy(state))
        else:
            yield from _of_one(app, operation, state)
        operation.state_forwards(app, state)


def _of_one(app: str, operation: Operation, state: ProjectState) -> Iterator[str]:
    kind = type(operation).__name__
    if not operation.reversible:
        yield f"{kind} has no way back"
    elif isinstance(operation, operations.RunPython):
        if _idle(operation.reverse_code) and not _idle(operation.code):
            yield f"{kind} goes back without restoring what it changed"
    elif isinstance(operation, operations.RunSQL):
        yield from _of_sql(kind, operation)
    elif not type(operation).__module__.startswith("django."):
        yield f"what {kind} does, and whether its way back restores it, is not known"
    elif isinstance(operation, operations.DeleteModel):
        yield f"the rows of {app}.{operation.name} are gone"
    elif isinstance(operation, operations.RemoveField):
        yield f"the values of {app}.{operation.model_name}.{operation.name} are gone"
    elif isinstance(operation, operations.AlterField):
        yield from _of_field(app, operation, state)


def _of_sql(kind: str, operation: operations.RunSQL) -> Iterator[str]:
    forwards, backwards = (_texts(sql) for sql in (operation.sql, operation.reverse_sql))
    if all(_NOTHING.fullmatch(text) for text in forwards):
        return
    if all(_NOTHING.fullmatch(text) for text in backwards):
        yield f"{kind} goes back without restoring what it changed"
    for text in forwards:
        for words in _TAKES_AWAY.findall(text):
            yield f"what {kind} takes away ({' '.join(words.split())}) is gone"


def _of_field(app: str, operation: operations.AlterField, state: ProjectState) -> Iterator[str]:
    name = f"{app}.{operation.model_name}.{operation.name}"
    model = state.models.get((app, operation.model_name_lower))
    was, now = model.fields.get(operation.name) if model else None, operation.field
    if was is None:
        yield f"what {name} was before is not known"
        return
    if not _keeps_values(was, now):
        yield f"the values of {name} may have been cut, rounded or put into another form"
    if was.null and not now.null and _fills(now):
        yield f"which rows had no {name} is not known any more"


def _fills(field: Field[Any, Any]) -> bool:
    """Say whether Django gives rows without a value this field's default."""
    return field.has_default() or getattr(field, "db_default", NOT_PROVIDED) is not NOT_PROVIDED


def _keeps_values(was: Field[Any, Any], now: Field[Any, Any]) -> bool:
    if was.remote_field or now.remote_field:
        # A column of another table's keys: while it refers to the same, its type is what that has.
        targets = [(type(each), *_target(each)) for each in (was, now)]
        return targets[0] == targets[1]
    of, to = was.db_type(connection), now.db_type(connection)
    return of == to or bool(of and to and holds_all(of, to))


def _target(field: Field[Any, Any]) -> tuple[str, object]:
    remote = field.remote_field
    if remote is None:
        return "", None
    return str(remote.model).lower(), getattr(remote, "field_name", None)


def _texts(sql: Any) -> list[str]:  # noqa: ANN401 - a text, or texts with values
    if isinstance(sql, str):
        sql = [sql]
    texts = [str(each[0] if isinstance(each, tuple | list) else each) for each in sql]
    return [sqlparse.format(text, strip_comments=True) for text in texts]


def _idle(code: Any) -> bool:  # noqa: ANN401 - whatever a migration names
    body = getattr(code, "__code__", None)
    return body is not None and all(step.opname in _IDLE for step in dis.get_instructions(body))


def _copy(state: ProjectState) -> ProjectState:
    """Return a picture of the models to go on with; nothing of it is drawn as classes, which takes seconds."""
    return ProjectState(models={key: model.clone() for key, model in state.models.items()}, real_apps=state.real_apps)
