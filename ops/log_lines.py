"""One line of a process's log: read, chosen by what a person asked for, and laid out for a person or a program."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ops.transcript import harmless

if TYPE_CHECKING:
    from mypy_boto3_logs.type_defs import FilteredLogEventTypeDef

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
# Told in the line's own place, or of no use on a screen.
_PLACED = {"timestamp", "level", "logger", "message", "request_id", "release", "exception", "stack", "stack_info"}
_BLOCKS = ("exception", "stack", "stack_info")
_LEVEL_WIDTH = 8
_DEEPEST = 50


@dataclass(frozen=True, kw_only=True)
class Line:
    """One event of a log group."""

    identity: str
    """The same for the same event, however often it is read."""
    timestamp_ms: int
    stream: str
    message: str
    fields: dict[str, Any] | None
    """What the application logged as a JSON object; None for any other line."""

    @classmethod
    def of(cls, event: FilteredLogEventTypeDef) -> Line:
        """Read an answer of CloudWatch Logs."""
        message = event.get("message", "")
        try:
            found = json.loads(message) if message.lstrip().startswith("{") else None
        except (ValueError, RecursionError):
            found = None
        return cls(
            identity=event.get("eventId", ""),
            timestamp_ms=event.get("timestamp", 0),
            stream=event.get("logStreamName", ""),
            message=message,
            fields=found if isinstance(found, dict) and _can_be_written(found) else None,
        )

    @property
    def time(self) -> str:
        """When it was written, in UTC, to the millisecond."""
        moment = dt.datetime.fromtimestamp(self.timestamp_ms / 1000, tz=dt.UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def text(self) -> str:
        """Lay it out for a person; an exception follows as a block."""
        if self.fields is None:
            return f"{self.time} {harmless(self.message)}"
        fields = self.fields
        level = f"{_plain(fields.get('level') or ''):<{_LEVEL_WIDTH}}"
        request = f" [{fields['request_id']}]" if fields.get("request_id") else ""
        message = str(fields.get("message", ""))
        # An access line's message says method, path and status already.
        others = ((name, _plain(value)) for name, value in fields.items() if name not in _PLACED)
        more = "".join(f" {name}={value}" for name, value in others if value not in message.split())
        blocks = [f"  {harmless(row)}" for name in _BLOCKS for row in str(fields.get(name) or "").splitlines()]
        head = harmless(" ".join(f"{self.time} {level} {message}{more}{request}".splitlines()))
        return "\n".join([head, *blocks])

    def json(self) -> str:
        """Lay it out for a program."""
        content = {"message": self.message} if self.fields is None else {"fields": self.fields}
        return json.dumps({"timestamp": self.time, "stream": self.stream, **content})


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which lines a person asked for; all that were not asked about are."""

    text: str = ""
    request_id: str = ""
    level: str = ""
    """This level and those above it."""

    def takes(self, line: Line) -> bool:
        """Whether the line was asked for."""
        fields = line.fields or {}
        return (
            self.text in line.message
            and (not self.request_id or fields.get("request_id") == self.request_id)
            and (not self.level or fields.get("level") in self._levels)
        )

    @property
    def pattern(self) -> str:
        """What CloudWatch Logs can leave out already; it never leaves out a line that was asked for.

        A text is not among it: CloudWatch's terms are matched by rules of their own.
        """
        conditions = []
        if self.request_id and not set('"\\*') & set(self.request_id):
            conditions.append(f'($.request_id = "{self.request_id}")')
        if self.level:
            levels = " || ".join(f'($.level = "{level}")' for level in self._levels)
            conditions.append(f"({levels})")
        return f"{{ {' && '.join(conditions)} }}" if conditions else ""

    @property
    def _levels(self) -> tuple[str, ...]:
        return LEVELS[LEVELS.index(self.level) :]


def _can_be_written(value: object) -> bool:
    """Whether its nesting is one that can be laid out too; nobody logs a deeper one to have it read."""
    level = [value]
    for _ in range(_DEEPEST):
        level = [inner for item in level if isinstance(item, dict | list) for inner in _inside(item)]
        if not level:
            return True
    return False


def _inside(value: dict[str, Any] | list[Any]) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
