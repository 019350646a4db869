"""`migrate_safely` against a real PostgreSQL, run as the deployment runs it: a process with the master login.

The master here is what RDS gives: CREATEROLE and CREATEDB, owner of the database, not a superuser.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.test import SimpleTestCase

from deployment.advisory_lock import LOCK_KEY

APP = Path(__file__).resolve().parent.parent
DATABASE = "migrate_safely_test"
APP_USER = "app \"quoted\" 'user'"
APP_PASSWORD = "app'hunter2\""
MASTER = settings.ENVIRONMENT.database.login


def connect(user: str, password: str, database: str = DATABASE) -> psycopg.Connection[Any]:
    where = settings.ENVIRONMENT.database
    return psycopg.connect(
        host=where.host, port=where.port, dbname=database, user=user, password=password, autocommit=True,
        sslmode=where.sslmode, sslrootcert=where.sslrootcert,
    )  # fmt: skip


ENVIRONMENT = {
    "DATABASE_NAME": DATABASE,
    "DATABASE_USER": APP_USER,
    "DATABASE_PASSWORD": APP_PASSWORD,
    "DATABASE_MASTER_USER": MASTER.user,
    "DATABASE_MASTER_PASSWORD": MASTER.password,
    "LOG_LEVEL": "INFO",
}


def start(*arguments: str, **changes: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["python", "manage.py", "migrate_safely", *arguments], cwd=APP, env=os.environ | ENVIRONMENT | changes,
        # What stands on stderr counts, too: it would not be JSON.
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Answer the exit code and the messages; every line must be a JSON object, only the last one an error."""
    output, _ = process.communicate(timeout=100)
    for secret in ("hunter2", MASTER.password):
        if secret in output:
            raise AssertionError(f"a password is in the migration's log:\n{output}")
    lines = [json.loads(line) for line in output.splitlines()]
    errors = [line for line in lines if line["level"] in {"ERROR", "CRITICAL"}]
    if errors != (lines[-1:] if process.returncode else []):
        raise AssertionError(f"exit code {process.returncode}, but the log's errors are {errors}")
    return process.returncode, "\n".join(line["message"] for line in lines)


def applied(*arguments: str, **changes: str) -> list[dict[str, Any]] | None:
    """Migrate, and answer what the log says of each migration that was applied; None when it says nothing."""
    output, _ = start(*arguments, **changes).communicate(timeout=100)
    told = [line["migrations"] for line in map(json.loads, output.splitlines()) if "migrations" in line]
    if len(told) > 1:
        raise AssertionError(f"the record would not know which of these to believe: {told}")
    return told[0] if told else None


def migrate(*arguments: str, **changes: str) -> tuple[int, str]:
    return finish(start(*arguments, **changes))


class FreshDatabase(SimpleTestCase):
    """Each test begins with an empty database and no app login, and leaves neither behind."""

    def setUp(self) -> None:
        self.server = connect(MASTER.user, MASTER.password, "postgres")
        self.addCleanup(self.server.close)
        self.clean()
        self.addCleanup(self.clean)
        self.server.execute(f"CREATE DATABASE {DATABASE}")

    def clean(self) -> None:
        self.drop_database()
        self.server.execute(psycopg.sql.SQL("DROP ROLE IF EXISTS {}").format(psycopg.sql.Identifier(APP_USER)))

    def drop_database(self) -> None:
        """Drop it and its sessions; the master may not end those of the app and of autovacuum, but they end soon."""
        deadline = time.monotonic() + 10
        while True:
            try:
                self.server.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
            except psycopg.errors.InsufficientPrivilege:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                return

    def master(self) -> psycopg.Connection[Any]:
        connection = connect(MASTER.user, MASTER.password)
        self.addCleanup(connection.close)
        return connection

    def app(self, password: str = APP_PASSWORD) -> psycopg.Connection[Any]:
        connection = connect(APP_USER, password)
        self.addCleanup(connection.close)
        return connection


