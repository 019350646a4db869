"""A server on loopback that does what a test tells it: answers, fails, hangs or breaks connections."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class FailingServer(http.server.ThreadingHTTPServer):
    """What it does next can be set at any time."""

    daemon_threads = True
    release = "sha256:one"
    status = 200
    broken = ""
    slow_seconds = 0.0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.connections: set[object] = set()
        self.hosts: set[str | None] = set()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def handle_error(self, *_: object) -> None:
        """Users who go away are the tests' own doing."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: FailingServer

    def do_GET(self) -> None:
        self.server.connections.add(self.client_address)
        self.server.hosts.add(self.headers["Host"])
        time.sleep(self.server.slow_seconds)
        if self.server.broken == "no answer":
            self.close_connection = True
            return
        body = json.dumps({"status": "ok", "release": self.server.release}).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body) + (7 if self.server.broken == "half an answer" else 0)))
        self.end_headers()
        self.wfile.write(body)
        if self.server.broken in {"half an answer", "closed afterwards"}:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextlib.contextmanager
def serving() -> Iterator[FailingServer]:
    """One that serves meanwhile."""
    with FailingServer() as made:
        threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
        yield made
        made.shutdown()
