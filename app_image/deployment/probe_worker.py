"""gunicorn's threaded worker, with threads kept free for the health path, usually `/healthz`.

gunicorn hands every connection to one pool of threads. When the database hangs, all of them wait for it, and
`/healthz`, which asks no database, waits behind them: the balancer's probes fail, and ECS kills every task for an
outage that no new task can cure. No server that was measured does better (docs/decisions/0008-the-server.md). So this
worker

- while every thread is busy, looks at a connection's first bytes, without taking them, and answers a probe in threads
  of its own. A probe is `GET` or `HEAD` of that path, arrived whole and without a body: these threads never wait for
  anybody. Everything else, also a probe that arrives in parts, goes the usual way;
- lets so many requests wait for a thread and no more: the next is answered 503 at once. Otherwise the waiting ones
  would use up `worker_connections` some minutes into an outage; gunicorn would then accept nothing more, probes
  included;
- closes connections in threads, too: gunicorn's main thread waits up to 2 s for each client to hang up, and nothing is
  accepted meanwhile;
- leaves out what costs most of a small page's time on the way: threads get their work without a future
  (request_threads.py), keep the connections they have answered by themselves (kept_connections.py) and send an answer
  in one piece (whole_answers.py).

It overrides undocumented parts of gunicorn (written for 27.0.1); gunicorn_internals.py notices when they are gone.
"""

from __future__ import annotations

import re
import socket
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ
from typing import TYPE_CHECKING, Any

from gunicorn import util
from gunicorn.http.body import LengthReader
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, TConn, ThreadWorker

from deployment.kept_connections import KeptConnections
from deployment.request_threads import RequestThreads
from deployment.whole_answers import send_whole_answers

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

PROBE_THREADS = 2
CLOSING_THREADS = 4
# Even pages of a quarter of a second are answered within seconds from the end of such a queue; when the database hangs
# (5 s for each request), the balancer has given up on what stands there.
WAITING_PER_THREAD = 25
# Connections that are open without being asked anything, which the balancer keeps for later.
IDLE_CONNECTIONS = 1000
# More than a balancer's or a monitor's whole request.
PEEK_BYTES = 4096
WARN_EVERY_SECONDS = 10.0
# gunicorn's master kills a worker that has been silent for 30 s.
NOTIFY_EVERY_SECONDS = 1.0

BODY = re.compile(rb"\r\n(?:content-length[ \t]*:(?![ \t]*0+[ \t]*\r\n)|transfer-encoding[ \t]*:)", re.IGNORECASE)
END_OF_HEAD = b"\r\n\r\n"
# What a thread says of a connection that it has kept by itself; to gunicorn, that it is not to be closed.
KEPT = object()


def worker_connections(threads: int) -> int:
    """Return how many connections one worker must be able to hold: those it works on, those that wait, idle ones."""
    return threads * (1 + WAITING_PER_THREAD) + IDLE_CONNECTIONS


def probe_pattern(path: str) -> re.Pattern[bytes]:
    """Return what the first line of a health probe looks like."""
    return re.compile(rb"(?:GET|HEAD) " + re.escape(path.encode()) + rb" HTTP/1\.[01]\r\n")


def is_whole_probe(head: bytes, probe: re.Pattern[bytes]) -> bool:
    """Whether these bytes are all of a health probe, so that answering it needs nothing more from the client."""
    return bool(probe.match(head)) and head.find(END_OF_HEAD) == len(head) - len(END_OF_HEAD) and not BODY.search(head)


def answering(path: str) -> type[ProbeWorker]:
    """Return the worker for an app whose health path this is; gunicorn has no setting for it."""
    return type("ProbeWorker", (ProbeWorker,), {"probe": probe_pattern(path)})