class Rights(FreshDatabase):
    def test_the_master_of_these_tests_is_no_superuser(self) -> None:
        (superuser,) = self.server.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
        self.assertFalse(superuser, "RDS' master is none either: the tests below would prove nothing")

    def test_the_first_run_migrates_and_the_app_may_change_data_only(self) -> None:
        code, output = migrate()
        self.assertEqual(code, 0, output)
        self.assertIn("Applying agreements.0001_initial... OK", output)
        self.assertIn("created", output)
        app = self.app()
        # A table of Django's: the project's own may get columns.
        app.execute("INSERT INTO django_session (session_key, session_data, expire_date) VALUES ('k', 'd', now())")
        self.assertEqual(app.execute("SELECT count(*) FROM django_session").fetchone(), (1,))
        app.execute("UPDATE django_session SET session_data = 'e'")
        app.execute("DELETE FROM django_session")
        for statement in (
            "CREATE TABLE mine (id int)",
            "CREATE SCHEMA mine",
            "ALTER TABLE django_session ADD COLUMN mine int",
            "DROP TABLE django_session",
            "TRUNCATE django_session",
            "CREATE ROLE mine",
            "CREATE DATABASE mine",
        ):
            with self.subTest(statement), self.assertRaises(psycopg.errors.InsufficientPrivilege):
                app.execute(statement)

    def test_the_app_may_use_tables_of_later_migrations(self) -> None:
        migrate()
        self.master().execute("CREATE TABLE later (id bigserial PRIMARY KEY, name text)")
        self.app().execute("INSERT INTO later (name) VALUES ('x')")

    def test_a_statement_of_the_app_ends_after_the_timeout(self) -> None:
        migrate()
        self.assertEqual(self.app().execute("SHOW statement_timeout").fetchone(), ("8s",))

    def test_a_second_run_changes_nothing_but_the_password(self) -> None:
        migrate()
        code, output = migrate(DATABASE_PASSWORD="new-hunter2")
        self.assertEqual(code, 0, output)
        self.assertIn("No migrations to apply", output)
        self.app("new-hunter2")
        with self.assertRaises(psycopg.OperationalError):
            self.app(APP_PASSWORD)

    def test_a_login_that_may_do_more_is_refused(self) -> None:
        self.server.execute(psycopg.sql.SQL("CREATE ROLE {} CREATEDB").format(psycopg.sql.Identifier(APP_USER)))
        code, output = migrate()
        self.assertEqual(code, 1)
        self.assertIn("has rights beyond data", output)
        self.assertNotIn("Traceback", output)

    def test_the_app_may_not_be_the_master(self) -> None:
        code, output = migrate(DATABASE_USER=MASTER.user, DATABASE_PASSWORD=MASTER.password)
        self.assertEqual(code, 1)
        self.assertIn("the app needs its own login", output)


class Told(FreshDatabase):
    def test_each_migration_is_told_with_whether_it_can_be_undone(self) -> None:
        told = applied() or []
        self.assertIn({"name": "agreements.0001_initial", "undoable": True, "why": ""}, told)
        self.assertTrue(all(set(each) == {"name", "undoable", "why"} for each in told), told)

    def test_that_nothing_was_applied_is_told_too(self) -> None:
        migrate()
        self.assertEqual(applied(), [], "no line would mean that it is not known")

    def test_what_stands_after_a_failure_is_told(self) -> None:
        self.master().execute("CREATE TABLE agreements_party (id int)")
        told = applied()
        self.assertIsNotNone(told)
        names = {each["name"] for each in told or []}
        self.assertIn("contenttypes.0001_initial", names, "it was applied before the one that failed, and stays")
        self.assertNotIn("agreements.0001_initial", names)

    def test_that_nothing_was_tried_is_told_as_nothing_applied(self) -> None:
        self.assertEqual(applied(DATABASE_MASTER_PASSWORD="wrong-hunter2"), [])
        self.master().execute("SELECT pg_advisory_lock(%s)", [LOCK_KEY])
        self.assertEqual(applied("--wait-seconds", "1"), [])


