"""The threads that answer requests: work is done in its order, and they end when told, not before."""

from __future__ import annotations

import threading
from functools import partial

from django.test import SimpleTestCase

from deployment.request_threads import RequestThreads


class RequestThreadsTest(SimpleTestCase):
    def test_each_piece_of_work_is_done_once_and_in_order(self) -> None:
        done: list[int] = []
        finished = threading.Event()
        threads = RequestThreads(1, "test")
        for number in range(20):
            threads.submit(partial(done.append, number))
        threads.submit(finished.set)
        self.assertTrue(finished.wait(5))
        self.assertEqual(done, list(range(20)))
        threads.shutdown()

    def test_as_many_work_at_once_as_there_are_threads(self) -> None:
        threads = RequestThreads(3, "test")
        together = threading.Barrier(4)
        for _ in range(3):
            threads.submit(lambda: together.wait(5) and None)
        together.wait(5)
        threads.shutdown()

    def test_what_was_submitted_before_the_end_is_still_done(self) -> None:
        before = set(threading.enumerate())
        threads = RequestThreads(2, "ending")
        mine = set(threading.enumerate()) - before
        self.assertEqual({thread.name for thread in mine}, {"ending 1", "ending 2"})
        self.assertTrue(all(thread.daemon for thread in mine), "a stopping process does not wait for them")
        held, done = threading.Event(), threading.Event()
        threads.submit(lambda: held.wait(5) and None)
        threads.submit(lambda: held.wait(5) and None)
        threads.submit(done.set)
        threads.shutdown(wait=False)
        self.assertFalse(done.is_set())
        held.set()
        for thread in mine:
            thread.join(5)
            self.assertFalse(thread.is_alive())
        self.assertTrue(done.is_set())