class ProbeWorker(ThreadWorker):
    """Serves as gunicorn's `gthread` does, and answers the health path also while every thread is busy."""

    probe = probe_pattern("/healthz")

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - gunicorn's business
        super().__init__(*args, **kwargs)
        self.most_in_pool = self.cfg.threads * (1 + WAITING_PER_THREAD)
        # What is kept alive without being used must leave room for what is worked on.
        self.max_keepalived = self.worker_connections - self.most_in_pool
        # The connections that have a thread of the usual pool or wait for one; the main thread's alone.
        self.in_pool: set[TConn] = set()
        self.probes: RequestThreads
        self.closing: ThreadPoolExecutor
        self.kept: KeptConnections
        self._warned_at = -WARN_EVERY_SECONDS
        self._notified_at = -NOTIFY_EVERY_SECONDS

    def init_process(self) -> None:
        """Make the threads here, after the fork: they would not survive it."""
        self.prepare()
        super().init_process()

    def prepare(self) -> None:
        """Make what gunicorn does not know of."""
        send_whole_answers()
        self.kept = KeptConnections()
        self.probes = RequestThreads(PROBE_THREADS, "probe")
        self.closing = ThreadPoolExecutor(CLOSING_THREADS, thread_name_prefix="closing")

    def get_thread_pool(self) -> RequestThreads:
        """Return the threads for everything but probes; gunicorn asks for them once."""
        return RequestThreads(self.cfg.threads, "request")

    def run(self) -> None:
        """Serve until told to stop and every connection has had its answer: probes count as connections, too."""
        self.poller.register(self.kept, EVENT_READ, self._take_asked)
        super().run()
        self._end_threads()

    def notify(self) -> None:
        """Tell the master that the main thread works; gunicorn touches a file for it each time that thread wakes."""
        now = time.monotonic()
        if now - self._notified_at >= NOTIFY_EVERY_SECONDS:
            self._notified_at = now
            super().notify()

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        """End at once."""
        self._end_threads()
        super().handle_quit(sig, frame)

    def _end_threads(self) -> None:
        self.probes.shutdown()
        self.closing.shutdown(wait=False, cancel_futures=True)

    def enqueue_req(self, conn: TConn) -> None:
        """Choose who answers. gunicorn calls this in its main thread for every connection that may have a request."""
        if not conn.initialized and not conn.data_ready:
            self._await_first_bytes(conn)
        elif len(self.in_pool) >= self.cfg.threads and self._waits_for_nobody(conn):
            self._submit(self.probes, self.handle, conn)
        elif len(self.in_pool) >= self.most_in_pool:
            self._submit(self.probes, self._turn_away, conn)
        else:
            self.in_pool.add(conn)
            self._submit(self.tpool, self.handle, conn)

    def handle(self, conn: TConn) -> Any:  # noqa: ANN401 - gunicorn's
        """Answer a request, in a thread, and keep the connection for the next one if it may be kept."""
        result = super().handle(conn)
        return KEPT if result is True and self._keep(conn) else result

    def _keep(self, conn: TConn) -> bool:
        """Let the connection wait for its next request, unless that has been read with the last one."""
        if conn.parser.unreader.buf.getvalue():
            return False
        conn.set_timeout()
        self.in_pool.discard(conn)
        self.keepalived_conns.append(conn)
        # A stop that has come meanwhile may have looked at all the others already.
        if not self.alive:
            conn.timeout = time.monotonic() + STOP_KEEPALIVE_LINGER
        try:
            self.kept.keep(conn)
        except OSError:
            # The kernel watches no more sockets; gunicorn's own way may fail as well, and then closes it.
            with suppress(ValueError):
                self.keepalived_conns.remove(conn)
            return False
        return True

    def _take_asked(self, _: object) -> None:
        """Find a thread for each kept connection that is asked again."""
        for conn in self.kept.asked():
            try:
                self.keepalived_conns.remove(conn)
            except ValueError:
                # Closed: a process that the app was just starting may have held its socket open a moment longer.
                continue
            self.enqueue_req(conn)

    def _keepalive_after(self, conn: TConn, keepalive: bool) -> bool:
        """Leave out gunicorn's draining of a body that is read whole: it sets the socket's timeout three times."""
        reader = getattr(conn.parser.mesg.body, "reader", None)
        if keepalive and type(reader) is LengthReader and reader.length == 0:
            # With no message before it, the next one is read without that, too.
            conn.parser.mesg = None
            return True
        return bool(super()._keepalive_after(conn, keepalive))

    def finish_request(self, conn: TConn, fs: Future[Any]) -> None:
        """Wait for the connection's next request, or close it; it counts until it is closed."""
        self.in_pool.discard(conn)
        if fs.cancelled() or fs.exception() or fs.result():
            super().finish_request(conn, fs)
            return
        closed = self.closing.submit(conn.close, graceful=True)
        closed.add_done_callback(lambda _: self.method_queue.defer(self._count_out))

    def _count_out(self) -> None:
        self.nr_conns -= 1

    def _await_first_bytes(self, conn: TConn) -> None:
        """Leave a new connection with the poller until there is something to look at; it holds no thread meanwhile."""
        conn.timeout = time.monotonic() + self.cfg.keepalive
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def _waits_for_nobody(self, conn: TConn) -> bool:
        """Whether it is a probe, or a connection that the client has closed; the request stays in the socket."""
        # Bytes behind a request that gunicorn has read ahead come before those in the socket.
        if self.cfg.is_ssl or (conn.parser is not None and conn.parser.unreader.buf.getvalue()):
            return False
        try:
            head = conn.sock.recv(PEEK_BYTES, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except ConnectionError:
            return True
        except OSError:
            return False
        return not head or is_whole_probe(head, self.probe)

    def _submit(self, pool: RequestThreads, work: Callable[[TConn], Any], conn: TConn) -> None:
        pool.submit(partial(self._finish, work, conn))

    def _finish(self, work: Callable[[TConn], Any], conn: TConn) -> None:
        """Do it, in a thread, and wake the main thread unless the connection is kept already."""
        result, error = None, None
        try:
            result = work(conn)
        except BaseException as raised:  # noqa: BLE001 - what ends a process is raised again in its main thread
            error = raised
        if result is KEPT:
            return
        done: Future[Any] = Future()
        if error:
            done.set_exception(error)
        else:
            done.set_result(result)
        self.method_queue.defer(self.finish_request, conn, done)

    def _turn_away(self, conn: TConn) -> bool:
        """Answer 503 and close."""
        now = time.monotonic()
        if now - self._warned_at >= WARN_EVERY_SECONDS:
            self._warned_at = now
            self.log.warning(
                "%s requests wait for a thread: answering 503 to more. The database may hang, or the load be too much.",
                self.most_in_pool - self.cfg.threads,
            )
        util.write_error(conn.sock, 503, "Service Unavailable", "Too many requests are waiting. Please try again soon.")
        return False

    def _cap_keepalive(self, deadline: float) -> None:
        """When stopping, let silent new connections wait no longer than kept-alive ones (they would for 75 s)."""
        # In a copy: threads still add to the first.
        for conn in [*self.keepalived_conns, *self.pending_conns]:
            conn.timeout = min(conn.timeout, deadline)