class Locks(FreshDatabase):
    def test_a_second_migration_gives_up_after_its_limit_and_changes_nothing(self) -> None:
        self.master().execute("SELECT pg_advisory_lock(%s)", [LOCK_KEY])
        code, output = migrate("--wait-seconds", "1")
        self.assertEqual(code, 1)
        self.assertIn("Another migration has held the lock for 1 s", output)
        tables = self.master().execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
        self.assertEqual(tables, (0,), "what waits for the lock must not touch anything")

    def test_two_at_once_both_succeed_and_each_migration_is_applied_once(self) -> None:
        results = [finish(process) for process in [start(), start()]]
        self.assertEqual([code for code, _ in results], [0, 0], results)
        applied = sum(output.count("Applying agreements.0001_initial") for _, output in results)
        self.assertEqual(applied, 1)

    def test_a_table_in_use_stops_the_migration_instead_of_the_users(self) -> None:
        migrate()
        master = self.master()
        master.execute("DELETE FROM django_migrations WHERE name = '0012_alter_user_first_name_max_length'")
        master.execute("BEGIN; LOCK TABLE auth_user IN ACCESS SHARE MODE")
        code, output = migrate("--lock-timeout-seconds", "1")
        self.assertEqual(code, 1)
        self.assertIn("Migration auth.0012_alter_user_first_name_max_length failed and was rolled back", output)
        self.assertIn("in use for more than 1 s", output)
        self.assertIn("`ops migrate`", output, "the remedy is something an operator can do")
        self.assertNotIn("--lock-timeout-seconds", output, "`ops migrate` cannot pass it on")

    def test_a_database_that_goes_away_meanwhile_is_said_in_one_line(self) -> None:
        migrate()
        master = self.master()
        master.execute("DELETE FROM django_migrations WHERE name = '0012_alter_user_first_name_max_length'")
        master.execute("BEGIN; LOCK TABLE auth_user IN ACCESS SHARE MODE")
        process = start("--lock-timeout-seconds", "60")
        waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"
        deadline = time.monotonic() + 30
        while self.server.execute(waits, [DATABASE]).fetchone() == (0,):
            self.assertLess(time.monotonic(), deadline, "the migration should wait for the table")
            time.sleep(0.1)
        self.drop_database()
        code, output = finish(process)
        self.assertEqual(code, 1)
        self.assertIn("terminating connection", output, "what happened first is the cause")
        self.assertIn("could not be asked afterwards", output)
        self.assertIn("`ops migrate`", output)
        self.assertNotIn("Traceback", output)


class Mistakes(FreshDatabase):
    def test_a_failing_migration_is_named_with_its_cause(self) -> None:
        self.master().execute("CREATE TABLE django_session (id int)")
        code, output = migrate()
        self.assertEqual(code, 1)
        self.assertIn("Migration sessions.0001_initial failed and was rolled back", output)
        self.assertIn('relation "django_session" already exists', output)
        self.assertNotIn("Traceback", output)

    def test_a_wrong_master_password_is_said(self) -> None:
        code, output = migrate(DATABASE_MASTER_PASSWORD="wrong-hunter2")
        self.assertEqual(code, 1)
        self.assertIn("as the master user", output)
        self.assertIn("password authentication failed", output)
        self.assertNotIn("Traceback", output)

    def test_a_fault_in_a_migrations_own_code_is_one_line_with_its_traceback(self) -> None:
        script = (
            "from unittest import mock; from django.core.management import execute_from_command_line as run;"
            " from django.db.migrations.migration import Migration;"
            " mock.patch.object(Migration, 'apply', side_effect=ValueError('two\\nlines')).start();"
            " run(['manage.py', 'migrate_safely'])"
        )
        failed = subprocess.run(
            ["python", "-c", script], cwd=APP, env=os.environ | ENVIRONMENT, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.assertEqual(failed.returncode, 1, failed.stdout)
        line = json.loads(failed.stdout.splitlines()[-1])
        self.assertEqual((line["level"], line["logger"]), ("CRITICAL", "deployment.migrate"))
        self.assertIn("The migration failed: ValueError: two\nlines", line["message"])
        self.assertIn("Traceback", line["exception"])

    def test_a_wrong_environment_is_one_line(self) -> None:
        code, output = migrate(SECRET_KEY="")
        self.assertEqual(code, 1)
        self.assertIn("SECRET_KEY is missing", output)

    def test_without_the_master_login_nothing_is_tried(self) -> None:
        code, output = migrate(DATABASE_MASTER_USER="", DATABASE_MASTER_PASSWORD="")
        self.assertEqual(code, 1)
        self.assertIn("only the master may migrate", output)
