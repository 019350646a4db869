"""What a migration means to the people who use the application while it is carried out, and to the release before.

A deployment migrates while the old release serves: until the last old task has gone it works on the new schema.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ops.errors import CannotAct

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_SQUAWK_SECONDS = 60
EXPAND = "Do it in two releases: one whose code needs it no more, and after that one which takes it away."
# By the kind of change: what it means to users, and what to do. `{table}` and the like are from the account.
_MEANINGS: Mapping[str, tuple[str, str]] = {
    "table_gone": ("the release that runs now still uses table {table}: its requests fail from here on", EXPAND),
    "table_renamed": ("the release that runs now looks for table {table}, and does not find it", EXPAND),
    "column_gone": (
        "the release that runs now still reads and writes {table}.{column}: each of its requests to that table fails",
        EXPAND,
    ),
    "column_renamed": (
        "the release that runs now looks for {table}.{column}, which is called {to} then: its requests fail",
        EXPAND,
    ),
    "column_required": (
        "{table}.{column} must have a value, and the release that runs now gives it none: it can add no rows",
        "Give it a default in the database (`db_default`, Django 5.0), or make it nullable first.",
    ),
    "not_null": (
        (
            "{table}.{column} must have a value now: all rows are read while nobody can use the table, and the release "
            "that runs now may write none"
        ),
        (
            "Fill it and have the code always write it in one release; in the next add a constraint NOT VALID, "
            "validate it, then set NOT NULL."
        ),
    ),
    "type_changed": (
        "{table}.{column} changes from {was} to {to}, which the release that runs now does not know",
        "Where it is more than a longer text, add a second column, write both, and change over.",
    ),
    "rewritten": (
        (
            "table {table} is written anew as a whole: nobody can read or write it until that is done, minutes for "
            "millions of rows"
        ),
        "Add a second column instead, fill it in pieces, and change over in a later release.",
    ),
    "index": (
        "nobody can write to {table} while the index {name} is built",
        "Use `AddIndexConcurrently` (django.contrib.postgres) in a migration with `atomic = False`.",
    ),
    "unique": (
        (
            "rows of {table} that are alike make the migration fail, the release that runs now may add more, and "
            "nobody can use the table while {name} is built"
        ),
        "Find and mend such rows first; build the unique index concurrently, then attach the constraint to it.",
    ),
    "constraint": (
        (
            "all rows of {table} are checked against {name} while nobody can write to it; one that does not keep to it "
            "makes the migration fail"
        ),
        "Use `AddConstraintNotValid`, and `ValidateConstraint` in a migration of its own (django.contrib.postgres).",
    ),
}
_CODE = (
    (
        "its code goes over rows: how long that takes depends on how many there are, and nobody else can change the "
        "rows it has changed until the migration ends"
    ),
    "Change rows in pieces, each its own transaction (`atomic = False`), and no schema in the same migration.",
)
_HELD = (
    "nobody can use {table} while code goes over rows in the same transaction",
    "Put the code (RunPython) into a migration of its own, after this one.",
)
_NO_WAY_BACK = ("`ops rollback` keeps the schema, and the data is not what it was: {why}", "Take a snapshot before.")
_NOT_ATOMIC = (
    "it is not one transaction: where it fails, a part of it stays",
    "See that it can be run again: `ops migrate` begins it anew.",
)
# What squawk says of statements, in the terms above; what it says besides is about taste or about what was measured.
_SQUAWK: Mapping[str, str] = {
    "ban-drop-column": "column_gone",
    "ban-drop-table": "table_gone",
    "renaming-column": "column_renamed",
    "renaming-table": "table_renamed",
    "changing-column-type": "rewritten",
    "adding-not-nullable-field": "not_null",
    "adding-required-field": "column_required",
    "adding-field-with-default": "rewritten",
    "require-concurrent-index-creation": "index",
    "require-concurrent-index-deletion": "drop_index",
    "disallowed-unique-constraint": "unique",
    "constraint-missing-not-valid": "constraint",
    "adding-foreign-key-constraint": "constraint",
    "ban-truncate-cascade": "truncate",
}


@dataclass(frozen=True, kw_only=True)
class Risk:
    """One thing to know of a migration. `breaks`: users would see errors, or wait for long; else it is to be known."""

    migration: str
    what: str
    remedy: str
    statement: str = ""
    breaks: bool = True


def risks(account: Mapping[str, Any]) -> list[Risk]:
    """Return what one migration means; its account is `manage.py migration_plan`'s."""
    name = str(account["name"])
    measured = list(_measured(name, account))
    kinds = {str(change["kind"]) for change in account.get("changes", ())}
    return [*measured, *_by_squawk(name, account, kinds)]


