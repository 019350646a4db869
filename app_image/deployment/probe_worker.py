"""gunicorn's threaded worker, with threads kept free for the health path, usually `/healthz`.

gunicorn hands every connection to one pool of threads. When the database hangs, all of them wait for it, and
`/healthz`, which asks no database, waits behind them: the balancer's probes fail, and ECS kills every task for an
outage that no new task can cure. No server that was measured does better (docs/decisions/0008-the-server.md). So this
worker

- looks at a connection's first bytes (without taking them) before it gives it a thread, and answers a probe in threads
  of its own. A probe is `GET` or `HEAD` of that path, arrived whole and without a body: these threads never wait for
  anybody. Everything else, also a probe that arrives in parts, goes the usual way;
- lets so many requests wait for a thread and no more: the next is answered 503 at once. Otherwise the waiting ones
  would use up `worker_connections` some minutes into an outage; gunicorn would then accept nothing more, probes
  included;
- closes connections in threads, too: gunicorn's main thread waits up to 2 s for each client to hang up, and nothing is
  accepted meanwhile.

It overrides undocumented parts of gunicorn (written for 27.0.1); `lacking_internals` notices when they are gone.
"""

from __future__ import annotations

import inspect
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from selectors import EVENT_READ
from typing import TYPE_CHECKING, Any

from gunicorn import util
from gunicorn.workers.gthread import TConn, ThreadWorker

if TYPE_CHECKING:
    from concurrent.futures import Future
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

BODY = re.compile(rb"\r\n(?:content-length[ \t]*:(?![ \t]*0+[ \t]*\r\n)|transfer-encoding[ \t]*:)", re.IGNORECASE)
END_OF_HEAD = b"\r\n\r\n"

# What is overridden or called, with its parameters.
FUNCTIONS: dict[tuple[Any, str], list[str]] = {
    (ThreadWorker, "_cap_keepalive"): ["self", "deadline"],
    (ThreadWorker, "accept"): ["self", "listener"],
    (ThreadWorker, "enqueue_req"): ["self", "conn"],
    (ThreadWorker, "finish_request"): ["self", "conn", "fs"],
    (ThreadWorker, "handle"): ["self", "conn"],
    (ThreadWorker, "handle_quit"): ["self", "sig", "frame"],
    (ThreadWorker, "init_process"): ["self"],
    (ThreadWorker, "on_pending_socket_readable"): ["self", "conn", "client"],
    (ThreadWorker, "run"): ["self"],
    (TConn, "close"): ["self", "graceful"],
    (util, "write_error"): ["sock", "status_int", "reason", "mesg"],
}
WORKER_ATTRIBUTES = {"max_keepalived", "method_queue", "nr_conns", "pending_conns", "poller", "worker_connections"}
CONNECTION_ATTRIBUTES = {"data_ready", "initialized", "parser", "sock", "timeout"}


def lacking_internals() -> list[str]:
    """Name what this worker builds on and the installed gunicorn has no longer, or has with other parameters."""
    lacking = [
        f"{owner.__name__}.{name}({', '.join(parameters)})"
        for (owner, name), parameters in FUNCTIONS.items()
        if not hasattr(owner, name) or list(inspect.signature(getattr(owner, name)).parameters) != parameters
    ]
    for owner, names in ((ThreadWorker, WORKER_ATTRIBUTES), (TConn, CONNECTION_ATTRIBUTES)):
        # Instance attributes are named nowhere but in the constructor's byte-code.
        lacking += [f"{owner.__name__}.{name}" for name in sorted(names - set(owner.__init__.__code__.co_names))]
    return lacking


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
        self.probes: ThreadPoolExecutor
        self.closing: ThreadPoolExecutor
        self._warned_at = -WARN_EVERY_SECONDS

    def init_process(self) -> None:
        """Make the threads here, after the fork: they would not survive it."""
        self.make_threads()
        super().init_process()

    def make_threads(self) -> None:
        """Make the pools that gunicorn does not know of."""
        self.probes = ThreadPoolExecutor(PROBE_THREADS, thread_name_prefix="probe")
        self.closing = ThreadPoolExecutor(CLOSING_THREADS, thread_name_prefix="closing")

    def run(self) -> None:
        """Serve until told to stop and every connection has had its answer: probes count as connections, too."""
        super().run()
        self._end_threads()

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        """End at once."""
        self._end_threads()
        super().handle_quit(sig, frame)

    def _end_threads(self) -> None:
        self.probes.shutdown(wait=False)
        self.closing.shutdown(wait=False, cancel_futures=True)

    def enqueue_req(self, conn: TConn) -> None:
        """Choose who answers. gunicorn calls this in its main thread for every connection that may have a request."""
        if not conn.initialized and not conn.data_ready:
            self._await_first_bytes(conn)
        elif self._waits_for_nobody(conn):
            self._submit_to_probes(self.handle, conn)
        elif len(self.in_pool) >= self.most_in_pool:
            self._submit_to_probes(self._turn_away, conn)
        else:
            self.in_pool.add(conn)
            super().enqueue_req(conn)

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

    def _submit_to_probes(self, work: Any, conn: TConn) -> None:  # noqa: ANN401 - a method that takes the connection
        future = self.probes.submit(work, conn)
        future.add_done_callback(lambda done: self.method_queue.defer(self.finish_request, conn, done))

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
        super()._cap_keepalive(deadline)
        for conn in self.pending_conns:
            conn.timeout = min(conn.timeout, deadline)
