"""A database connection on which nobody waits for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import psycopg
from psycopg import errors

if TYPE_CHECKING:
    from psycopg.abc import PQGen

Result = TypeVar("Result")

# Longer than the app's statement_timeout (roles.py), so that a database that is alive is the one to say no.
ANSWER_SECONDS = 10.0
# psycopg's own default: how often it looks whether it was interrupted.
INTERVAL_SECONDS = 0.1


class BoundedConnection(psycopg.Connection):
    """Gives up on a database that is there but does not answer.

    The time limits in PostgreSQL stop with it when it hangs (a stalled disk, a paused host), and those of TCP see a
    peer whose kernel acknowledges every packet. Only the client can end that.
    """

    def wait(self, gen: PQGen[Result], interval: float = INTERVAL_SECONDS, timeout: float | None = None) -> Result:
        """Wait for one answer; raise `OperationalError` and close after `ANSWER_SECONDS`."""
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, ANSWER_SECONDS)
        except errors._WaitTimeout:  # noqa: SLF001 - there is no public name; the tests notice if it goes
            # What was asked may still be answered one day, to a question asked later.
            self.pgconn.finish()
            raise psycopg.OperationalError(f"the database gave no answer within {ANSWER_SECONDS:g} s") from None
