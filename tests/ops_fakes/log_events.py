"""Log groups read across their streams, as FilterLogEvents does: by time, in pages, some of them empty."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from tests.ops_fakes.account import BASE_TIME, Refused

_CONDITION = re.compile(r'\$\.(\w+) = "([^"]*)"')
PAGE = 2


@dataclass
class LogEventsFake:
    """The events of each log group; a page holds two, and every other page is empty."""

    log_events: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    has_tokens: bool = True
    """Without, one answer holds all there is room for, and the rest is asked for by time: as in the rehearsal."""

    def write(self, seconds: float, message: str | dict[str, Any], *, process: str = "web", task: str = "t1") -> None:
        """Add an event, dated so many seconds after the beginning of time."""
        events = self.log_events[f"/pactum/staging/{process}"]
        events.append(
            {
                "eventId": str(len(events)),
                "timestamp": int((BASE_TIME.timestamp() + seconds) * 1000),
                "ingestionTime": 1,
                "logStreamName": f"{process}/{process}/{task}",
                "message": message if isinstance(message, str) else json.dumps(message),
            }
        )

    def filter_log_events(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["logGroupName"] not in self.log_events:
            raise Refused("ResourceNotFoundException", "The specified log group does not exist.")
        found = sorted(
            (
                event
                for event in self.log_events[asked["logGroupName"]]
                if event["timestamp"] >= asked["startTime"] and _matches(event, asked.get("filterPattern", ""))
            ),
            key=lambda event: event["timestamp"],
        )
        if not self.has_tokens:
            return {"events": found[: asked["limit"]]}
        start, _, turn = asked.get("nextToken", "0/full").partition("/")
        if turn == "empty":
            return {"events": [], "nextToken": f"{start}/full"}
        end = int(start) + PAGE
        more = {"nextToken": f"{end}/empty"} if end < len(found) else {}
        return {"events": found[int(start) : end], **more}

    def describe_log_groups(self, asked: dict[str, Any]) -> dict[str, Any]:
        names = [name for name in self.log_events if name.startswith(asked["logGroupNamePrefix"])]
        return {"logGroups": [{"logGroupName": name} for name in names]}


def _matches(event: dict[str, Any], pattern: str) -> bool:
    """Match a pattern of JSON conditions: each field's values are alternatives, and the fields all have to match."""
    if not pattern:
        return True
    assert pattern.startswith("{ ")
    assert pattern.endswith(" }")
    wanted = defaultdict(set)
    for name, value in _CONDITION.findall(pattern):
        wanted[name].add(value)
    try:
        fields = json.loads(event["message"])
    except ValueError:
        return False
    return isinstance(fields, dict) and all(fields.get(name) in values for name, values in wanted.items())
