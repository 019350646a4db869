"""Connections that are kept for their next request, put here by the threads that have answered them.

gunicorn's threads hand every connection back to the main thread, which wakes for each, registers it with its selector
and, a moment later, takes it out again. Here a thread arms the connection itself, with one system call and without
waking anybody.
"""

from __future__ import annotations

import select
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gunicorn.workers.gthread import TConn

# A connection whose request has arrived stays silent until it is armed anew: a thread has it meanwhile.
ONCE = select.EPOLLIN | select.EPOLLONESHOT


class KeptConnections:
    """Selectors can watch this object: it is readable while a connection in it has something to read."""

    def __init__(self) -> None:
        self._poll = select.epoll()
        # Closed ones, too, until their number is given to another: the kernel forgets a socket when it is closed.
        self._by_number: dict[int, TConn] = {}

    def fileno(self) -> int:
        """Return the number under which the main thread's selector watches all of them."""
        return self._poll.fileno()

    def keep(self, conn: TConn) -> None:
        """Watch a connection until it has something to read. Called in the thread that has answered it."""
        number = conn.sock.fileno()
        if self._by_number.get(number) is conn:
            self._poll.modify(number, ONCE)
            return
        self._by_number[number] = conn
        self._poll.register(number, ONCE)

    def asked(self) -> list[TConn]:
        """Return those that have something to read, or are closed by the client; they are watched no more."""
        return [self._by_number[number] for number, _ in self._poll.poll(0)]
