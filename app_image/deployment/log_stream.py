"""A stream that writes its lines to a logger, for commands of Django's that print."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging


class LogStream(io.TextIOBase):
    """Logs every complete line at one level, without the spaces around it; empty lines are left out."""

    def __init__(self, logger: logging.Logger, level: int) -> None:
        super().__init__()
        self._logger = logger
        self._level = level
        self._begun = ""

    def write(self, text: str) -> int:
        """Take a piece of text, which may be a part of a line."""
        *lines, self._begun = (self._begun + text).split("\n")
        for line in lines:
            self._log(line)
        return len(text)

    def end(self) -> None:
        """Log what has been begun, for whoever printed it will not go on."""
        self._log(self._begun)
        self._begun = ""

    def _log(self, line: str) -> None:
        if line.strip():
            self._logger.log(self._level, "%s", line.strip())
