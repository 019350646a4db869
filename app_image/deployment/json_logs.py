"""Log lines as JSON objects, one a line, for CloudWatch Logs Insights to query by field."""

from __future__ import annotations

import json
import logging
import re
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class RequestFacts:
    """What every line logged during a request says about it."""

    request_id: str
    method: str
    path: str


# Django's token in the address of a password reset: whoever reads it in a log may set the password.
TOKEN = re.compile(r"\b[0-9a-z]{6,13}-[0-9a-f]{32}\b")
# Made once: `json.dumps` with an option makes one for each line. What JSON does not know is written as text.
ENCODER = json.JSONEncoder(default=str)
EXTRAS = ("status", "duration_ms", "migrations")

current_request: ContextVar[RequestFacts | None] = ContextVar("current_request", default=None)


def without_tokens(text: str) -> str:
    """Return the text with the tokens of password resets taken out."""
    return TOKEN.sub("[token]", text)


class LineFormatter(logging.Formatter):
    """Writes timestamp, level, logger and message first, then the request's facts, the release and any exception.

    Only the extras named in `EXTRAS` are taken from a record: those of other libraries (Django's hold the whole request
    object) stay out of the log, and query strings with them.
    """

    def __init__(self, release: str) -> None:
        super().__init__()
        self._release = release

    def format(self, record: logging.LogRecord) -> str:
        """Return the object for one record, as one line."""
        created = datetime.fromtimestamp(record.created, tz=UTC)
        line: dict[str, Any] = {
            "timestamp": created.isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": without_tokens(record.getMessage()),
        }
        if facts := current_request.get():
            line["request_id"] = facts.request_id
            line["method"] = facts.method
            line["path"] = without_tokens(facts.path)
        for name in EXTRAS:
            if name in record.__dict__:
                line[name] = record.__dict__[name]
        line["release"] = self._release
        if record.exc_info:
            line["exception"] = without_tokens(self.formatException(record.exc_info))
        if record.stack_info:
            line["stack"] = without_tokens(record.stack_info)
        return ENCODER.encode(line)


def logging_config(level: str, release: str, *, readable: bool = False) -> dict[str, Any]:
    """Return the dictionary for `logging.config.dictConfig` that Django, the app and gunicorn share.

    `readable` is for a developer's terminal: text in place of JSON.
    """
    json_lines = {"()": "deployment.json_logs.LineFormatter", "release": release}
    text_lines = {"()": "deployment.readable_logs.TextFormatter"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": text_lines if readable else json_lines},
        "handlers": {
            "stdout": {
                "class": "deployment.line_handler.LineHandler",
                "stream": "ext://sys.stdout",
                "formatter": "lines",
            }
        },
        "root": {"level": level, "handlers": ["stdout"]},
        "loggers": {
            # Django installs handlers of its own here; without them its lines reach the root's one.
            "django": {"level": level, "handlers": [], "propagate": True},
            # Below ERROR it repeats what the access line says.
            "django.request": {"level": "ERROR"},
            # A stranger's Host header is not the app's error; the access line shows the 400.
            "django.security.DisallowedHost": {"level": "CRITICAL"},
            "gunicorn.error": {"level": level, "handlers": [], "propagate": True},
            "gunicorn.access": {"level": level, "handlers": [], "propagate": False},
        },
    }
