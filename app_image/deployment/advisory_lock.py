"""One migration at a time, whoever starts it: a lock that PostgreSQL itself gives up when the session ends."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper

# Any fixed number does, as long as every release uses the same: "pactum" in hexadecimal ASCII.
LOCK_KEY = 0x70616374756D
POLL_SECONDS = 0.5


class LockNotFree(Exception):  # noqa: N818 - it is an answer, not a fault
    """Another session kept the lock for the whole time we waited."""


@contextmanager
def advisory_lock(connection: BaseDatabaseWrapper, wait_seconds: float) -> Iterator[None]:
    """Hold the migration lock on this very session: if the session dies, so do both the lock and the work.

    Raises `LockNotFree` after `wait_seconds`.
    """
    deadline = time.monotonic() + wait_seconds
    with connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK_KEY])
            if cursor.fetchone()[0]:
                break
            if time.monotonic() >= deadline:
                raise LockNotFree
            time.sleep(POLL_SECONDS)
    try:
        yield
    finally:
        if connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK_KEY])
