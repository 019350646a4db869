"""The connection that gives up in time, and that the pool tests only where a test can tell something."""

import time
from unittest import mock

import psycopg
from django.db import connection
from django.test import TransactionTestCase
from psycopg_pool import ConnectionPool

from deployment import bounded_connection
from deployment.bounded_connection import FRESH_SECONDS, BoundedConnection

COUNTED = "deployment.bounded_connection.psycopg.Connection.wait"


class AgainstADatabase(TransactionTestCase):
    def setUp(self) -> None:
        parameters = connection.get_connection_params()
        self.connection = self.connect(parameters)
        self.other = self.connect(parameters)

    def connect(self, parameters: dict) -> BoundedConnection:
        names = ("host", "port", "dbname", "user", "password", "sslmode", "sslrootcert")
        # A developer's database has no certificate to check.
        wanted = {name: parameters[name] for name in names if name in parameters}
        opened = BoundedConnection.connect(**wanted, autocommit=True)
        self.addCleanup(opened.close)
        return opened

    def round_trips_of_a_check(self) -> int:
        with mock.patch(COUNTED, autospec=True, side_effect=psycopg.Connection.wait) as wait:
            ConnectionPool.check_connection(self.connection)
        return wait.call_count

    def test_the_pools_check_asks_the_database_when_it_was_not_heard_lately(self) -> None:
        self.connection.execute("SELECT 1")
        self.assertEqual(self.round_trips_of_a_check(), 0)
        with mock.patch.object(bounded_connection, "FRESH_SECONDS", 0.0):
            self.assertEqual(self.round_trips_of_a_check(), 1)
        self.connection._heard_at -= FRESH_SECONDS
        self.assertEqual(self.round_trips_of_a_check(), 1)
        self.assertEqual(self.round_trips_of_a_check(), 0, "an answered check is an answer")

    def test_a_connection_that_the_database_has_ended_fails_its_check_however_fresh(self) -> None:
        """A failover does this to all of them at once, and must cost no request."""
        (pid,) = self.connection.execute("SELECT pg_backend_pid()").fetchone()
        self.other.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
        with self.assertRaises(psycopg.OperationalError):
            ConnectionPool.check_connection(self.connection)

    def test_a_database_that_does_not_answer_is_given_up_and_its_connection_closed(self) -> None:
        started = time.monotonic()
        with (
            mock.patch.object(bounded_connection, "ANSWER_SECONDS", 0.3),
            self.assertRaisesRegex(psycopg.OperationalError, "no answer within 0.3 s"),
        ):
            self.connection.execute("SELECT pg_sleep(3)")
        self.assertLess(time.monotonic() - started, 2)
        self.assertTrue(self.connection.closed, "its late answer would be taken for another question's")
