"""What `manage.py migration_plan` tells of one migration, and what its locks keep others from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

READ_OR_WRITE, WRITE = "read or write", "write to"
# By PostgreSQL's documentation, Explicit Locking: the first conflicts with everything, the others with all that
# changes rows (ROW EXCLUSIVE).
_BLOCKING = {
    "AccessExclusiveLock": READ_OR_WRITE,
    "ExclusiveLock": WRITE,
    "ShareRowExclusiveLock": WRITE,
    "ShareLock": WRITE,
}
ROWS_CHANGED = "RowExclusiveLock"
NAME = r'(?:"(?:[^"]|"")+"|\w+)(?:\.(?:"(?:[^"]|"")+"|\w+))?'
_SUBJECT = re.compile(
    r"\s*(?:SET\s+CONSTRAINTS\s+\S+\s+IMMEDIATE\s*;\s*)?(?:"
    rf"(?:ALTER|CREATE|DROP)\s+TABLE\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?(?:ONLY\s+)?(?P<table>{NAME})"
    rf"|CREATE\s+(?:UNIQUE\s+)?INDEX\b[^(]*?\sON\s+(?:ONLY\s+)?(?P<indexed>{NAME})"
    rf"|(?:UPDATE|DELETE\s+FROM|TRUNCATE(?:\s+TABLE)?)\s+(?:ONLY\s+)?(?P<changed>{NAME}))",
    re.IGNORECASE,
)
_BESIDES = re.compile(r";\s*SET\s+CONSTRAINTS\s+\S+\s+IMMEDIATE\s*$", re.IGNORECASE)
_CREATED = re.compile(rf"\s*CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?({NAME})", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation; `parts` are the classes of indexes and constraints in it, which make SQL of their own."""

    type: str
    parts: tuple[str, ...]
    runs_code: bool
    sql: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Account:
    """One migration. What nobody could find out is None: never the same as nothing."""

    name: str
    undoable: bool
    why: str
    atomic: bool
    operations: tuple[Operation, ...] | None
    sql: tuple[str, ...]
    changes: tuple[Mapping[str, str], ...]
    locks: Mapping[str, tuple[str, ...]] | None
    error: str

    @property
    def runs_code(self) -> bool:
        """Whether Python of its own goes over the data."""
        return any(operation.runs_code for operation in self.operations or ())

    def blocks(self, table: str, otherwise: str = "") -> str:
        """Return what nobody else can do with a table until the end, or `otherwise` where no lock says so."""
        modes = (self.locks or {}).get(table, ())
        return next((blocked for mode, blocked in _BLOCKING.items() if mode in modes), otherwise)

    def tables_with_changed_rows(self) -> Iterator[str]:
        """Answer the tables of before in which rows were added, changed or removed."""
        return (table for table, modes in (self.locks or {}).items() if ROWS_CHANGED in modes)

    def is_about_a_new_table(self, statement: str) -> bool:
        """Say whether a statement is surely about a table that this migration has made: nobody uses it."""
        made = {bare(found[1]) for each in self.sql if (found := _CREATED.match(each))}
        is_one = ";" not in _BESIDES.sub("", statement).strip().rstrip(";")
        return is_one and subject(statement) in made - set(self.locks or ())


def account_of(told: Mapping[str, Any]) -> Account:
    """Read one account. An image without the command tells less; an older command, less than this one."""
    operations, locks = told.get("operations"), told.get("locks")
    return Account(
        name=str(told["name"]),
        undoable=bool(told.get("undoable", True)),
        why=str(told.get("why") or ""),
        atomic=bool(told.get("atomic", True)),
        operations=None if operations is None else tuple(_operation(each) for each in operations),
        sql=tuple(str(statement) for statement in told.get("sql", ())),
        changes=tuple(told.get("changes", ())),
        locks=None if locks is None else {str(table): tuple(modes) for table, modes in locks.items()},
        error=str(told.get("error") or ""),
    )


def subject(statement: str) -> str:
    """Return the table that a statement is about; empty where that cannot be told by its beginning."""
    found = _SUBJECT.match(statement)
    return bare(next(name for name in found.groups() if name)) if found else ""


def bare(name: str) -> str:
    """Return a name as the catalogue has it: without its schema and quotation marks."""
    last = re.findall(r'"(?:[^"]|"")+"|\w+', name)[-1]
    return str(last[1:-1].replace('""', '"') if last.startswith('"') else last.lower())


def _operation(told: Mapping[str, Any]) -> Operation:
    return Operation(
        type=str(told["type"]),
        parts=tuple(str(part) for part in told.get("parts", ())),
        runs_code=bool(told.get("runs_code")),
        sql=tuple(str(statement) for statement in told.get("sql", ())),
    )
