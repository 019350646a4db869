"""A log handler for which no thread waits."""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from select import PIPE_BUF
from typing import TextIO


class LineHandler(logging.StreamHandler[TextIO]):
    """Writes at once, as `StreamHandler` does, but lets no thread wait while another one writes.

    Writing lets other threads run, and with `StreamHandler` each that logs then stops at its lock: a seventh of a small
    page's CPU time under load. Here it leaves its line to the one that writes, which goes on until none is left.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._begin()
        # Another thread may be writing while the app forks; it does not exist in the child.
        os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        self._lines: deque[str] = deque()
        self._writing = threading.Lock()

    def handle(self, record: logging.LogRecord) -> bool:
        """Write a line, or leave it to the thread that is writing."""
        found = self.filter(record)
        if not found:
            return False
        record = found if isinstance(found, logging.LogRecord) else record
        try:
            self._lines.append(self.format(record) + self.terminator)
            # Whoever did not get the lock had appended before, so the one who had it sees that line here.
            while self._lines and self._writing.acquire(blocking=False):
                try:
                    self._write()
                finally:
                    self._writing.release()
        except Exception:  # noqa: BLE001 - as `emit` does: logging must not break what it tells of
            self.handleError(record)
        return True

    def _write(self) -> None:
        text = self._lines.popleft()
        # What is longer may mix with the lines of another process in the same pipe. JSON lines are ASCII.
        while self._lines and len(text) + len(self._lines[0]) <= PIPE_BUF:
            text += self._lines.popleft()
        self.stream.write(text)
        self.flush()
