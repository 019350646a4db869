"""CloudWatch in memory: alarms and their states."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class AlarmsFake:
    """What CloudWatch holds, and its answers about it."""

    alarms: dict[str, str] = field(default_factory=dict)
    """State by name."""

    def describe_alarms(self, asked: dict[str, Any]) -> dict[str, Any]:
        names = asked.get("AlarmNames")
        prefix = asked.get("AlarmNamePrefix", "")
        assert names is None or not prefix, "CloudWatch takes names or a prefix, not both"
        found = [
            {"AlarmName": name, "StateValue": state}
            for name, state in self.alarms.items()
            if (names is None or name in names) and name.startswith(prefix) and state == asked.get("StateValue", state)
        ]
        return {"MetricAlarms": found, "CompositeAlarms": []}
