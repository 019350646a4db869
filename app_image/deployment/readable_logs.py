"""Log lines as text, for a developer's terminal."""

from __future__ import annotations

import logging

from deployment.kept_out import without_tokens


class TextFormatter(logging.Formatter):
    """Writes time, level, logger and message, for a request its milliseconds, and an exception in full below.

    Nothing is taken out but tokens: the data are a developer's own.
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-8s %(source)s%(message)s%(duration)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of one record; that of a request speaks for itself, without its logger's name."""
        duration = getattr(record, "duration_ms", None)
        record.source = f"{record.name}: " if duration is None else ""
        record.duration = "" if duration is None else f" {duration:.0f} ms{self._of_statement(record)}"
        return without_tokens(super().format(record))

    @staticmethod
    def _of_statement(record: logging.LogRecord) -> str:
        sql = getattr(record, "sql", "")
        return f": {sql}" if sql else ""
