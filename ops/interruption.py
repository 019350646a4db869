"""Ctrl-C before a command has begun: one word and exit code 130, where Python would show a traceback.

Imports nothing that takes time: it is there before everything else.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import NoReturn

_EXIT_CODE = 130


def ends_at_once() -> None:
    """Let Ctrl-C end this process without a traceback; where it is ignored, as in the background, it stays ignored."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


def is_an_error_again() -> None:
    """Let Ctrl-C raise KeyboardInterrupt: from now on there is something to clean up."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def termination_is_an_error() -> None:
    """Let SIGTERM raise Terminated, as Ctrl-C raises KeyboardInterrupt."""
    signal.signal(signal.SIGTERM, _terminate)


def _terminate(_signal: int, _frame: object) -> NoReturn:
    from ops.errors import Terminated  # noqa: PLC0415 - it takes time

    raise Terminated


def _end(_signal: int, _frame: object) -> NoReturn:
    os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, b"ops: interrupted\n")
    os._exit(_EXIT_CODE)
