"""What a migration means, all of it: what was measured, what nobody can see without rows, and what is not known."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ops.pipeline import migration_known, migration_squawk
from ops.pipeline.migration_account import account_of
from ops.pipeline.migration_risks import HARMLESS, LONG, MEANINGS, Risk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ops.pipeline.migration_account import Account

_CODE = "its code goes over rows: how long that takes depends on how many there are"
_ROWS = "rows of {table} are changed: how long that takes depends on how many there are"
_ROWS_HELD = ", and nobody else can change the rows it has changed until the migration ends"
_IN_PIECES = "Change rows in pieces, each its own transaction (`atomic = False`), and no schema in the same migration."
_HELD = "nobody can {blocks} {table} until the migration ends, and in the same transaction {meanwhile}"
_APART = "Put what takes long into a migration of its own, after this one."
_NO_WAY_BACK = ("`ops rollback` keeps the schema, and the data is not what it was: {why}", "Take a snapshot before.")
_NOT_ATOMIC = (
    "it is not one transaction: where it fails, a part of it stays",
    "See that it can be run again: `ops migrate` begins it anew.",
)
_FAILS = (
    "Correct it, for an empty database (a new stack, a test) must migrate, too: what needs rows does nothing where "
    "there are none. With the stack's rows it may pass; that nobody can try here."
)
_UNREAD = (
    "squawk could not read a statement ({message}): what it would say of it is not known",
    "A person has to read it, for long locks and for what the release that runs now would miss.",
)
# What squawk would only say again.
_SAYS_AGAIN: Mapping[str, str] = {
    "foreign_key": "constraint",
    "exclusion": "constraint",
    "constraint_not_valid": "constraint",
    "type_changed": "rewritten",
    "type_narrowed": "rewritten",
}


def risks(told: Mapping[str, Any], *, looked: bool = True) -> list[Risk]:
    """Return what one migration means; its account is `manage.py migration_plan`'s where it was looked at.

    Nothing in it is a statement, too: nobody waits for long, and the release that runs now goes on. So there is nothing
    only where all of it is known to be so.

    Raises:
        CannotAct: squawk cannot be asked.

    """
    account = account_of(told)
    changes = [_as_told(account, change) for change in account.changes]
    told_tables = {table for kind, change in changes if kind in MEANINGS for table in _tables(change)}
    told_tables |= set(account.tables_with_changed_rows())
    kinds = {kind for kind, _ in changes}
    return [
        *_of_changes(account, changes),
        *_of_the_whole(account, changes),
        *(migration_known.unknown(account, told_tables) if looked else ()),
        *_by_squawk(account, kinds | {_SAYS_AGAIN.get(kind, kind) for kind in kinds}),
    ]


def _as_told(account: Account, change: Mapping[str, str]) -> tuple[str, Mapping[str, str]]:
    """Return a change by the kind that says most of it: what the catalogue calls alike, users do not."""
    kind, table, name = str(change["kind"]), change["table"], change.get("name", "")
    if kind in {"index", "unique"} and _built_beside_users(account, name):
        return ("index_concurrent" if kind == "index" else "unique_concurrent"), change
    if kind == "constraint" and change.get("other"):
        return "foreign_key", change
    emptied = rf'\s*TRUNCATE\b[^;]*?(?:"{re.escape(table)}"|\b(?i:{re.escape(table)})\b)'
    if kind == "rewritten" and any(re.match(emptied, each, re.IGNORECASE) for each in account.sql):
        return "rows_gone", change
    return kind, change


def _built_beside_users(account: Account, name: str) -> bool:
    """Say whether each statement that builds the index of this very name does it concurrently, and there is one."""
    called = rf'(?:IF\s+NOT\s+EXISTS\s+)?(?:"{re.escape(name)}"|{re.escape(name)})\s+ON\b'
    index = r"\s*CREATE\s+(?:UNIQUE\s+)?INDEX"
    building = [each for each in account.sql if re.match(rf"{index}\b.*?\s{called}", each, re.IGNORECASE | re.DOTALL)]
    beside = [each for each in building if re.match(rf"{index}\s+CONCURRENTLY\s+{called}", each, re.IGNORECASE)]
    return bool(beside) and len(beside) == len(building)


def _tables(change: Mapping[str, str]) -> list[str]:
    return [change["table"], *([change["other"]] if "other" in change else [])]


def _of_changes(account: Account, changes: Sequence[tuple[str, Mapping[str, str]]]) -> Iterator[Risk]:
    rewritten = {change["table"] for kind, change in changes if kind in {"rewritten", "rows_gone"}}
    for kind, change in changes:
        # A table that is written anew builds its indexes anew: that is not another risk.
        if kind not in MEANINGS or (kind == "index" and change["table"] in rewritten):
            continue
        what, remedy = MEANINGS[kind]
        about = change.get("column") or change.get("name") or change["table"]
        naming = [each for each in account.sql if f'"{about}"' in each]
        # An index of that name may have been dropped before.
        statement = next((each for each in naming if kind not in LONG or not each.startswith("DROP")), "")
        blocks = account.blocks(change["table"], LONG.get(kind, ""))
        other_blocks = account.blocks(change.get("other", ""), LONG["foreign_key"])
        words = what.format(**{**change, "blocks": blocks, "other_blocks": other_blocks})
        yield Risk(migration=account.name, what=words, remedy=remedy, statement=statement, breaks=kind not in HARMLESS)


def _of_the_whole(account: Account, changes: Sequence[tuple[str, Mapping[str, str]]]) -> Iterator[Risk]:
    name = account.name
    if account.error:
        yield Risk(migration=name, what=f"it fails, tried on tables without rows: {account.error}", remedy=_FAILS)
    yield from _held(account, changes)
    held = _ROWS_HELD if account.atomic else ""
    if account.runs_code:
        yield Risk(migration=name, what=_CODE + held, remedy=_IN_PIECES, breaks=False)
    else:
        for table in account.tables_with_changed_rows():
            yield Risk(migration=name, what=_ROWS.format(table=table) + held, remedy=_IN_PIECES, breaks=False)
    if not account.undoable:
        what = _NO_WAY_BACK[0].format(why=account.why or "nobody knows")
        yield Risk(migration=name, what=what, remedy=_NO_WAY_BACK[1], breaks=False)
    if not account.atomic:
        yield Risk(migration=name, what=_NOT_ATOMIC[0], remedy=_NOT_ATOMIC[1], breaks=False)


def _held(account: Account, changes: Sequence[tuple[str, Mapping[str, str]]]) -> Iterator[Risk]:
    """A lock that a moment would need is held for as long as anything else in its transaction takes."""
    if not account.atomic:
        return
    long = [(kind, change) for kind, change in changes if kind in LONG]
    reasons = {
        "code goes over rows": account.runs_code,
        "rows are changed": not account.runs_code and any(account.tables_with_changed_rows()),
        "SQL of its own runs": migration_known.has_unknown_sql(account),
        "rows are read, written anew or put into an index": bool(long),
    }
    meanwhile = " and ".join(reason for reason, holds in reasons.items() if holds)
    # Of these the same was said with the change that takes long, where nothing else does.
    only_long = sum(reasons.values()) == 1 and bool(long)
    said = {table for _, change in long for table in _tables(change)} if only_long else set()
    for table in account.locks or {}:
        blocks = account.blocks(table)
        if meanwhile and blocks and table not in said:
            what = _HELD.format(table=table, blocks=blocks, meanwhile=meanwhile)
            yield Risk(migration=account.name, what=what, remedy=_APART)


def _by_squawk(account: Account, known: set[str]) -> Iterator[Risk]:
    """What squawk reads out of the statements and nobody could see happen, such as checks of constraints."""
    seen: set[str] = set()
    for finding in migration_squawk.read(account.sql, atomic=account.atomic):
        if not finding.kind:
            what = _UNREAD[0].format(message=finding.message)
            yield Risk(migration=account.name, what=what, remedy=_UNREAD[1], statement=finding.statement, breaks=False)
        elif finding.kind not in known | seen and not account.is_about_a_new_table(finding.statement):
            seen.add(finding.kind)
            what = f"squawk: {finding.message}"
            yield Risk(migration=account.name, what=what, remedy=finding.help, statement=finding.statement)
