"""Log lines as JSON objects, one a line, for CloudWatch Logs Insights to query by field."""

from __future__ import annotations

import json
import logging
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from deployment.error_text import describe
from deployment.kept_out import Secrets, message_of, without_details, without_sent, without_tokens

if TYPE_CHECKING:
    from django.http import HttpRequest


@dataclass(frozen=True, kw_only=True)
class RequestFacts:
    """What every line logged during a request says about it, and the request, of which nothing else may be said."""

    request_id: str
    method: str
    path: str
    request: HttpRequest | None = field(default=None, repr=False)


# The one line of each request: made of its method, path and status only.
REQUEST_LINE = "deployment.request"
# Made once: `json.dumps` with an option makes one for each line. What JSON does not know is written as text.
ENCODER = json.JSONEncoder(default=str)
EXTRAS = ("status", "duration_ms", "sql", "user_id", "migrations")
# Docker cuts a line of 16 KiB in two, and neither half is JSON. These fields can be cut to keep below.
LONGEST_LINE = 16_000
CUT = ("exception", "stack", "message")
CUT_TO = (8_000, 2_000, 500)

current_request: ContextVar[RequestFacts | None] = ContextVar("current_request", default=None)


class LineFormatter(logging.Formatter):
    """Writes timestamp, level, logger and message first, then the request's facts, the release and any exception.

    Only the extras named in `EXTRAS` are taken from a record: those of other libraries (Django's hold the whole request
    object) stay out of the log, and query strings with them. Texts lose the process's secrets, what the user sent with
    the request, tokens, and what the database says of rows (`kept_out`).
    """

    def __init__(self, release: str, secrets: Secrets | None = None) -> None:
        super().__init__()
        self._release = release
        self._secrets = secrets or Secrets()

    def format(self, record: logging.LogRecord) -> str:
        """Return the object for one record, as one line; of a record that cannot be put together, where it was made.

        Python would write its parts to standard error: in many lines, and with all their values.
        """
        try:
            return _encoded(self._line(record))
        except Exception as error:  # noqa: BLE001 - whatever the objects in it do
            facts = current_request.get()
            broken = f"{record.pathname}:{record.lineno}: this line cannot be written: {type(error).__name__}"
            line = {"timestamp": _moment(record), "level": record.levelname, "logger": record.name, "message": broken}
            return ENCODER.encode(
                line | ({"request_id": facts.request_id} if facts else {}) | {"release": self._release}
            )

    def _line(self, record: logging.LogRecord) -> dict[str, Any]:
        facts = current_request.get()
        clean = without_tokens if record.name == REQUEST_LINE else self._clean
        line: dict[str, Any] = {
            "timestamp": _moment(record),
            "level": record.levelname,
            "logger": record.name,
            "message": clean(_message(record)),
        }
        if facts:
            line["request_id"] = facts.request_id
            line["method"] = facts.method
            line["path"] = without_tokens(facts.path)
        for name in EXTRAS:
            if name in record.__dict__:
                line[name] = record.__dict__[name]
        line["release"] = self._release
        if record.exc_info and record.exc_info[1]:
            line["exception"] = describe(record.exc_info[1], self._clean)
        if record.stack_info:
            line["stack"] = without_tokens(record.stack_info)
        return line

    def _clean(self, text: str) -> str:
        text = self._secrets.taken_out(without_details(text))
        facts = current_request.get()
        if facts and facts.request is not None:
            text = without_sent(text, facts.request)
        return without_tokens(text)


def _message(record: logging.LogRecord) -> str:
    """Return what was logged; an exception in it says what `message_of` lets it say."""
    message = record.msg if not isinstance(record.msg, BaseException) else message_of(record.msg)
    arguments = record.args
    if isinstance(arguments, tuple) and any(isinstance(argument, BaseException) for argument in arguments):
        arguments = tuple(message_of(each) if isinstance(each, BaseException) else each for each in arguments)
    try:
        return str(message) % arguments if arguments else str(message)
    except Exception as error:  # noqa: BLE001 - what its values do; what was to be said, and an exception, are left
        return f"{record.msg if isinstance(record.msg, str) else ''} ({type(error).__name__}: without its values)"


def _moment(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds")


def _encoded(line: dict[str, Any]) -> str:
    text = ENCODER.encode(line)
    for longest in CUT_TO:
        if len(text) <= LONGEST_LINE:
            break
        text = ENCODER.encode(line | {name: _middle_out(line[name], longest) for name in CUT if name in line})
    return text


def _middle_out(text: str, longest: int) -> str:
    """Return a text that is too long without its middle; its end, where an exception says what it is, is most of it."""
    if len(text) <= longest:
        return text
    end = longest * 3 // 4
    return f"{text[: longest - end]}\n[{len(text) - longest} characters left out]\n{text[-end:]}"


def logging_config(
    level: str, release: str, *, secrets: Secrets | None = None, readable: bool = False
) -> dict[str, Any]:
    """Return the dictionary for `logging.config.dictConfig` that Django, the app and gunicorn share.

    `secrets` are taken out of every line. `readable` is for a developer's terminal: text in place of JSON.
    """
    json_lines = {"()": "deployment.json_logs.LineFormatter", "release": release, "secrets": secrets}
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
