"""The worker that keeps threads free for the balancer: its real loop, with an application that waits when told to."""

from __future__ import annotations

import errno
import http.client
import os
import selectors
import socket
import threading
import time
from typing import TYPE_CHECKING, Any
from unittest import mock

from django.test import SimpleTestCase
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.http import wsgi

from deployment.probe_worker import (
    PROBE_THREADS,
    ProbeWorker,
    answering,
    is_whole_probe,
    probe_pattern,
    worker_connections,
)
from deployment.whole_answers import WholeAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

THREADS = 2


def request(path: str, *headers: str, method: str = "GET") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", *headers, "", ""]).encode()


PROBE = request("/healthz")


class Client:
    """One connection, as raw as the balancer's."""

    def __init__(self, address: tuple[str, int], *data: bytes) -> None:
        self.socket = socket.create_connection(address, timeout=5)
        self.method = "GET"
        for piece in data:
            self.send(piece)

    def send(self, data: bytes) -> None:
        self.method = "HEAD" if data.startswith(b"HEAD") else "GET"
        self.socket.sendall(data)

    def status(self, timeout_seconds: float = 2) -> str:
        """Read the next answer whole; return its status, "closed" or "silence"."""
        self.socket.settimeout(timeout_seconds)
        response = http.client.HTTPResponse(self.socket, method=self.method)
        try:
            response.begin()
            response.read()
        except TimeoutError:
            return "silence"
        except ConnectionError:
            return "closed"
        finally:
            response.close()
        return str(response.status)


