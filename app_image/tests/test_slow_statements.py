"""Slow statements are told of with their time and the request's id, and with no value."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from unittest import mock

from django.conf import settings
from django.db import DatabaseError, connection
from django.test import SimpleTestCase, TestCase
from psycopg import sql

from agreements.models import Agreement
from deployment.slow_statements import LONGEST_SQL, log_if_slow, without_values
from tests.test_kept_out import TRACE, Logged


def slow(milliseconds: float = 0.0):  # noqa: ANN201 - mock's patcher has no public type
    """What counts as slow: without more, everything."""
    return mock.patch.object(
        settings, "ENVIRONMENT", mock.Mock(wraps=settings.ENVIRONMENT, slow_query_milliseconds=milliseconds)
    )


class Statements(Logged, TestCase):
    def statements(self) -> list[str]:
        return [str(line["sql"]) for line in self.lines() if line["logger"] == "deployment.slow_query"]

    def test_a_slow_statement_is_a_warning_with_its_time_and_no_value(self) -> None:
        with slow(50), connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.execute("SELECT pg_sleep(%s), %s", [0.06, "hunter2"])
        (line,) = self.lines()
        self.assertEqual(
            (line["level"], line["message"], line["sql"]), ("WARNING", "slow statement", "SELECT pg_sleep(%s), %s")
        )
        self.assertGreater(line["duration_ms"], 60)
        self.assertLess(line["duration_ms"], 5000)

    def test_it_carries_the_id_of_its_request(self) -> None:
        Agreement.objects.create(title="Lease", terms="None")
        with slow():
            self.client.get("/", headers={"X-Amzn-Trace-Id": f"Root={TRACE}"})
        self.assertGreater(len(self.statements()), 1)
        self.assertEqual({line["request_id"] for line in self.lines()}, {TRACE}, "a slow page leads to its statements")

    def test_one_that_was_ended_for_its_length_is_told_of_too(self) -> None:
        with slow(), connection.cursor() as cursor, self.assertRaises(DatabaseError):
            cursor.execute("SELECT pg_sleep(8), 1/0")
        self.assertEqual(self.statements(), ["SELECT pg_sleep(?), ?/?"])

    def test_what_was_stored_is_not_shown_however_many_at_once(self) -> None:
        with slow():
            Agreement.objects.bulk_create(Agreement(title=f"hunter{n}", terms="hunter2") for n in range(3))
            list(Agreement.objects.filter(title__in=["hunter2", "hunter3"]))
        self.assertEqual(len(self.statements()), 2)
        self.assertNotIn("hunter", self.stream.getvalue())

    def test_a_statement_put_together_by_psycopg_is_text(self) -> None:
        with slow(), connection.cursor() as cursor:
            cursor.execute(sql.SQL("SELECT {} AS {}").format(sql.Literal("hunter2"), sql.Identifier("name")))
        self.assertEqual(self.statements(), ['SELECT ? AS "name"'])

    def test_one_whose_text_cannot_be_had_is_answered_all_the_same(self) -> None:
        statement = sql.SQL("SELECT {}").format(sql.Literal(7))

        def execute(*_: object) -> str:
            return "the answer"

        with slow():
            answer = log_if_slow(execute, statement, None, False, {"cursor": None})
        self.assertEqual((answer, self.statements()), ("the answer", [""]))

    def test_each_thread_is_watched_once_however_often_it_connects(self) -> None:
        found: list[int] = []

        def connect() -> None:
            for _ in range(3):
                connection.ensure_connection()
                found.append(connection.execute_wrappers.count(log_if_slow))
                connection.close()

        thread = threading.Thread(target=connect)
        thread.start()
        thread.join(20)
        self.assertEqual(found, [1, 1, 1])

    def test_a_page_without_a_query_is_not_touched(self) -> None:
        with mock.patch("deployment.slow_statements.time") as clock:
            self.client.get("/about/")
        clock.monotonic.assert_not_called()


class Migrating(SimpleTestCase):
    def test_the_migrations_statements_take_long_by_right(self) -> None:
        program = (
            "import django; django.setup()\nfrom django.db.backends.signals import connection_created as made\n"
            "print([key for (key, *_), *_ in made.receivers])"
        )
        shown = {}
        for who, more in {
            "web": {},
            "migration": {"DATABASE_MASTER_USER": "m", "DATABASE_MASTER_PASSWORD": "m"},
        }.items():
            done = subprocess.run(
                [sys.executable, "-c", program], env={**os.environ, **more}, capture_output=True, text=True, check=True
            )
            shown[who] = "slow_statements" in done.stdout
        self.assertEqual(shown, {"web": True, "migration": False})


class WithoutValues(SimpleTestCase):
    def test_text_and_numbers_are_taken_out_and_names_stay(self) -> None:
        cases = {
            """SELECT "t"."a1", T2.id FROM t AS T2 WHERE x = 'hunter2' LIMIT 21""": (
                'SELECT "t"."a1", T2.id FROM t AS T2 WHERE x = ? LIMIT ?'
            ),
            "SELECT 'it''s', E'it\\'s', 12.5, x1, $1": "SELECT ?, ?, ?, x1, $1",
            "SELECT $tag$hunter2 $$ 'x' $tag$, $$hunter2$$": "SELECT ?, ?",
            "SELECT 1 -- hunter2\n/* hunter2 */ , %s": "SELECT ? , %s",
            "SELECT \"it's\", 'a \" b', %(name)s": 'SELECT "it\'s", ?, %(name)s',
            "SELECT 'hunter2": "SELECT ?",
            "SELECT /* hunter2": "SELECT",
            "IN (%s, %s, %s) OR y = %s": "IN (%s, ...) OR y = %s",
            "\n  SELECT\n\t1  ": "SELECT ?",
        }
        for statement, expected in cases.items():
            with self.subTest(statement):
                self.assertEqual(without_values(statement), expected)

    def test_a_long_statement_is_cut_after_its_values_are_gone(self) -> None:
        text = without_values(f"SELECT {'a, ' * 1000}'{'hunter2' * 1_000_000}'")
        self.assertEqual(len(text), LONGEST_SQL)
        self.assertNotIn("hunter", text)

    def test_what_follows_a_value_of_megabytes_is_not_looked_at(self) -> None:
        self.assertEqual(without_values(f"SELECT '{'x' * 200_000}', 7"), "SELECT ?", "it would take all memory")
