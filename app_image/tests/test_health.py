"""What `/healthz` and `/readyz` answer, also when the database does not."""

import threading
import time
from dataclasses import replace
from unittest import mock

from django.conf import settings
from django.db import DatabaseError, OperationalError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import RequestFactory, SimpleTestCase, TestCase

from deployment.health import Failure, HealthMiddleware, Readiness, check_dependencies


class Answers(TestCase):
    def test_readyz_names_the_release_that_answers(self) -> None:
        """The deployment's verdict compares it with what was deployed."""
        response = self.client.get("/readyz")
        self.assertEqual(response.json(), {"status": "ok", "release": settings.ENVIRONMENT.release})
        self.assertEqual(response["Cache-Control"], "no-store")

    def test_other_methods_are_refused(self) -> None:
        self.assertEqual(self.client.post("/readyz").status_code, 405)
        self.assertEqual(self.client.head("/healthz").status_code, 200)

    def test_a_migration_that_is_not_applied_is_named(self) -> None:
        ((app, last),) = MigrationLoader(connection).graph.leaf_nodes("agreements")
        MigrationRecorder(connection).record_unapplied(app, last)
        with mock.patch.object(connection, "close"):
            failure = check_dependencies()
        self.assertEqual(failure, Failure(check="migrations", reason=f"not applied: agreements.{last}"))

    def test_a_newer_migration_in_the_database_does_not_stop_an_older_release(self) -> None:
        """During a rollout, and after a rollback, the old release runs on the new schema."""
        MigrationRecorder(connection).record_applied("agreements", "0999_from_the_future")
        with mock.patch.object(connection, "close"):
            self.assertIsNone(check_dependencies())


class WithoutDatabase(SimpleTestCase):
    def test_the_environment_says_where_they_are(self) -> None:
        moved = replace(settings.ENVIRONMENT, health_path="/up", readiness_path="/shop/ready")
        with self.settings(ENVIRONMENT=moved):
            self.assertEqual(self.answer("/up").status_code, 200)
            self.assertEqual(self.answer("/shop/ready", Readiness(check=lambda: None)).status_code, 200)
            with self.assertRaisesRegex(AssertionError, "must not reach the app"):
                self.answer("/healthz")

    def answer(self, path: str, readiness: Readiness | None = None):  # noqa: ANN201 - Django's response
        middleware = HealthMiddleware(lambda _: self.fail("a health path must not reach the app"))
        if readiness:
            middleware._readiness = readiness
        return middleware(RequestFactory().get(path))

    def test_healthz_does_not_ask_the_database(self) -> None:
        """Otherwise a database outage would make ECS stop every task. SimpleTestCase forbids queries."""
        self.assertEqual(self.answer("/healthz").status_code, 200)

    def test_a_database_error_is_a_503_without_its_text(self) -> None:
        error = OperationalError(
            'connection to "10.1.2.3" failed: password authentication failed for user "pactum_app"'
        )
        with (
            mock.patch("deployment.health.connection", **{"ensure_connection.side_effect": error}),
            self.assertLogs("deployment.health", "WARNING") as log,
        ):
            response = self.answer("/readyz")
        self.assertEqual(response.status_code, 503)
        self.assertIn('"check": "database"', response.content.decode())
        for private in ("10.1.2.3", "pactum_app", "password"):
            self.assertNotIn(private, response.content.decode(), "anybody may ask /readyz")
        self.assertIn("password authentication failed", log.output[0], "the operator finds the cause in the log")

    def test_a_database_that_hangs_is_a_503_within_the_deadline(self) -> None:
        released = threading.Event()
        self.addCleanup(released.set)
        readiness = Readiness(check=lambda: released.wait(30) and None)
        started = time.monotonic()
        with self.assertLogs("deployment.health", "WARNING"):
            response = self.answer("/readyz", readiness)
        self.assertEqual(response.status_code, 503)
        self.assertIn("no answer within 2 s", response.content.decode())
        self.assertLess(time.monotonic() - started, 2.5, "the caller's own limit must not be reached")

    def test_many_callers_within_a_second_cost_one_check_and_a_later_one_asks_again(self) -> None:
        answers = iter([Failure(check="database", reason="down"), None])
        readiness = Readiness(check=lambda: next(answers))
        self.assertEqual([readiness.failure() for _ in range(5)], [Failure(check="database", reason="down")] * 5)
        time.sleep(1.1)
        self.assertIsNone(readiness.failure(), "an outage that has ended must be seen to have ended")

    def test_a_check_that_crashes_is_tried_again(self) -> None:
        check = mock.Mock(side_effect=[DatabaseError("once"), None])
        readiness = Readiness(check=check)
        with self.assertRaises(DatabaseError):
            readiness.failure()
        self.assertIsNone(readiness.failure())
