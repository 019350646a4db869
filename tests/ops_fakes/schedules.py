"""EventBridge Scheduler in memory: one group of schedules, each of which starts an ECS task."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.ops_fakes.account import ARN, Refused

GROUP = "pactum-staging"


@dataclass
class SchedulesFake:
    """The stack's schedules by name; no group where there are none."""

    schedules: dict[str, dict[str, Any]] = field(default_factory=dict)

    def schedule(self, process: str, definition: str, *, state: str = "ENABLED") -> dict[str, Any]:
        """Let a job start this task definition."""
        network = {"Subnets": ["subnet-job"], "SecurityGroups": ["sg-job"], "AssignPublicIp": "DISABLED"}
        name = f"{GROUP}-{process}"
        self.schedules[name] = {
            "Name": name,
            "GroupName": GROUP,
            "State": state,
            "ScheduleExpression": "cron(15 3 * * ? *)",
            "ScheduleExpressionTimezone": "Europe/Berlin",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {
                "Arn": ARN.format("ecs", f"cluster/{GROUP}"),
                "RoleArn": ARN.format("iam", "role/scheduler"),
                "EcsParameters": {
                    "TaskDefinitionArn": definition,
                    "LaunchType": "FARGATE",
                    "NetworkConfiguration": {"awsvpcConfiguration": network},
                },
                "RetryPolicy": {"MaximumRetryAttempts": 10},
            },
        }
        return self.schedules[name]

    def list_schedules(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._group(asked)
        names = sorted(self.schedules)
        start = int(asked.get("NextToken", "0"))
        more = {"NextToken": str(start + 2)} if len(names) > start + 2 else {}  # small pages, so that paging is used
        return {"Schedules": [{"Name": name} for name in names[start : start + 2]], **more}

    def get_schedule(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._group(asked)
        if asked["Name"] not in self.schedules:
            raise Refused("ResourceNotFoundException", f"Schedule {asked['Name']} does not exist.")
        return {"Arn": ARN.format("scheduler", f"schedule/{GROUP}/{asked['Name']}"), **self.schedules[asked["Name"]]}

    def update_schedule(self, asked: dict[str, Any]) -> dict[str, Any]:
        """As AWS does it: the schedule is what was asked for, and nothing of what it was."""
        self._group(asked)
        assert asked["Name"] in self.schedules
        put = {name: value for name, value in asked.items() if name != "ClientToken"}
        self.schedules[asked["Name"]] = {"State": "ENABLED", "ScheduleExpressionTimezone": "UTC", **put}
        return {"ScheduleArn": ARN.format("scheduler", f"schedule/{GROUP}/{asked['Name']}")}

    def _group(self, asked: dict[str, Any]) -> None:
        if not self.schedules:
            raise Refused("ResourceNotFoundException", f"Schedule group {GROUP} does not exist.")
        assert asked["GroupName"] == GROUP