class Serving(SimpleTestCase):
    """Pages are answered once `self.free` is set: until then they wait, as for a database that hangs."""

    def setUp(self) -> None:
        self.free, self.probes_free = threading.Event(), threading.Event()
        self.probes_free.set()
        listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.address = listener.getsockname()
        config = Config()
        config.set("threads", THREADS)
        config.set("keepalive", 75)
        config.set("graceful_timeout", 10)
        config.set("worker_connections", worker_connections(THREADS))
        config.set("worker_tmp_dir", "/dev/shm")  # noqa: S108 - as in gunicorn_config.py
        self.worker = ProbeWorker(1, os.getppid(), [listener], None, 30, config, Logger(config))
        self.worker.tpool = self.worker.get_thread_pool()
        self.worker.prepare()
        self.worker.poller = selectors.DefaultSelector()
        self.worker.method_queue.init()
        self.worker.wsgi = self.application
        self.loop = threading.Thread(target=self.worker.run)
        self.loop.start()
        self.clients: list[Client] = []
        self.addCleanup(self.end)

    def application(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        (self.probes_free if environ["PATH_INFO"] == "/healthz" else self.free).wait(20)
        start_response("200 OK", [("Content-Length", "3")])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [b"ok\n"]

    def end(self) -> None:
        self.free.set()
        self.probes_free.set()
        for client in self.clients:
            client.socket.close()
        self.stop()
        self.loop.join(15)
        self.worker.tmp.close()

    def stop(self) -> None:
        if self.loop.is_alive():
            self.worker.handle_exit(15, None)

    def connect(self, *data: bytes) -> Client:
        self.clients.append(Client(self.address, *data))
        return self.clients[-1]

    def until(self, condition: Callable[[], bool], why: str) -> None:
        deadline = time.monotonic() + 5
        while not condition():
            self.assertLess(time.monotonic(), deadline, why)
            time.sleep(0.02)

    def saturate(self) -> list[Client]:
        clients = [self.connect(request("/")) for _ in range(THREADS * 3)]
        self.until(lambda: len(self.worker.in_pool) == len(clients), "the pages should wait now")
        return clients

    def test_a_probe_is_answered_while_every_thread_waits(self) -> None:
        pages = self.saturate()
        for method in ("GET", "HEAD"):
            started = time.monotonic()
            self.assertEqual(self.connect(request("/healthz", method=method)).status(), "200")
            self.assertLess(time.monotonic() - started, 0.5)
        self.assertEqual(
            self.connect(request("/healthz?x")).status(0.3), "silence", "only the probe itself is let past"
        )
        self.free.set()
        self.assertEqual({page.status() for page in pages}, {"200"}, "and nobody else loses anything")

    def test_one_kept_connection_may_ask_for_probes_and_pages_in_turn(self) -> None:
        kept = self.connect()
        for path in ("/healthz", "/", "/healthz", "/"):
            self.free.set()
            kept.send(request(path))
            self.assertEqual(kept.status(), "200", path)
        self.free.clear()
        pages = self.saturate()
        kept.send(PROBE)
        self.assertEqual(kept.status(), "200")
        kept.send(request("/"))
        self.assertEqual(kept.status(0.3), "silence", "its page waits as every page does")
        self.assertEqual(self.connect(PROBE).status(), "200", "its page must not wait in a probe's thread")
        self.free.set()
        self.assertEqual({page.status() for page in [*pages, kept]}, {"200"})

    def test_requests_sent_at_once_are_answered_in_turn(self) -> None:
        self.free.set()
        both = self.connect(request("/") + PROBE + request("/") + PROBE)
        received = b""
        while received.count(b"200 OK") < 4:
            data = both.socket.recv(4096)
            self.assertTrue(data, f"the connection was closed after {received!r}")
            received += data

    def test_a_probe_in_parts_is_answered_by_the_usual_threads(self) -> None:
        for cut in (1, 8, 13, len(PROBE) - 1):
            client = self.connect(PROBE[:cut])
            time.sleep(0.1)
            client.send(PROBE[cut:])
            self.assertEqual(client.status(), "200", f"cut after {cut} bytes")

    def test_nobody_can_hold_a_probes_thread(self) -> None:
        """Anybody may ask for `/healthz` through the balancer, and send the request as slowly as they like."""
        self.saturate()
        for _ in range(PROBE_THREADS * 2):
            self.connect(PROBE[:-2])
            self.connect(request("/healthz", "Content-Length: 10"))
            self.connect(request("/healthz", "Transfer-Encoding: chunked"))
            self.connect(PROBE + request("/"))
        self.assertEqual(self.connect(PROBE).status(), "200")

    def test_too_many_waiting_requests_are_turned_away_and_probes_are_not(self) -> None:
        """Otherwise they would take up all connections in time, and then nothing is accepted, not even a probe."""
        most = self.worker.most_in_pool
        with mock.patch.object(self.worker.log, "warning") as warning:
            waiting = [self.connect(request("/")) for _ in range(most)]
            self.until(lambda: len(self.worker.in_pool) == most, "so many may wait")
            self.assertEqual({self.connect(request("/")).status() for _ in range(20)}, {"503"})
            self.assertEqual(warning.call_count, 1, "the log says it, not a thousand times")
        self.assertEqual(self.connect(PROBE).status(), "200")
        self.free.set()
        self.assertEqual({page.status() for page in waiting}, {"200"})
        self.assertEqual(self.connect(request("/")).status(), "200", "afterwards all is as before")

    def test_a_client_that_does_not_hang_up_stops_nobody(self) -> None:
        self.free.set()
        kept_open = [self.connect(request("/", "Connection: close")) for _ in range(4)]
        self.assertEqual({client.status() for client in kept_open}, {"200"})
        started = time.monotonic()
        self.assertEqual(self.connect(PROBE).status(), "200")
        self.assertLess(time.monotonic() - started, 0.5, "the main thread must not wait for any client")

    def test_every_connection_is_counted_out(self) -> None:
        pages = self.saturate()
        others = [self.connect(PROBE), self.connect(PROBE[:5]), self.connect(), self.connect(request("/healthz?x"))]
        self.assertEqual(others[0].status(), "200")
        self.until(lambda: self.worker.nr_conns == len(pages) + len(others), "each counts")
        for client in [*pages, *others]:
            client.socket.close()
        self.free.set()
        self.until(lambda: self.worker.nr_conns == 0, "else the worker would stop accepting one day")
        self.assertEqual(len(self.worker.in_pool), 0)
        self.assertFalse(self.worker.pending_conns or self.worker.keepalived_conns)

    def test_clients_that_leave_do_not_wait_for_a_thread(self) -> None:
        self.saturate()
        before = self.worker.nr_conns
        leaving = [self.connect() for _ in range(5)]
        self.until(lambda: self.worker.nr_conns == before + 5, "they are accepted")
        for client in leaving:
            client.socket.close()
        self.until(lambda: self.worker.nr_conns == before, "the balancer closes idle connections during an outage, too")

    def test_the_master_hears_once_a_second_that_the_main_thread_works(self) -> None:
        self.free.set()
        with mock.patch.object(self.worker.tmp, "notify") as touched:
            kept, since = self.connect(), time.monotonic()
            for _ in range(40):
                kept.send(request("/"))
                self.assertEqual(kept.status(), "200")
            quick = time.monotonic() - since
            self.assertLessEqual(touched.call_count, quick + 1, "touching a file costs more than parsing a request")
            self.until(lambda: touched.call_count > quick + 1, "the master kills a worker that stays silent for 30 s")

    def test_a_kept_connection_costs_the_main_thread_no_wake_up(self) -> None:
        self.free.set()
        with mock.patch.object(self.worker, "finish_request") as handed_back:
            kept = self.connect()
            for _ in range(5):
                kept.send(request("/"))
                self.assertEqual(kept.status(), "200")
                self.until(lambda: len(self.worker.keepalived_conns) == 1, "it waits for its next request")
                self.assertEqual(len(self.worker.in_pool), 0, "else requests would be turned away one day")
        handed_back.assert_not_called()

    def test_a_kept_connection_is_closed_when_its_time_is_up(self) -> None:
        self.free.set()
        self.worker.cfg.set("keepalive", 1)
        kept = self.connect(request("/"))
        self.assertEqual((kept.status(), kept.status(0.3)), ("200", "silence"))
        self.assertEqual(kept.status(4), "closed", "clients that stay away must not use up the connections")
        self.until(lambda: self.worker.nr_conns == 0, "each is counted out")

    def test_an_app_that_ends_its_process_is_heard_in_the_main_thread(self) -> None:
        with mock.patch.object(self.worker, "wsgi", side_effect=SystemExit(3)):
            self.connect(request("/"))
            self.loop.join(5)
        self.assertFalse(self.loop.is_alive(), "a thread alone cannot end a process, and would answer nobody any more")

    def test_answers_are_sent_whole(self) -> None:
        self.assertIs(wsgi.Response, WholeAnswer)

    def test_what_is_not_kept_any_more_is_not_asked(self) -> None:
        with (
            mock.patch.object(self.worker.kept, "asked", return_value=[mock.Mock()]),
            mock.patch.object(self.worker, "enqueue_req") as given_a_thread,
        ):
            self.worker._take_asked(None)
        given_a_thread.assert_not_called()

    def test_bodies_that_the_app_does_not_read_are_not_taken_for_requests(self) -> None:
        self.free.set()
        kept = self.connect()
        for headers, body in (
            ("Content-Length: 9", b"GET / HTT"),
            ("Transfer-Encoding: chunked", b"1\r\nG\r\n0\r\n\r\n"),
        ):
            kept.send(request("/", headers, method="POST") + body)
            self.assertEqual(kept.status(), "200")
            kept.send(request("/"))
            self.assertEqual(kept.status(), "200", headers)

    def test_what_is_kept_during_a_stop_does_not_delay_the_end(self) -> None:
        """A thread may have answered before the stop, and keep the connection after it."""
        self.free.set()
        keep, stopped = self.worker.kept.keep, threading.Event()

        def stop_first(conn: Any) -> None:  # noqa: ANN401 - gunicorn's
            self.stop()
            stopped.set()
            keep(conn)

        with mock.patch.object(self.worker.kept, "keep", stop_first):
            self.assertEqual(self.connect(request("/")).status(), "200")
            self.assertTrue(stopped.wait(2))
        self.loop.join(5)
        self.assertFalse(self.loop.is_alive(), "it would wait for the keepalive, or as long as it may")

    def test_a_connection_that_the_kernel_cannot_watch_is_left_to_gunicorn(self) -> None:
        conn = mock.Mock(timeout=None)
        conn.parser.unreader.buf.getvalue.return_value = b""
        with mock.patch.object(self.worker, "kept") as kept:
            kept.keep.side_effect = OSError(errno.ENOSPC, "no more watches")
            self.assertFalse(self.worker._keep(conn))
        self.assertNotIn(conn, self.worker.keepalived_conns, "it would be closed, and counted out, twice")

    def test_a_stop_while_a_connection_is_put_among_the_kept_ones_is_seen(self) -> None:
        conn = mock.Mock(timeout=None)
        conn.parser.unreader.buf.getvalue.return_value = b""
        conn.set_timeout.side_effect = lambda: setattr(self.worker, "alive", False)
        with mock.patch.object(self.worker, "kept"):
            self.assertTrue(self.worker._keep(conn))
        self.worker.keepalived_conns.remove(conn)
        self.assertLess(conn.timeout, time.monotonic() + 5, "the stop has capped the others before")

    def test_a_stop_waits_for_the_probe_and_the_page_under_way_and_for_nothing_else(self) -> None:
        self.probes_free.clear()
        probe, page, silent = self.connect(PROBE), self.connect(request("/")), self.connect()
        self.until(lambda: len(self.worker.in_pool) == 2 and self.worker.nr_conns == 3, "all are there")
        self.stop()
        time.sleep(0.5)
        self.assertTrue(self.loop.is_alive(), "two answers are owed")
        self.free.set()
        self.probes_free.set()
        self.assertEqual((probe.status(), page.status()), ("200", "200"))
        self.loop.join(4)
        self.assertFalse(self.loop.is_alive(), "a connection on which nothing was ever asked must not delay the end")
        self.assertEqual(silent.status(), "closed")


class WholeProbes(SimpleTestCase):
    def is_one(self, head: bytes, path: str = "/healthz") -> bool:
        return is_whole_probe(head, answering(path).probe)

    def test_only_a_complete_probe_without_a_body_is_one(self) -> None:
        for head in (
            PROBE,
            b"HEAD /healthz HTTP/1.0\r\n\r\n",
            request("/healthz", "Content-Length: 0"),
            request("/healthz", "content-length:00", "Connection: close"),
        ):
            with self.subTest(head):
                self.assertTrue(self.is_one(head))
        for head in (
            b"",
            PROBE[:-1],
            PROBE + b"x",
            request("/healthz/"),
            request("/healthz?x"),
            request("/healthzy"),
            request("/"),
            request("/healthz", method="POST"),
            request("/healthz", "content-length : 1"),
            request("/healthz", "TRANSFER-ENCODING: chunked"),
            request("/healthz", "Content-Length: 0", "Content-Length: 7"),
            request("/healthz", "Content-Length: 01"),
            request("/healthz", "Content-Length: 0, 7"),
        ):
            with self.subTest(head):
                self.assertFalse(self.is_one(head))

    def test_an_app_has_its_health_path_where_it_likes(self) -> None:
        self.assertTrue(self.is_one(request("/up.txt"), "/up.txt"))
        self.assertFalse(self.is_one(PROBE, "/up.txt"))
        self.assertFalse(self.is_one(request("/upxtxt"), "/up.txt"), "a path is no pattern")
        self.assertEqual(ProbeWorker.probe, probe_pattern("/healthz"), "other workers keep theirs")
