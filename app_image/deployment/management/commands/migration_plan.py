"""`manage.py migration_plan`: tries the migrations a database lacks, and tells what each of them does."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from django.db.migrations.exceptions import InconsistentMigrationHistory
from django.db.migrations.executor import MigrationExecutor

from deployment.catalogue import RECORD, locks, look
from deployment.kept_out import message_of
from deployment.operations import described
from deployment.schema_effects import Effects, compare
from deployment.undoing import judge

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.migrations import Migration
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.state import ProjectState

# What a database must have been marked with (COMMENT ON DATABASE) by who made it: none with users' rows in it has.
MARK = "migrations are tried here"
ASKED_MARK = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()"
# What Django asks and says beside a migration's own statements.
BESIDES = ("SELECT", "SAVEPOINT", "RELEASE", "ROLLBACK")


class Command(BaseCommand):
    """Applies what is not applied yet, one migration after the other, and prints an account of each as one JSON line.

    An account has what `undoing` says, `atomic`, the `operations` that reach the database, the statements (`sql`) as
    they were carried out, what became of tables that were there before (`changes`, `locks`), and `error`: the first
    that fails is the last. `refused` says, beside them, why `migrate` would not even begin. It really applies them, so
    it wants a database that somebody made for nothing else.
    """

    help = (
        "Applies the migrations that a database made for this lacks, and prints what each does, as one JSON line."
        f" Only in a database with the comment {MARK!r}."
    )
    requires_system_checks = ()

    def handle(self, *_: str, **__: Any) -> None:  # noqa: ANN401
        """Try each migration and print the plan."""
        self._refuse_another_database()
        executor = MigrationExecutor(connection)
        plan = [migration for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]
        # What the state is before the first of them; each application answers the next.
        state = executor._create_project_state(with_applied_migrations=True)  # noqa: SLF001 - as Django's own command
        accounts: list[dict[str, Any]] = []
        refused = refusal(executor.loader)
        for migration in () if refused else plan:
            account, state = try_out(executor, state, migration)
            accounts.append(account)
            if account["error"]:
                break
        untried = [f"{migration.app_label}.{migration.name}" for migration in plan[len(accounts) :]]
        self.stdout.write(json.dumps({"migration_plan": accounts, "untried": untried, "refused": refused}))

    def _refuse_another_database(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(ASKED_MARK)
            (comment,) = cursor.fetchone()
        if comment != MARK:
            raise CommandError(
                f"The database {connection.settings_dict['NAME']} is not marked as one in which migrations are tried;"
                " nothing was done. This command applies migrations: use `migrate_safely` for a database that is"
                f" needed. One to be thrown away is marked by COMMENT ON DATABASE ... IS '{MARK}'."
            )


def refusal(loader: MigrationLoader) -> str:
    """Say why `migrate` would refuse before its first migration: it asks the same two things, and the executor none."""
    try:
        loader.check_consistent_history(connection)
    except InconsistentMigrationHistory as error:
        return (
            f"{error} A new migration comes after all that the stack has: give it the newest one as its dependency, and"
            " give none that is applied another dependency."
        )
    ends = [f"{app} ends in {' and in '.join(sorted(names))}" for app, names in loader.detect_conflicts().items()]
    if ends:
        return f"Conflicting migrations: {'; '.join(ends)}. Join them: `manage.py makemigrations --merge`."
    return ""


def try_out(
    executor: MigrationExecutor, state: ProjectState, migration: Migration
) -> tuple[dict[str, Any], ProjectState]:
    """Apply one migration; answers what it did, and the state of the models after it."""
    statements: list[str] = []
    judged = judge(migration, state)
    before, effects, error = look(connection), Effects(), ""
    # Its own transaction is within this one, so that its locks are still there to be looked at.
    around = transaction.atomic() if migration.atomic else nullcontext()
    try:
        with around, connection.execute_wrapper(_taking_down(statements)):
            state = executor.apply_migration(state, migration)
            if migration.atomic:
                effects.locks = locks(connection, before)
    except Exception as failure:  # noqa: BLE001 - whatever a migration's own code raises
        error = f"{type(failure).__name__}: {message_of(failure).strip()}"
    else:
        effects.changes = compare(before, look(connection))
    account = {
        **asdict(judged),
        "atomic": migration.atomic,
        "operations": described(migration, connection),
        "sql": statements,
        **asdict(effects),
        "error": error,
    }
    return account, state


def _taking_down(statements: list[str]) -> Callable[..., Any]:
    def wrapper(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:  # noqa: ANN401
        # Django merges values into what goes through a migration's schema editor; what comes with values is a question
        # of its own, or code's, and is seen by the locks it leaves.
        text = str(sql).strip()
        if not params and text and RECORD not in text and not text.upper().startswith(BESIDES):
            statements.append(text)
        return execute(sql, params, many, context)

    return wrapper