def _measured(name: str, account: Mapping[str, Any]) -> Iterator[Risk]:
    statements = [str(statement) for statement in account.get("sql", ())]
    rewritten = {change["table"] for change in account.get("changes", ()) if change["kind"] == "rewritten"}
    for change in account.get("changes", ()):
        kind = str(change["kind"])
        concurrent = any("CONCURRENTLY" in each.upper() and change.get("name", "-") in each for each in statements)
        # A table that is written anew builds its indexes anew: that is not another risk. Neither is a foreign key of
        # a column, whose other table is only looked at.
        if kind not in _MEANINGS or (kind == "index" and (concurrent or change["table"] in rewritten)):
            continue
        what, remedy = _MEANINGS[kind]
        about = change.get("column") or change.get("name") or change["table"]
        statement = next((each for each in statements if f'"{about}"' in each), "")
        yield Risk(migration=name, what=what.format(**change), remedy=remedy, statement=statement)
    yield from _of_the_whole(name, account)


def _of_the_whole(name: str, account: Mapping[str, Any]) -> Iterator[Risk]:
    if account.get("error"):
        what = f"it fails, tried on tables without rows: {account['error']}"
        yield Risk(migration=name, what=what, remedy="Correct it: the deployment would end here, red.")
    locks: Mapping[str, Sequence[str]] = account.get("locks") or {}
    if account.get("code"):
        closed = [table for table, modes in locks.items() if "AccessExclusiveLock" in modes]
        for table in closed:
            yield Risk(migration=name, what=_HELD[0].format(table=table), remedy=_HELD[1])
        yield Risk(migration=name, what=_CODE[0], remedy=_CODE[1], breaks=False)
    if not account.get("undoable", True):
        what = _NO_WAY_BACK[0].format(why=account.get("why") or "nobody knows")
        yield Risk(migration=name, what=what, remedy=_NO_WAY_BACK[1], breaks=False)
    if not account.get("atomic", True):
        yield Risk(migration=name, what=_NOT_ATOMIC[0], remedy=_NOT_ATOMIC[1], breaks=False)


def _by_squawk(name: str, account: Mapping[str, Any], known: set[str]) -> Iterator[Risk]:
    """What squawk reads out of the statements and nobody could see happen, such as checks of constraints."""
    statements = [str(statement).rstrip(";") for statement in account.get("sql", ())]
    existing = {str(table) for table in (account.get("locks") or {})}
    seen: set[str] = set()
    for finding in _squawk(statements, atomic=bool(account.get("atomic", True))):
        kind = _SQUAWK.get(str(finding.get("rule_name")), "")
        line = int(finding.get("line", 0))
        statement = statements[line] if line < len(statements) else ""
        # A table that this migration makes is used by nobody; the locks say which were there.
        is_new = account.get("locks") is not None and not any(f'"{table}"' in statement for table in existing)
        if not kind or kind in known | seen or is_new:
            continue
        seen.add(kind)
        remedy = str(finding.get("help") or "Read what squawk says of this rule.")
        yield Risk(migration=name, what=f"squawk: {finding.get('message')}", remedy=remedy, statement=statement)


def _squawk(statements: Sequence[str], *, atomic: bool) -> list[dict[str, Any]]:
    """Ask squawk, one statement a line; it says nothing of what is no SQL to it."""
    if not statements:
        return []
    with tempfile.TemporaryDirectory(prefix="pactum-squawk-") as directory:
        file = Path(directory) / "migration.sql"
        file.write_text("".join(f"{' '.join(each.split())};\n" for each in statements), encoding="utf-8")
        command = [str(Path(sys.executable).with_name("squawk")), "--pg-version", "17", "--reporter", "json"]
        in_transaction = ["--assume-in-transaction"] if atomic else []
        try:
            ran = subprocess.run(
                [*command, *in_transaction, str(file)],
                capture_output=True,
                text=True,
                timeout=_SQUAWK_SECONDS,
                check=False,
                cwd=directory,
            )
            found = json.loads(ran.stdout or "[]")
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            raise CannotAct(
                f"squawk, which reads migrations' SQL, cannot be asked: {error}. It is in requirements-dev.txt: "
                "`make` installs it into .venv.",
            ) from error
    return found if isinstance(found, list) else []
