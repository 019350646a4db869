"""Answers whose head and first part of the body leave in one piece.

gunicorn sends them apart: two system calls, two packets, and twice a moment at which Python changes threads.
"""

from __future__ import annotations

from typing import Any

from gunicorn.http import wsgi

# A piece is copied behind the head; what is larger goes out by itself.
LARGE_BYTES = 64 * 1024


class Collected(list[bytes]):
    """Takes what would be sent, in place of the socket."""

    def sendall(self, data: bytes) -> None:
        """Keep a piece for later."""
        self.append(data)


class WholeAnswer(wsgi.Response):
    """gunicorn's response. Only the first `write` differs: what it sends, it sends at once."""

    def write(self, arg: bytes) -> None:
        """Take a piece of the body."""
        if self.headers_sent or len(arg) > LARGE_BYTES:
            super().write(arg)
            return
        collected = Collected()
        sock: Any = self.sock
        self.sock = collected
        try:
            super().write(arg)
        except BaseException:
            # Nothing has left yet: gunicorn may still answer 500.
            self.headers_sent = False
            raise
        finally:
            self.sock = sock
        sock.sendall(b"".join(collected))


def send_whole_answers() -> None:
    """Let gunicorn make its responses of this class; there is no setting for it."""
    wsgi.Response = WholeAnswer
