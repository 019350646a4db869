"""ops/watch/readiness.py: the readiness path, asked at the door that users come through."""

from __future__ import annotations

import contextlib
import http.server
import logging
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from ops.watch.gauges import PATIENCE_SECONDS
from ops.watch.readiness import WHOLE_SECONDS, door_of, gauge
from tests.ops_fakes.account import DNS_NAME
from tests.watch_fakes import assignment_of

if TYPE_CHECKING:
    from collections.abc import Iterator


class Answer(http.server.BaseHTTPRequestHandler):
    status = 200
    seen: list[tuple[str, str]] = []  # noqa: RUF012 - the test's notebook

    def do_GET(self) -> None:
        self.seen.append((self.path, self.headers["Host"]))
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(b"database: no answer\n")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def door() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Answer.seen.clear()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(("status", "failing"), [(200, 0.0), (503, 1.0), (302, 1.0), (404, 1.0)])
def test_nothing_but_200_is_ready(
    door: str, status: int, failing: float, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Answer, "status", status)
    with caplog.at_level(logging.INFO):
        (one,) = gauge(assignment_of(READINESS_URL=f"http://{door}/ready/z"))
    assert (one.name, one.value, dict(one.dimensions)) == ("ReadinessFailing", failing, {})
    assert Answer.seen == [("/ready/z", door)]
    assert ("database: no answer" in caplog.text) is bool(failing), "why is in the log, and a good pass leaves none"


def test_no_answer_is_what_users_meet_and_no_error(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        (one,) = gauge(assignment_of(READINESS_URL=f"http://127.0.0.1:{taken.getsockname()[1]}/readyz"))
    assert one.value == 1.0
    assert "not ready" in caplog.text


def test_an_answer_that_never_ends_is_given_up_and_is_none(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Each byte comes in time: only the whole is late. As no answer at all it would be a gauge without a value."""
    ended = threading.Event()

    def drip(listening: socket.socket) -> None:
        taken, _ = listening.accept()
        with taken, contextlib.suppress(OSError):
            while not ended.wait(0.05):
                taken.sendall(b"H")

    monkeypatch.setattr("ops.watch.readiness.WHOLE_SECONDS", 0.5)
    began, there = time.monotonic(), set(threading.enumerate())
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=drip, args=(listening,), daemon=True).start()
        (one,) = gauge(assignment_of(READINESS_URL=f"http://127.0.0.1:{listening.getsockname()[1]}/readyz"))
        took = time.monotonic() - began
        waiting = set(threading.enumerate()) - there
        ended.set()
    assert one.value == 1.0
    assert took < 3
    assert waiting, "it is still there"
    assert all(thread.daemon for thread in waiting), "whoever looks by hand must not wait for it"
    assert "is not ready: TimeoutError" in caplog.text


def test_what_cannot_be_asked_is_the_watchs_own_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.create_connection", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        gauge(assignment_of())


def test_it_is_given_up_before_the_pass_is() -> None:
    assert WHOLE_SECONDS < PATIENCE_SECONDS


def test_a_name_that_nobody_knows_is_none_either(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr("socket.create_connection", unknown)
    assert gauge(assignment_of())[0].value == 1.0


def test_a_domain_is_asked_over_tls_by_its_own_name() -> None:
    door, path = door_of(assignment_of(READINESS_URL="https://pactum.example.com/readyz"))
    assert (door.connect_host, door.connect_port, door.tls) == ("pactum.example.com", 443, True)
    assert (door.host, door.host_header, path) == ("pactum.example.com", "pactum.example.com", "/readyz")


@pytest.mark.parametrize(
    ("url", "host"),
    [(f"http://{DNS_NAME}/readyz", DNS_NAME), ("https://pactum.example.com/readyz", f"{DNS_NAME}:443")],
)
def test_in_the_rehearsal_the_gateway_is_asked_by_the_balancers_name_and_listener(url: str, host: str) -> None:
    door, _ = door_of(assignment_of(READINESS_URL=url, OPS_CONNECT_TO="127.0.0.1:4666"))
    assert (door.connect_host, door.connect_port, door.tls) == ("127.0.0.1", 4666, False)
    assert door.host_header == host
