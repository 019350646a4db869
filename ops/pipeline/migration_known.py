"""What of a migration is positively known to be over at once and to harm nobody; all else, a person has to read.

Trying a migration on tables without rows shows what became of the schema, and which locks were held. It shows nothing
of what happens to rows, of what waits, or of what is neither. So silence of what was measured is believed only where
everything in the migration is of a kind that Django writes, and that was read here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ops.pipeline.migration_account import NAME, ROWS_CHANGED, subject
from ops.pipeline.migration_risks import Risk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from ops.pipeline.migration_account import Account, Operation

_READ_IT = (
    "A person has to read it: what it does to rows, views and rights, whether the release that runs now bears that, "
    "and how long it takes with as many rows as the stack has."
)
_OLD_KIT = "Copy `app_image/deployment/` into the image anew (docs/app-contract.md), and run the job again."
_RUN_SQL = "django.db.migrations.operations.special.RunSQL"
_RUN_PYTHON = "django.db.migrations.operations.special.RunPython"
_OPERATIONS = frozenset(
    f"django.{module}.{name}"
    for module, names in {
        "db.migrations.operations.models": (
            "CreateModel DeleteModel RenameModel AlterModelTable AlterModelTableComment AlterModelOptions "
            "AlterModelManagers AlterUniqueTogether AlterIndexTogether AlterOrderWithRespectTo AddIndex RemoveIndex "
            "RenameIndex AddConstraint RemoveConstraint AlterConstraint"
        ),
        "db.migrations.operations.fields": "AddField RemoveField AlterField RenameField",
        "contrib.postgres.operations": (
            "AddIndexConcurrently RemoveIndexConcurrently AddConstraintNotValid ValidateConstraint"
        ),
    }.items()
    for name in names.split()
)
_CONCURRENTLY = (
    rf"CREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\s+(?:IF\s+NOT\s+EXISTS\s+)?{NAME}\s+ON\s[^;]*",
    rf"DROP\s+INDEX\s+CONCURRENTLY\s+(?:IF\s+EXISTS\s+)?{NAME}",
)
# Statements that somebody wrote: what they do is in the catalogue afterwards, and nobody waits for them.
_WRITTEN = (
    *_CONCURRENTLY,
    r"COMMENT\s+ON\s+(?:TABLE|COLUMN|INDEX|CONSTRAINT|VIEW)\s[^;]*",
    r"SET\s+(?:LOCAL\s+)?(?:lock_timeout|statement_timeout)\s*(?:=|TO)\s*[^;]*",
    rf"ALTER\s+TABLE\s+(?:ONLY\s+)?{NAME}\s+VALIDATE\s+CONSTRAINT\s+{NAME}",
    r"",
)
# Statements that Django's operations make: the same, and those whose lock is strong and over at once.
_AT_ONCE = r"(?:SET\s+DEFAULT\s(?:(?!,\s*ALTER\s+COLUMN\s).)*|DROP\s+DEFAULT|DROP\s+NOT\s+NULL)"
_READS_ROWS = "CHECK|REFERENCES|UNIQUE|PRIMARY|GENERATED|CONSTRAINT"
_MADE = (
    *_WRITTEN,
    rf"CREATE\s+TABLE\s+{NAME}\s*\(.*",
    rf"DROP\s+TABLE\s+{NAME}(?:\s+CASCADE)?",
    rf"(?:DROP\s+INDEX\s+(?:IF\s+EXISTS\s+)?{NAME}|ALTER\s+INDEX\s+{NAME}\s+RENAME\s+TO\s+{NAME})",
    rf"SET\s+CONSTRAINTS\s+{NAME}\s+IMMEDIATE",
    rf"ALTER\s+TABLE\s+{NAME}\s+(?:RENAME\s.*|DROP\s+COLUMN\s.*|DROP\s+CONSTRAINT\s+(?:IF\s+EXISTS\s+)?{NAME})",
    rf"ALTER\s+TABLE\s+{NAME}\s+ALTER\s+COLUMN\s+{NAME}\s+{_AT_ONCE}(?:,\s*ALTER\s+COLUMN\s+{NAME}\s+{_AT_ONCE})*",
    rf"ALTER\s+TABLE\s+{NAME}\s+ADD\s+COLUMN\s+{NAME}\s(?!.*\b(?:{_READS_ROWS})\b).*",
)
# Held for a moment by what is known above; any other must have been told as what it is for.
_FOR_A_MOMENT = frozenset(
    f"{mode}Lock"
    for mode in ("AccessShare", "RowShare", "ShareUpdateExclusive", "ShareRowExclusive", "AccessExclusive")
)


def unknown(account: Account, told: AbstractSet[str]) -> Iterator[Risk]:
    """Answer what is not known to be harmless. `told` are the tables of which something was told already."""
    name = account.name
    if account.operations is None:
        what = "what it consists of is not known: the image's `manage.py migration_plan` is an older one"
        yield Risk(migration=name, what=what, remedy=_OLD_KIT, breaks=False)
    for operation in account.operations or ():
        yield from _of_operation(name, operation)
    if not account.runs_code:
        yield from _of_statements(account, told)
    yield from _of_locks(account, told)


def has_unknown_sql(account: Account) -> bool:
    """Say whether somebody wrote SQL of whose duration nothing is known."""
    return any(_unread(operation) for operation in account.operations or ())


def _of_operation(name: str, operation: Operation) -> Iterator[Risk]:
    if operation.type == _RUN_SQL:
        if statements := _unread(operation):
            what = (
                "what SQL of its own does to rows, and how long that takes, was not found out by trying it without rows"
            )
            yield Risk(migration=name, what=what, remedy=_READ_IT, statement="; ".join(statements), breaks=False)
    elif operation.type not in {*_OPERATIONS, _RUN_PYTHON}:
        what = f"what {operation.type} does is not known here, but for what became of the schema"
        yield Risk(migration=name, what=what, remedy=_READ_IT, breaks=False)
    for part in operation.parts:
        if not part.startswith("django."):
            what = f"what SQL {part} makes is not known here, but for what became of the schema"
            yield Risk(migration=name, what=what, remedy=_READ_IT, breaks=False)


def _of_statements(account: Account, told: AbstractSet[str]) -> Iterator[Risk]:
    written = {_plain(statement) for operation in account.operations or () for statement in operation.sql}
    for statement in account.sql:
        known = _plain(statement) in written or account.is_about_a_new_table(statement) or subject(statement) in told
        if not known and not all(_is_one_of(_MADE, part) for part in _parts(statement)):
            what = "what this statement keeps others from, and how long, is not known here"
            yield Risk(migration=account.name, what=what, remedy=_READ_IT, statement=statement, breaks=False)


def _of_locks(account: Account, told: AbstractSet[str]) -> Iterator[Risk]:
    if account.locks is None and account.atomic and account.operations is not None and not account.error:
        what = "which locks it holds is not known"
        yield Risk(migration=account.name, what=what, remedy=_READ_IT, breaks=False)
    for table, modes in (account.locks or {}).items():
        others = sorted(set(modes) - _FOR_A_MOMENT - {ROWS_CHANGED})
        if others and table not in told:
            what = f"what it holds {table} for ({', '.join(others)}) was not found out"
            yield Risk(migration=account.name, what=what, remedy=_READ_IT, breaks=False)


def _unread(operation: Operation) -> list[str]:
    return [each for each in operation.sql if operation.type == _RUN_SQL and not _is_one_of(_WRITTEN, _plain(each))]


def _is_one_of(kinds: tuple[str, ...], statement: str) -> bool:
    return any(re.fullmatch(kind, statement, re.IGNORECASE | re.DOTALL) for kind in kinds)


def _parts(statement: str) -> list[str]:
    """Return the statements in one that Django has put together; one with a text in it is not taken apart."""
    return [_plain(statement)] if "'" in statement else [part.strip() for part in _plain(statement).split(";")]


def _plain(statement: str) -> str:
    return statement.strip().rstrip(";").rstrip()
