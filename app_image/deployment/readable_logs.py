"""Log lines as text, for a developer's terminal."""

from __future__ import annotations

import logging

from deployment.json_logs import without_tokens


class TextFormatter(logging.Formatter):
    """Writes time, level, logger and message, for a request its milliseconds, and an exception in full below."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-8s %(source)s%(message)s%(duration)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of one record; that of a request speaks for itself, without its logger's name."""
        duration = getattr(record, "duration_ms", None)
        record.source = f"{record.name}: " if duration is None else ""
        record.duration = "" if duration is None else f" {duration:.0f} ms"
        return without_tokens(super().format(record))
