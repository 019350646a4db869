"""ECS Exec in memory: sessions handed out, and refused for as long as a test says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.ops_fakes.account import Refused


@dataclass
class SessionsFake:
    """What ExecuteCommand answers."""

    refused_sessions: int = 0
    """So many times the agent cannot be reached yet."""

    def execute_command(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert asked["interactive"] is True, "ECS knows no other"
        if self.refused_sessions:
            self.refused_sessions -= 1
            raise Refused("TargetNotConnectedException", "The execute command failed due to an internal error.")
        return {
            "taskArn": asked["task"],
            "containerName": asked["container"],
            "interactive": True,
            "session": {"sessionId": "s-1", "streamUrl": "wss://ssm.example/s-1", "tokenValue": "t0ken"},
        }
