"""A database connection on which nobody waits for ever, and that is not asked after its health for nothing."""

from __future__ import annotations

import math
import select
import time
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from psycopg import errors

if TYPE_CHECKING:
    from psycopg.abc import PQGen, Query

Result = TypeVar("Result")

# Longer than the app's statement_timeout (roles.py), so that a database that is alive is the one to say no.
ANSWER_SECONDS = 10.0
# psycopg's own default: how often it looks whether it was interrupted.
INTERVAL_SECONDS = 0.1
# What has answered so lately still does, unless its socket says otherwise: a third of a page's round trips are saved.
FRESH_SECONDS = 1.0


class BoundedConnection(psycopg.Connection):
    """Gives up on a database that is there but does not answer.

    The time limits in PostgreSQL stop with it when it hangs (a stalled disk, a paused host), and those of TCP see a
    peer whose kernel acknowledges every packet. Only the client can end that.
    """

    _heard_at = -math.inf

    def wait(self, gen: PQGen[Result], interval: float = INTERVAL_SECONDS, timeout: float | None = None) -> Result:
        """Wait for one answer; raise `OperationalError` and close after `ANSWER_SECONDS`."""
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        try:
            result = super().wait(gen, interval, ANSWER_SECONDS)
        except errors._WaitTimeout:  # noqa: SLF001 - there is no public name; the tests notice if it goes
            # What was asked may still be answered one day, to a question asked later.
            self.pgconn.finish()
            raise psycopg.OperationalError(f"the database gave no answer within {ANSWER_SECONDS:g} s") from None
        self._heard_at = time.monotonic()
        return result

    def execute(self, query: Query, *args: Any, **kwargs: Any) -> psycopg.Cursor[Any]:  # noqa: ANN401 - handed through
        """Do as psycopg does, except with the empty query: the pool asks it before it hands a connection out.

        It costs a round trip, and is answered here while the connection is fresh. A failover ends connections, which
        makes their sockets readable: then the database is asked, fails, and the pool takes another connection.
        """
        if query == "" and time.monotonic() - self._heard_at < FRESH_SECONDS and self._is_silent():
            return self.cursor()
        return super().execute(query, *args, **kwargs)

    def _is_silent(self) -> bool:
        """Whether nothing has arrived that nobody has asked for: the end of the connection, first of all."""
        poll = select.poll()
        poll.register(self.pgconn.socket, select.POLLIN)
        return not poll.poll(0)
