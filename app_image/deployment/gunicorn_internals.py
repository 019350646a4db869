"""What probe_worker.py uses of gunicorn without its being documented: no update that changes it goes unnoticed."""

from __future__ import annotations

import inspect
from typing import Any

from gunicorn import util
from gunicorn.http import wsgi
from gunicorn.http.body import Body, LengthReader
from gunicorn.http.parser import Parser
from gunicorn.workers.gthread import PollableMethodQueue, TConn, ThreadWorker

# What is overridden or called, with its parameters.
FUNCTIONS: dict[tuple[Any, str], list[str]] = {
    (Parser, "finish_body"): ["self", "deadline", "max_bytes"],
    (PollableMethodQueue, "defer"): ["self", "callback", "args"],
    (ThreadWorker, "_cap_keepalive"): ["self", "deadline"],
    (ThreadWorker, "_keepalive_after"): ["self", "conn", "keepalive"],
    (ThreadWorker, "accept"): ["self", "listener"],
    (ThreadWorker, "enqueue_req"): ["self", "conn"],
    (ThreadWorker, "finish_request"): ["self", "conn", "fs"],
    (ThreadWorker, "get_thread_pool"): ["self"],
    (ThreadWorker, "handle"): ["self", "conn"],
    (ThreadWorker, "handle_quit"): ["self", "sig", "frame"],
    (ThreadWorker, "init_process"): ["self"],
    (ThreadWorker, "notify"): ["self"],
    (ThreadWorker, "on_pending_socket_readable"): ["self", "conn", "client"],
    (ThreadWorker, "run"): ["self"],
    (TConn, "close"): ["self", "graceful"],
    (TConn, "set_timeout"): ["self"],
    (util, "write_error"): ["sock", "status_int", "reason", "mesg"],
    (wsgi, "create"): ["req", "sock", "client", "server", "cfg", "response_class", "response_args"],
    (wsgi.Response, "write"): ["self", "arg"],
}
ATTRIBUTES: dict[Any, set[str]] = {
    ThreadWorker: {
        "keepalived_conns",
        "max_keepalived",
        "method_queue",
        "nr_conns",
        "pending_conns",
        "poller",
        "tpool",
        "worker_connections",
    },
    TConn: {"data_ready", "initialized", "parser", "sock", "timeout"},
    Body: {"reader"},
    LengthReader: {"length"},
    Parser: {"mesg", "unreader"},
    wsgi.Response: {"headers_sent", "sock"},
}


def lacking_internals() -> list[str]:
    """Name what probe_worker.py builds on and the installed gunicorn has no longer, or has with other parameters."""
    lacking = [
        f"{owner.__name__}.{name}({', '.join(parameters)})"
        for (owner, name), parameters in FUNCTIONS.items()
        if not hasattr(owner, name) or list(inspect.signature(getattr(owner, name)).parameters) != parameters
    ]
    for owner, names in ATTRIBUTES.items():
        # Instance attributes are named nowhere but in the constructor's byte-code.
        lacking += [f"{owner.__name__}.{name}" for name in sorted(names - set(owner.__init__.__code__.co_names))]
    return lacking
