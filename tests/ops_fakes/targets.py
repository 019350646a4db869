"""The health of a target group's targets, as Elastic Load Balancing tells it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.ops_fakes.account import TARGET_GROUP


@dataclass
class TargetsFake:
    """The one target group's targets."""

    targets: list[dict[str, str]] = field(default_factory=list)
    """Each target's health: State, and Reason and Description where it is not healthy."""

    def describe_target_health(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert asked == {"TargetGroupArn": TARGET_GROUP}
        return {
            "TargetHealthDescriptions": [
                {"Target": {"Id": f"10.0.0.{number}", "Port": 8000}, "TargetHealth": health}
                for number, health in enumerate(self.targets)
            ]
        }
