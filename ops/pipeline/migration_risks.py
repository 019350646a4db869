"""What a change to the schema means to the people who use the application meanwhile, and to the release before.

A deployment migrates while the old release serves: until the last old task has gone it works on the new schema.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ops.pipeline.migration_account import READ_OR_WRITE, WRITE

if TYPE_CHECKING:
    from collections.abc import Mapping

EXPAND = "Do it in two releases: one whose code needs it no more, and after that one which takes it away."


@dataclass(frozen=True, kw_only=True)
class Risk:
    """One thing to know of a migration. `breaks`: users would see errors, or wait for long; else it is to be known."""

    migration: str
    what: str
    remedy: str
    statement: str = ""
    breaks: bool = True


# By the kind of change: what it means to users, and what to do. `{table}` and the like are from the account, `{blocks}`
# from the locks.
MEANINGS: Mapping[str, tuple[str, str]] = {
    "table_gone": ("the release that runs now still uses table {table}: its requests fail from here on", EXPAND),
    "view_gone": ("what the release that runs now reads from view {table} fails from here on", EXPAND),
    "table_renamed": (
        "the release that runs now looks for table {table}, which is {to} then, and does not find it",
        EXPAND,
    ),
    "rows_gone": ("all rows of {table} are gone: the release that runs now finds none", "Take a snapshot before."),
    "row_security": (
        "rules of rows are switched for {table}: the release that runs now may see and write other rows than before",
        "Try it with the login of the application, which does not own the table.",
    ),
    "trigger": (
        "from here on the trigger {name} acts on what the release that runs now writes to {table}, too",
        "Read what it does to rows as that release writes them.",
    ),
    "trigger_gone": (
        "the trigger {name} acts on rows of {table} no more",
        "See that nothing in the release that runs now needs it.",
    ),
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
    "default_gone": (
        "{table}.{column} is filled by the database no more: rows that the release that runs now adds may have none",
        EXPAND,
    ),
    "not_null": (
        (
            "{table}.{column} must have a value now: all rows are read while nobody can {blocks} the table, and the "
            "release that runs now may write none"
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
    "type_narrowed": (
        (
            "{table}.{column} changes from {was} to {to}: values that do not fit make the migration fail, or are cut "
            "or rounded for good, and the release that runs now may write such"
        ),
        "Look for such values first; add a second column, write both, and change over in a later release.",
    ),
    "rewritten": (
        (
            "table {table} is written anew as a whole: nobody can {blocks} it until that is done, minutes for "
            "millions of rows"
        ),
        "Add a second column instead, fill it in pieces, and change over in a later release.",
    ),
    "view_rewritten": (
        "view {table} is filled anew: nobody can {blocks} it until that is done",
        "Refresh it CONCURRENTLY, and not in a migration.",
    ),
    "index": (
        "nobody can {blocks} {table} while the index {name} is built",
        "Use `AddIndexConcurrently` (django.contrib.postgres) alone in a migration with `atomic = False`.",
    ),
    "index_gone": (
        "what the release that runs now finds in {table} by the index {name} takes as long as reading all rows",
        f"{EXPAND} Remove it by `RemoveIndexConcurrently` (django.contrib.postgres).",
    ),
    "unique": (
        (
            "rows of {table} that are alike make the migration fail, the release that runs now may add more, and "
            "nobody can {blocks} the table while {name} is built"
        ),
        "Find and mend such rows first; build the unique index concurrently, then attach the constraint to it.",
    ),
    "unique_concurrent": (
        (
            "rows of {table} that are alike make the migration fail and leave {name} behind, not valid; the release "
            "that runs now can add none from here on"
        ),
        "Find and mend such rows first. Where it failed, drop the index and run it again.",
    ),
    "unique_gone": (
        (
            "INSERT ... ON CONFLICT of the release that runs now fails where it relies on {name}, and its other writes "
            "may add rows to {table} that are alike"
        ),
        f"{EXPAND} `bulk_create` with `update_conflicts`, `ignore_conflicts` and `get_or_create` rely on it.",
    ),
    "constraint": (
        (
            "all rows of {table} are checked against {name} while nobody can {blocks} it; one that does not keep to it "
            "makes the migration fail, and the release that runs now can write no such row from here on"
        ),
        "Use `AddConstraintNotValid`, and `ValidateConstraint` in a migration of its own (django.contrib.postgres).",
    ),
    "foreign_key": (
        (
            "all rows of {table} are looked up in {other} ({name}), while nobody can {blocks} {table}, nor "
            "{other_blocks} {other}"
        ),
        (
            "Add the column without the constraint (`db_constraint=False`), its index concurrently, and the constraint "
            "as NOT VALID by RunSQL; validate it in a migration of its own."
        ),
    ),
    "constraint_not_valid": (
        "the release that runs now can write no row of {table} that does not keep to {name}",
        "See that its code keeps to it already: else first release code that does.",
    ),
    "exclusion": (
        (
            "rows of {table} that overlap by {name} make the migration fail, the release that runs now can add none, "
            "and nobody can {blocks} the table while its index is built"
        ),
        "There is no way to build it beside users: find such rows first, and do it at a quiet hour.",
    ),
    "validated": (
        "all rows of {table} are read: one that does not keep to {name} makes the migration fail; nobody waits",
        "Find and mend such rows first.",
    ),
    "constraint_gone": (
        "rows of {table} that do not keep to {name} can be written from here on: to add it again may be impossible",
        "See that nothing in the release that runs now relies on it.",
    ),
}
# To be known, and nothing that users see.
HARMLESS = frozenset({"validated", "constraint_gone", "trigger_gone"})
# What takes the longer the more rows there are, with what it keeps others from (PostgreSQL's documentation, ALTER TABLE
# and CREATE INDEX) where nobody could look at its locks.
LONG: Mapping[str, str] = {
    "rewritten": READ_OR_WRITE,
    "view_rewritten": READ_OR_WRITE,
    "not_null": READ_OR_WRITE,
    "index": WRITE,
    "unique": WRITE,
    "constraint": READ_OR_WRITE,
    "foreign_key": WRITE,
    "exclusion": READ_OR_WRITE,
    "validated": "",
}
