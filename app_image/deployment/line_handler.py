"""A log handler for which no thread waits, as long as what is written to keeps up."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections import deque
from select import PIPE_BUF
from typing import TextIO

# What a thread writes before it goes on with its own work. The rest, where others log faster than one can write, is for
# a thread that has nothing else to do.
MOST_PIECES = 4
# Lines that wait to be written. Whoever logs more of them waits, too, or they would take all memory.
MOST_WAITING = 2000


class LineHandler(logging.StreamHandler[TextIO]):
    """Writes at once, as `StreamHandler` does, but lets no thread wait while another one writes.

    Writing lets other threads run, and with `StreamHandler` each that logs then stops at its lock: a seventh of a small
    page's CPU time under load. Here it leaves its line to the one that writes.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._begin()
        # Another thread may be writing while the app forks; it does not exist in the child.
        os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        self._lines: deque[str] = deque()
        self._writing = threading.Lock()
        self._left = threading.Event()
        self._writer: threading.Thread | None = None

    def handle(self, record: logging.LogRecord) -> bool:
        """Write a line, or leave it to the thread that is writing."""
        found = self.filter(record)
        if not found:
            return False
        record = found if isinstance(found, logging.LogRecord) else record
        try:
            self._lines.append(self.format(record) + self.terminator)
            if len(self._lines) > MOST_WAITING:
                self._write_next()
            self._write_some()
        except Exception:  # noqa: BLE001 - as `emit` does: logging must not break what it tells of
            self.handleError(record)
        return True

    def flush(self) -> None:
        """Write all there is; Python asks for it when it ends."""
        while self._lines:
            self._write_next()
        super().flush()

    def _write_some(self) -> None:
        # Whoever did not get the lock had appended before, so the one who had it sees that line here.
        pieces = 0
        while self._lines and self._writing.acquire(blocking=False):
            try:
                self._write()
            finally:
                self._writing.release()
            pieces += 1
            if pieces == MOST_PIECES and self._leave_the_rest():
                return

    def _leave_the_rest(self) -> bool:
        """Have the rest written by another thread, and say whether there is one."""
        if self._writer is None:
            with self._writing:
                if self._writer is None:
                    writer = threading.Thread(target=self._write_the_rest, name="log writer", daemon=True)
                    # Python starts no thread any more while it ends.
                    with contextlib.suppress(RuntimeError):
                        writer.start()
                        self._writer = writer
        self._left.set()
        return self._writer is not None

    def _write_the_rest(self) -> None:
        while self._left.wait():
            self._left.clear()
            while self._lines:
                try:
                    self._write_next()
                except Exception:  # noqa: BLE001 - what cannot be written is lost; the next may be
                    self.handleError(logging.makeLogRecord({"msg": "lines that were left to be written"}))

    def _write_next(self) -> None:
        with self._writing:
            self._write()

    def _write(self) -> None:
        if not self._lines:
            return
        text = self._lines.popleft()
        # What is longer may mix with the lines of another process in the same pipe. JSON lines are ASCII.
        while self._lines and len(text) + len(self._lines[0]) <= PIPE_BUF:
            text += self._lines.popleft()
        self.stream.write(text)
        self.stream.flush()
