"""Database statements that take long, each as a line in the log: its text and its time, never a value.

PostgreSQL's own log of them would show what users typed. Every connection of Django's is watched but the migration's,
whose statements take long by right. It costs a third of a microsecond for a statement, one for a connection, and
nothing where none is asked.
"""

from __future__ import annotations

import logging
import re
import time
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.backends.signals import connection_created

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.backends.base.base import BaseDatabaseWrapper

logger = logging.getLogger("deployment.slow_query")

LONGEST_SQL = 2000
# What is behind it is not looked at: a value of a few megabytes, taken out, would take a gigabyte.
LONGEST_READ = 50_000
# Text in SQL that no longer ends is taken out up to the end.
PIECES = re.compile(
    r"""
    (?P<kept>"(?:[^"]|"")*")                              # a name
    | (?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
    | (?P<value>
        \b[eE]'(?:[^'\\]|\\.|'')*(?:'|\Z)                 # text, with backslashes
        | '(?:[^']|'')*(?:'|\Z)                           # text
        | (?<!\w)\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?(?:\$(?P=tag)\$|\Z)
        | (?<![\w$"])\d[\w.]*                             # a number
      )
    """,
    re.VERBOSE | re.DOTALL,
)
SEVERAL = re.compile(r"%s(?:,\s*%s)+")


def watch_statements() -> None:
    """Watch every connection of this process, as soon as it is made."""
    connection_created.connect(_watch, dispatch_uid="deployment.slow_statements")


def without_values(sql: str) -> str:
    """Return the text without what was written into it: text and numbers are `?`, comments are gone.

    Several placeholders in a row are told of as one, so that a list of ten and one of twelve are the same statement.
    """
    masked = PIECES.sub(lambda piece: piece["kept"] or ("?" if piece["value"] else ""), sql[:LONGEST_READ])
    return SEVERAL.sub("%s, ...", " ".join(masked.split()))[:LONGEST_SQL]


def _watch(connection: BaseDatabaseWrapper, **_: object) -> None:
    # A thread keeps its wrapper, and connects anew with each request.
    if log_if_slow not in connection.execute_wrappers:
        connection.execute_wrappers.append(log_if_slow)


def log_if_slow(
    execute: Callable[..., Any],
    sql: Any,  # noqa: ANN401 - text, or psycopg's composed parts
    params: Any,  # noqa: ANN401 - handed through
    many: bool,
    context: dict[str, Any],
) -> Any:  # noqa: ANN401 - handed through
    """Let Django execute a statement; tell of it when it took long, also when it failed."""
    started = time.monotonic()
    try:
        return execute(sql, params, many, context)
    finally:
        milliseconds = (time.monotonic() - started) * 1000
        if milliseconds >= settings.ENVIRONMENT.slow_query_milliseconds:
            text = without_values(_text(sql, context))
            logger.warning("slow statement", extra={"duration_ms": round(milliseconds, 1), "sql": text})


def _text(sql: Any, context: dict[str, Any]) -> str:  # noqa: ANN401 - text, or psycopg's composed parts
    if not hasattr(sql, "as_string"):
        return str(sql)
    try:
        return str(sql.as_string(context["cursor"].connection))
    except Exception:  # noqa: BLE001 - its connection may be the one that has just failed; the answer must not be lost
        return ""
