"""`manage.py migrate_safely`: the deployment's one-off task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from pactum.deployment.advisory_lock import LockNotFree, advisory_lock
from pactum.deployment.roles import RoleUnsafe, ensure_app_role

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from pactum.environment import Login


class Command(BaseCommand):
    """Ensure the app's login, then migrate: one process at a time, and never waiting long for a table in use."""

    help = (
        "Creates or updates the app's database login with rights on data only, then applies the migrations, under an"
        " advisory lock and with a lock timeout. Needs DATABASE_MASTER_USER and DATABASE_MASTER_PASSWORD."
    )
    requires_system_checks = ()

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
        """Run it; a `CommandError` says what was wrong and what to do."""
        if settings.ENVIRONMENT.database.master_login is None:
            raise CommandError("Set DATABASE_MASTER_USER and DATABASE_MASTER_PASSWORD: only the master may migrate.")
        self._connect()
        try:
            with advisory_lock(connection, wait_seconds):
                self._ensure_role(settings.ENVIRONMENT.database.login)
                self._migrate(lock_timeout_seconds)
        except LockNotFree:
            raise CommandError(
                f"Another migration has held the lock for {wait_seconds:g} s; nothing was changed. Wait until it ends,"
                " or find its session in pg_locks (locktype 'advisory') and end it; then run this again."
            ) from None

    def _connect(self) -> None:
        database = settings.ENVIRONMENT.database
        try:
            connection.ensure_connection()
        except OperationalError as error:
            raise CommandError(
                f"Cannot connect to {database.name} at {database.host}:{database.port} as the master user: {error}"
            ) from None

    def _ensure_role(self, login: Login) -> None:
        try:
            result = ensure_app_role(connection, login)
        except RoleUnsafe as error:
            raise CommandError(str(error)) from None
        except DatabaseError as error:
            raise CommandError(f"Cannot set up the app's login {login.user!r}: {error}") from None
        self.stdout.write(f"Role {login.user}: {result}, rights on data only.")

    def _migrate(self, lock_timeout_seconds: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", [f"{lock_timeout_seconds}s"])
        try:
            call_command("migrate", interactive=False)
        except DatabaseError as error:
            self.stdout.write("")
            raise CommandError(self._explain(error, lock_timeout_seconds)) from error
        self.stdout.write("Migrated.")

    @staticmethod
    def _explain(error: DatabaseError, lock_timeout_seconds: int) -> str:
        # The failed migration may have left this connection unusable.
        connection.close()
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if not plan:
            return f"All migrations are applied, but what runs after them failed: {error}"
        migration = plan[0][0]
        state = "was rolled back" if migration.atomic else "may have been applied in part"
        text = f"Migration {migration.app_label}.{migration.name} failed and {state}: {str(error).strip()}"
        if "lock timeout" in str(error):
            text += (
                f"\nIts table was in use for more than {lock_timeout_seconds} s. Run it again at a quieter moment, or"
                " with a higher --lock-timeout-seconds if users may wait that long."
            )
        return text
