"""What gunicorn calls around a fork. The master loads the app once, and its workers share what it has loaded."""

from __future__ import annotations

import gc
import os
import signal
import threading
from typing import TYPE_CHECKING

from gunicorn.glogging import Logger

if TYPE_CHECKING:
    from gunicorn.arbiter import Arbiter
    from gunicorn.workers.base import Worker


class ServerLog(Logger):
    """gunicorn's own lines. The app logs requests: gunicorn would put a line together for each, and drop it."""

    access_log_enabled = False


def share_what_is_loaded(server: Arbiter) -> None:
    """Before the first worker. Without `freeze`, each worker's collector would write to, and so copy, all of it."""
    strangers = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    if strangers:
        server.log.warning(
            "Loading the app has started threads (%s). The processes that serve do not have them:"
            " start them with the first request that needs them.",
            ", ".join(strangers),
        )
    gc.freeze()
    # gunicorn_config.py has switched it off while everything was imported.
    gc.enable()


def heed_sigterm_at_once(server: Arbiter, worker: Worker) -> None:  # noqa: ARG001 - gunicorn's hook
    """In a new worker. Until it has handlers of its own, the master's would keep a SIGTERM for nobody to read."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    while not server.SIG_QUEUE.empty():
        if server.SIG_QUEUE.get_nowait() == signal.SIGTERM:
            os._exit(0)
