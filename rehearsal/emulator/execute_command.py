"""ECS Exec: a session for a command in a running container, which the stand-in for AWS's plugin carries out.

The plugin (`rehearsal/bin/session-manager-plugin`) learns what to do from the session's token: base64 of a JSON object
with `container` (Docker's id), `label` (of this emulator's containers), `target` (the plugin's Target) and `command`.
"""

import base64
import json
import time
from typing import Any

from ministack.services import ecs

from rehearsal.emulator.patching import Extension, replace
from rehearsal.emulator.settings import Settings

EXTENSION = Extension(
    name="ECS Exec",
    rule=(
        "A command runs in a container, as root, only where the task was started with enableExecuteCommand and its "
        "agent runs: DescribeTasks shows that agent, and a read-only root filesystem keeps it from running"
    ),
    source="Monitor Amazon ECS containers with ECS Exec; ExecuteCommand",
)
AGENT = "ExecuteCommandAgent"
REFUSED = (
    "The execute command failed because execute command was not enabled when the task was run or the execute command "
    "agent isn’t running. Wait and try again or run a new task with execute command enabled and try again."  # noqa: RUF001 - AWS's own apostrophe
)
NO_ROLE = "A valid taskRoleArn is not being used. Specify a valid task role in your task definition and try again."
READ_ONLY = "The container's root filesystem is read-only"


def agent_of(container: dict[str, Any]) -> dict[str, Any] | None:
    """The agent of a container, once there is one."""
    return next((agent for agent in container.get("managedAgents") or [] if agent["name"] == AGENT), None)


def start_agents(task: dict[str, Any]) -> None:
    """Add the agent to each container of a task that was started with ECS Exec."""
    if not task.get("enableExecuteCommand"):
        return
    definition = ecs._task_defs.get(ecs._resolve_td_key(task["taskDefinitionArn"])) or {}
    read_only = {one["name"] for one in definition.get("containerDefinitions", []) if one.get("readonlyRootFilesystem")}
    for container in task.get("containers", []):
        agent = {"name": AGENT, "lastStatus": "RUNNING", "lastStartedAt": int(time.time())}
        if container["name"] in read_only:
            agent = {"name": AGENT, "lastStatus": "STOPPED", "reason": READ_ONLY}
        container["managedAgents"] = [agent]


def chosen(task: dict[str, Any], name: str) -> tuple[int, dict[str, Any]] | None:
    """The container of this name with its place among the others; without a name the only one there is."""
    named = [(index, one) for index, one in enumerate(task.get("containers", [])) if name in ("", one["name"])]
    return named[0] if len(named) == 1 else None


def token(settings: Settings, task: dict[str, Any], index: int, command: str) -> str:
    """What the plugin needs to carry the command out."""
    cluster, task_id = task["taskArn"].split("/")[-2:]
    content = {
        "container": task["_docker_ids"][index],
        "label": settings.label,
        "target": f"ecs:{cluster}_{task_id}_{task['containers'][index]['runtimeId']}",
        "command": command,
    }
    return base64.b64encode(json.dumps(content).encode()).decode()


def install(settings: Settings) -> None:
    """Answer ExecuteCommand with a session of ours, and show the agents of tasks."""

    def running(task_arn: str, task: dict[str, Any]) -> bool:
        if not original_running(task_arn, task):
            return False
        with ecs.resource_lock("ecs-task", task_arn):
            start_agents(task)
        return True

    def execute(data: dict[str, Any]) -> Any:
        cluster = ecs._resolve_cluster_name(data.get("cluster", "default"))
        if cluster is None:
            return ecs.error_response_json("ClusterNotFoundException", "Cluster not found.", 400)
        task = ecs._resolve_task(data.get("task", ""), cluster)
        found = chosen(task, data.get("container", "")) if task else None
        if task is None or found is None:
            what = "task" if task is None else "container"
            return ecs.error_response_json("InvalidParameterException", f"The referenced {what} was not found.", 400)
        index, container = found
        agent = agent_of(container)
        if task.get("lastStatus") != "RUNNING" or agent is None or agent["lastStatus"] != "RUNNING":
            return ecs.error_response_json("InvalidParameterException", REFUSED, 400)
        session = f"ecs-execute-command-{ecs.new_uuid().replace('-', '')[:17]}"
        return ecs.json_response(
            {
                "clusterArn": task["clusterArn"],
                "taskArn": task["taskArn"],
                "containerArn": container.get("containerArn", ""),
                "containerName": container["name"],
                "interactive": data.get("interactive", True),
                "session": {
                    "sessionId": session,
                    "streamUrl": f"ws://127.0.0.1:{settings.port}/v1/data-channel/{session}",
                    "tokenValue": token(settings, task, index, data.get("command", "")),
                },
            }
        )

    def run_task(data: dict[str, Any]) -> Any:
        definition = ecs._task_defs.get(ecs._resolve_td_key(data.get("taskDefinition", ""))) or {}
        if data.get("enableExecuteCommand") and definition and not definition.get("taskRoleArn"):
            return ecs.error_response_json("InvalidParameterException", NO_ROLE, 400)
        return original_run_task(data)

    original_run_task = replace(ecs, "_run_task", "(data)", run_task)
    original_running = replace(ecs, "_mark_task_running", "(task_arn, task)", running)
    replace(ecs, "_execute_command", "(data)", execute)
