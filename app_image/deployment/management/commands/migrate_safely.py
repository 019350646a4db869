"""`manage.py migrate_safely`: the deployment's one-off task."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import Error, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from deployment.advisory_lock import LockNotFree, advisory_lock
from deployment.kept_out import message_of
from deployment.log_stream import LogStream
from deployment.roles import RoleUnsafe, ensure_app_role
from deployment.undoing import describe

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from deployment.environment import Login

logger = logging.getLogger("deployment.migrate")

STATE_UNKNOWN = (
    "What was not committed is rolled back, the migrations before it stay applied; only one with `atomic = False` can"
    " be applied in part."
)
RUN_AGAIN = "run the migration again (`ops migrate`, or the deployment); it goes on where this one ended"


class MigrationFailed(Exception):  # noqa: N818 - it is an answer, not a fault
    """What went wrong, and what to do."""


class Command(BaseCommand):
    """Ensure the app's login, then migrate: one process at a time, and never waiting long for a table in use.

    Whoever runs it reads the log, so all it has to say is there, an error as one line; the exit code is then 1.
    """

    help = (
        "Creates or updates the app's database login with rights on data only, then applies the migrations, under an"
        " advisory lock and with a lock timeout. Needs DATABASE_MASTER_USER and DATABASE_MASTER_PASSWORD."
    )
    requires_system_checks = ()
    _tried = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the two limits."""
        parser.add_argument(
            "--wait-seconds", type=float, default=120, help="how long to wait for another migration (default: 120)"
        )
        parser.add_argument(
            "--lock-timeout-seconds",
            type=int,
            default=5,
            help="how long one statement may wait for a table, while users wait behind it (default: 5)",
        )

    def handle(self, *_: str, wait_seconds: float, lock_timeout_seconds: int, **__: Any) -> None:  # noqa: ANN401
        """Run it; log what was wrong and end with exit code 1."""
        try:
            self._run(wait_seconds, lock_timeout_seconds)
        except MigrationFailed as failure:
            # Whoever keeps the record of releases must know that nothing was applied, where nothing was tried.
            logger.critical("%s", failure, extra={} if self._tried else {"migrations": []})
            sys.exit(1)
        except Exception as error:
            # A fault in a migration's own code, or in this program: the traceback is needed.
            logger.critical(
                "The migration failed: %s: %s. %s", type(error).__name__, error, STATE_UNKNOWN, exc_info=True
            )
            sys.exit(1)

    def _run(self, wait_seconds: float, lock_timeout_seconds: int) -> None:
        if settings.ENVIRONMENT.database.master_login is None:
            raise MigrationFailed("Set DATABASE_MASTER_USER and DATABASE_MASTER_PASSWORD: only the master may migrate.")
        self._connect()
        try:
            with advisory_lock(connection, wait_seconds):
                self._ensure_role(settings.ENVIRONMENT.database.login)
                self._migrate(lock_timeout_seconds)
        except LockNotFree:
            raise MigrationFailed(
                f"Another migration has held the lock for {wait_seconds:g} s; nothing was changed. Wait until it ends,"
                " or find its session in pg_locks (locktype 'advisory') and end it; then run this again."
            ) from None
        except Error as error:
            raise MigrationFailed(
                f"The database went away during the migration: {_text(error)}\n{STATE_UNKNOWN} When the database is"
                f" back, {RUN_AGAIN}."
            ) from error

    def _connect(self) -> None:
        database = settings.ENVIRONMENT.database
        try:
            connection.ensure_connection()
        except OperationalError as error:
            raise MigrationFailed(
                f"Cannot connect to {database.name} at {database.host}:{database.port} as the master user:"
                f" {_text(error)}"
            ) from None

    def _ensure_role(self, login: Login) -> None:
        try:
            result = ensure_app_role(connection, login)
        except RoleUnsafe as error:
            raise MigrationFailed(str(error)) from None
        except Error as error:
            raise MigrationFailed(f"Cannot set up the app's login {login.user!r}: {_text(error)}") from None
        logger.info("Role %s: %s, rights on data only.", login.user, result)

    def _migrate(self, lock_timeout_seconds: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", [f"{lock_timeout_seconds}s"])
        steps, complaints = LogStream(logger, logging.INFO), LogStream(logger, logging.WARNING)
        judged: list[dict[str, str | bool]] = []
        self._tried = True
        try:
            executor = MigrationExecutor(connection)
            plan = [migration for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]
            # What a field was before says whether its values outlive a change: so it is judged beforehand.
            judged += describe(plan, executor._create_project_state(with_applied_migrations=True))  # noqa: SLF001
            call_command("migrate", interactive=False, no_color=True, stdout=steps, stderr=complaints)
        except Error as error:
            raise MigrationFailed(_explain(error, lock_timeout_seconds)) from error
        finally:
            steps.end()
            complaints.end()
            _tell_applied(judged)
        logger.info("Migrated.")


def _tell_applied(judged: list[dict[str, str | bool]]) -> None:
    """Log which of the planned migrations stand now, for the release's record; also after one of them failed."""
    try:
        if not connection.is_usable():
            connection.close()
        applied = MigrationRecorder(connection).applied_migrations()
    except Error as error:
        logger.warning("Which migrations were applied is not known: %s", _text(error))
        return
    names = {f"{app}.{name}" for app, name in applied}
    stand = [each for each in judged if each["name"] in names]
    logger.info("Applied %d of %d migrations.", len(stand), len(judged), extra={"migrations": stand})


def _explain(error: Error, lock_timeout_seconds: int) -> str:
    try:
        # The failed migration may have left this connection unusable.
        connection.close()
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Error as second:
        return (
            f"A migration failed: {_text(_beginning(error))}\nWhich one is not known, for the database could not be"
            f" asked afterwards: {_text(second)}\n{STATE_UNKNOWN} When the database is back, {RUN_AGAIN}."
        )
    if not plan:
        return f"All migrations are applied, but what runs after them failed: {_text(error)}"
    migration = plan[0][0]
    state = "was rolled back" if migration.atomic else "may have been applied in part"
    text = f"Migration {migration.app_label}.{migration.name} failed and {state}: {_text(error)}"
    if "lock timeout" in str(error):
        text += (
            f"\nIts table was in use for more than {lock_timeout_seconds} s, and users would have had to wait behind"
            f" it. At a quieter moment, {RUN_AGAIN}. If it fails every time, look in pg_stat_activity for a session"
            " that keeps a transaction open, and end it, or split the migration into shorter steps."
        )
    return text


def _beginning(error: BaseException) -> BaseException:
    """Return the database's first error: Django tries the lost connection again, and that error hides the cause."""
    first, earlier = error, error.__cause__ or error.__context__
    while earlier:
        if isinstance(earlier, Error):
            first = earlier
        earlier = earlier.__cause__ or earlier.__context__
    return first


def _text(error: BaseException) -> str:
    """Return what the database says, without the rows it says it of."""
    return message_of(error).strip()
