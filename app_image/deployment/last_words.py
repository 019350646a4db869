"""An exception that ends a process or a thread is a line in the log like any other.

Python would write it to standard error as it is: in many lines, none of which is JSON, for no alarm to count and with
whatever values it holds. Jobs and workers end so; gunicorn logs what ends its own.
"""

from __future__ import annotations

import logging
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

logger = logging.getLogger(__name__)


def log_last_words() -> None:
    """Log them from now on; whoever sits at a terminal is shown what Python shows."""
    sys.excepthook = _of_process
    threading.excepthook = _of_thread


def _of_process(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt) or sys.stderr.isatty():
        sys.__excepthook__(kind, error, trace)
        return
    logger.critical("An exception has ended this process.", exc_info=error)


def _of_thread(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_type is not SystemExit:
        logger.error(
            "An exception has ended the thread %s.", ended.thread.name if ended.thread else "", exc_info=ended.exc_value
        )
