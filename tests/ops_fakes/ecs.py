"""ECS in memory: task definitions, one service, tasks that start and end as a test says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.ops_fakes.account import ARN, REGION, RELEASE, TARGET_GROUP, FakeClock, Refused

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class EcsFake:
    """What ECS holds, and its answers about it."""

    prefix: str = "pactum-staging"
    """What the names of the one stack begin with: its project and its own name."""
    clock: FakeClock = field(default_factory=FakeClock)
    definitions: dict[str, dict[str, Any]] = field(default_factory=dict)
    service: dict[str, Any] | None = None
    workers: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The services beside the one that answers users, by name."""
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    on_run: Callable[[dict[str, Any]], object] = lambda _task: None
    run_failures: list[dict[str, str]] = field(default_factory=list)
    on_update: Callable[[str], object] = lambda _definition: None
    """Called with the task definition the service that answers users is told to run."""
    on_worker_update: Callable[[dict[str, Any]], object] = lambda _asked: None
    """Called with what a worker's service is told."""

    def define(self, process: str, revision: int, *, release: str = RELEASE, **environment: str) -> str:
        family = f"{self.prefix}-{process}"
        arn = ARN.format("ecs", f"task-definition/{family}:{revision}")
        self.definitions[arn] = {
            "taskDefinitionArn": arn,
            "family": family,
            "revision": revision,
            "status": "ACTIVE",
            "containerDefinitions": [
                {
                    "name": process,
                    "environment": [
                        {"name": name, "value": value} for name, value in {"RELEASE": release, **environment}.items()
                    ],
                    "logConfiguration": {
                        "logDriver": "awslogs",
                        "options": {
                            "awslogs-group": f"/{self.prefix.replace('-', '/')}/{process}",
                            "awslogs-region": REGION,
                            "awslogs-stream-prefix": process,
                        },
                    },
                }
            ],
        }
        return arn

    def deployment(self, definition: str, state: str, *, status: str = "PRIMARY", running: int = 0) -> dict[str, Any]:
        return {
            "id": f"ecs-svc/{definition[-1]}",
            "status": status,
            "taskDefinition": definition,
            "rolloutState": state,
            "runningCount": running,
            "desiredCount": 2,
            "createdAt": self.clock.date(),
        }

    def serve(self, *deployments: dict[str, Any]) -> dict[str, Any]:
        primary = next(item for item in deployments if item["status"] == "PRIMARY")
        events = self.service["events"] if self.service else []
        self.service = {
            "serviceName": "web",
            "status": "ACTIVE",
            "desiredCount": 2,
            "taskDefinition": primary["taskDefinition"],
            "deployments": list(deployments),
            "events": events,
            "loadBalancers": [{"targetGroupArn": TARGET_GROUP, "containerName": "web", "containerPort": 8000}],
            "networkConfiguration": {
                "awsvpcConfiguration": {
                    "subnets": ["subnet-live"],
                    "securityGroups": ["sg-live"],
                    "assignPublicIp": "DISABLED",
                }
            },
        }
        return self.service

    def work(self, name: str, definition: str, state: str = "COMPLETED", *, tasks: int = 1) -> dict[str, Any]:
        """Let a worker's service run this many tasks of a definition, and nothing else."""
        self.workers[name] = {
            "serviceName": name,
            "status": "ACTIVE",
            "desiredCount": tasks,
            "runningCount": tasks,
            "taskDefinition": definition,
            "deployments": [self.deployment(definition, state, running=tasks) | {"desiredCount": tasks}],
            "events": self.workers[name]["events"] if name in self.workers else [],
        }
        for arn in [arn for arn, task in self.tasks.items() if f"-{name}:" in task["taskDefinitionArn"]]:
            del self.tasks[arn]
        for number in range(tasks):
            self.task(f"{name}{number}{definition[-1]}", definition)
        return self.workers[name]

    def event(self, message: str) -> None:
        assert self.service is not None
        number = len(self.service["events"])
        self.service["events"].insert(0, {"id": str(number), "createdAt": self.clock.date(), "message": message})

    def task(self, identity: str, definition: str, status: str = "RUNNING", **more: Any) -> dict[str, Any]:
        arn = ARN.format("ecs", f"task/{self.prefix}/{identity}")
        name = self.definitions[definition]["containerDefinitions"][0]["name"]
        container = {"name": name, "lastStatus": status, **more.pop("container", {})}
        self.tasks[arn] = {
            "taskArn": arn,
            "taskDefinitionArn": definition,
            "lastStatus": status,
            "desiredStatus": "STOPPED" if status == "STOPPED" else "RUNNING",
            "containers": [container],
            **more,
        }
        return self.tasks[arn]

    def describe_services(self, asked: dict[str, Any]) -> dict[str, Any]:
        if self.service is None:
            raise Refused("ClusterNotFoundException", "Cluster not found.")
        assert asked["cluster"] == self.prefix
        assert 1 <= len(asked["services"]) <= 10, "ECS describes ten services at once"
        there = {"web": self.service, **self.workers}
        return {"services": [there[name] for name in asked["services"] if name in there], "failures": []}

    def list_services(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert asked["cluster"] == self.prefix
        names = ["web", *self.workers] if self.service else [*self.workers]
        start = int(asked.get("nextToken", "0"))
        more = {"nextToken": str(start + 10)} if len(names) > start + 10 else {}
        page = names[start : start + 10]
        return {"serviceArns": [ARN.format("ecs", f"service/{self.prefix}/{name}") for name in page], **more}

    def update_service(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert self.service is not None
        assert asked["cluster"] == self.prefix
        if asked["service"] == "web":
            self.on_update(asked["taskDefinition"])
            return {"service": self.service}
        self.on_worker_update(asked)
        return {"service": self.workers[asked["service"]]}

    def describe_task_definition(self, asked: dict[str, Any]) -> dict[str, Any]:
        name = asked["taskDefinition"]
        found = [
            item
            for arn, item in self.definitions.items()
            if name in {arn, item["family"], f"{item['family']}:{item['revision']}"}
        ]
        if not found:
            raise Refused("ClientException", "Unable to describe task definition.")
        return {"taskDefinition": max(found, key=lambda item: item["revision"])}

    def list_task_definitions(self, asked: dict[str, Any]) -> dict[str, Any]:
        found = [
            item
            for item in self.definitions.values()
            if item["family"] == asked["familyPrefix"] and item["status"] == asked.get("status", "ACTIVE")
        ]
        found.sort(key=lambda item: int(item["revision"]), reverse=asked.get("sort") == "DESC")
        most, start = asked.get("maxResults", 100), int(asked.get("nextToken", "0"))
        assert most <= 100, "ECS lists a hundred at once"
        more = {"nextToken": str(start + most)} if len(found) > start + most else {}
        return {"taskDefinitionArns": [item["taskDefinitionArn"] for item in found[start : start + most]], **more}

    def run_task(self, asked: dict[str, Any]) -> dict[str, Any]:
        if self.run_failures:
            return {"tasks": [], "failures": self.run_failures}
        started_before = sum(task.get("startedBy") == asked["startedBy"] for task in self.tasks.values())
        identity = f"f00d{started_before + 1}" if started_before else "f00d"
        task = self.task(identity, asked["taskDefinition"], "PROVISIONING", startedBy=asked["startedBy"])
        self.on_run(task)
        return {"tasks": [dict(task)], "failures": []}

    def stop_task(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.end(self.tasks[asked["task"]], exit_code=143, reason=asked["reason"], code="UserInitiated")
        return {"task": self.tasks[asked["task"]]}

    @staticmethod
    def end(task: dict[str, Any], *, exit_code: int | None, reason: str = "Essential container in task exited",
            code: str = "EssentialContainerExited") -> None:  # fmt: skip
        task |= {"lastStatus": "STOPPED", "desiredStatus": "STOPPED", "stoppedReason": reason, "stopCode": code}
        task["containers"][0]["lastStatus"] = "STOPPED"
        if exit_code is not None:
            task["containers"][0]["exitCode"] = exit_code

    def describe_tasks(self, asked: dict[str, Any]) -> dict[str, Any]:
        known = [arn for arn in asked["tasks"] if arn in self.tasks]
        missing = [{"arn": arn, "reason": "MISSING"} for arn in asked["tasks"] if arn not in self.tasks]
        return {"tasks": [self.tasks[arn] for arn in known], "failures": missing}

    def list_tasks(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert "startedBy" not in asked or len(asked) == 2, "ECS takes startedBy only as the single filter"
        family = asked.get("family") or f"{self.prefix}-{asked['serviceName']}"
        wanted = asked.get("desiredStatus", "RUNNING")
        return {
            "taskArns": [
                arn
                for arn, task in self.tasks.items()
                if f"/{family}:" in task["taskDefinitionArn"] and task["desiredStatus"] == wanted
            ]
        }
