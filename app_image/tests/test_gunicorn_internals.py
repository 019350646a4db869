"""An update of gunicorn that changes what the worker builds on is noticed."""

from unittest import mock

from django.test import SimpleTestCase
from gunicorn.workers.gthread import TConn, ThreadWorker

from deployment import gunicorn_internals
from deployment.gunicorn_internals import lacking_internals


class Internals(SimpleTestCase):
    def test_this_gunicorn_has_all_of_them(self) -> None:
        self.assertEqual(lacking_internals(), [])

    def test_what_another_version_lacks_or_changes_is_named(self) -> None:
        def enqueue_req(self: ThreadWorker, conn: object, priority: int) -> None:
            """Take one parameter more."""

        with (
            mock.patch.object(ThreadWorker, "enqueue_req", enqueue_req),
            mock.patch.dict(gunicorn_internals.FUNCTIONS, {(ThreadWorker, "vanished"): ["self"]}),
            mock.patch.dict(gunicorn_internals.ATTRIBUTES, {TConn: {"sock", "moved"}}),
        ):
            self.assertEqual(
                lacking_internals(),
                ["ThreadWorker.enqueue_req(self, conn)", "ThreadWorker.vanished(self)", "TConn.moved"],
            )
