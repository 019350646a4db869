"""Log lines as JSON objects, one a line, for CloudWatch Logs Insights to query by field."""

from __future__ import annotations

import re
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pythonjsonlogger.json import JsonFormatter

if TYPE_CHECKING:
    import logging


@dataclass(frozen=True, kw_only=True)
class RequestFacts:
    """What every line logged during a request says about it."""

    request_id: str
    method: str
    path: str


# Django's token in the address of a password reset: whoever reads it in a log may set the password.
TOKEN = re.compile(r"\b[0-9a-z]{6,13}-[0-9a-f]{32}\b")
EXTRAS = ("status", "duration_ms", "migrations")

current_request: ContextVar[RequestFacts | None] = ContextVar("current_request", default=None)


def without_tokens(text: str) -> str:
    """Return the text with the tokens of password resets taken out."""
    return TOKEN.sub("[token]", text)


class LineFormatter(JsonFormatter):
    """Writes timestamp, level, logger and message first, then the request's facts, the release and any exception.

    Only the extras named in `EXTRAS` are taken from a record: those of other libraries (Django's hold the whole request
    object) stay out of the log, and query strings with them.
    """

    def __init__(self, release: str) -> None:
        super().__init__()
        self._release = release

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Leave the order as `add_fields` made it."""
        return log_data

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """Fill the object for one record."""
        facts = current_request.get()
        log_data["timestamp"] = datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds")
        log_data["level"] = record.levelname
        log_data["logger"] = record.name
        log_data["message"] = without_tokens(record.getMessage())
        if facts:
            log_data["request_id"] = facts.request_id
            log_data["method"] = facts.method
            log_data["path"] = without_tokens(facts.path)
        for name in EXTRAS:
            if name in record.__dict__:
                log_data[name] = record.__dict__[name]
        log_data["release"] = self._release
        for name in ("exc_info", "stack_info"):
            if message_dict.get(name):
                log_data["exception" if name == "exc_info" else "stack"] = without_tokens(message_dict[name])


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
        "handlers": {"stdout": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "lines"}},
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
