"""app_image/deployment/probe.py, run as HEALTHCHECK and ECS run it."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

PROBE = Path(__file__).parents[1] / "app_image/deployment/probe.py"


class Server:
    """Answers one request with what it is given, or not at all, and remembers what was asked."""

    def __init__(self, answer: bytes | None) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = str(self._listener.getsockname()[1])
        self.asked = b""
        self._answer = answer
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            self.asked = connection.recv(4096)
            if self._answer is None:
                self._ended.wait(30)
            else:
                connection.sendall(self._answer)

    def end(self) -> None:
        self._ended.set()
        self._thread.join()
        self._listener.close()


def probe(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-SE", str(PROBE)], capture_output=True, text=True, env=environment, timeout=20, check=False
    )


def test_a_good_answer_is_success_without_a_word() -> None:
    server = Server(b"HTTP/1.1 200 OK\r\n\r\nok")
    done = probe(PORT=server.port, HEALTH_PATH="/alive")
    server.end()
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    assert server.asked.startswith(b"GET /alive HTTP/1.0\r\n")


def test_without_a_path_it_asks_where_the_kit_answers() -> None:
    server = Server(b"HTTP/1.1 200 OK\r\n\r\nok")
    assert probe(PORT=server.port).returncode == 0
    server.end()
    assert server.asked.startswith(b"GET /healthz ")


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 503 Service Unavailable\r\n\r\n", b"HTTP/1.1 301 Moved\r\n\r\n", b"", b"200"]
)
def test_any_other_answer_is_a_failure_that_is_named(answer: bytes) -> None:
    server = Server(answer)
    done = probe(PORT=server.port)
    server.end()
    assert done.returncode == 1
    assert f"/healthz answers {answer.decode().partition(chr(13))[0]!r}, not 200" in done.stderr


def test_no_answer_is_told_before_the_health_check_gives_up_at_four_seconds() -> None:
    server = Server(None)
    done = subprocess.run(
        [sys.executable, "-SE", str(PROBE)],
        capture_output=True,
        text=True,
        env={"PORT": server.port},
        timeout=3.9,
        check=False,
    )
    server.end()
    assert done.returncode == 1
    assert "does not answer on /healthz: timed out" in done.stderr


def test_a_port_that_is_none_is_told() -> None:
    done = probe(PORT="eighty")
    assert done.returncode == 1
    assert "port eighty does not answer" in done.stderr
