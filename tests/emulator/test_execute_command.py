"""ECS Exec on a running emulator, with the stand-in for AWS's plugin."""

import json
import pty
import subprocess
from pathlib import Path
from typing import Any

import pytest

from emulator_cloud import CLUSTER, Cloud, until

PLUGIN = Path(__file__).parents[2] / "rehearsal/bin/session-manager-plugin"
ROLE = "arn:aws:iam::123456789012:role/shell"


def started(cloud: Cloud, *, enabled: bool, **settings: Any) -> str:
    """Start a task that sleeps, and return its ARN once it runs."""
    definition = cloud.task_definition(command=["sleep", "300"], user="10001", role=ROLE, stopTimeout=2, **settings)
    answer = cloud.ecs.run_task(cluster=CLUSTER, taskDefinition=definition, enableExecuteCommand=enabled)
    arn = str(answer["tasks"][0]["taskArn"])
    until(lambda: cloud.task(arn)["lastStatus"] == "RUNNING", 20, "RUNNING")
    return arn


def execute(cloud: Cloud, arn: str, command: str) -> Any:
    """Ask for a session."""
    return cloud.ecs.execute_command(cluster=CLUSTER, task=arn, container="web", command=command, interactive=True)


def plugin(session: Any, target: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Start the plugin as the AWS CLI does."""
    arguments = [json.dumps(session), "us-east-1", "StartSession", "", json.dumps({"Target": target}), "http://none"]
    return subprocess.run(
        [str(PLUGIN), *arguments], input=given, capture_output=True, text=True, timeout=30, check=False
    )


def target(cloud: Cloud, arn: str) -> str:
    """The target as the AWS CLI makes it of what DescribeTasks says."""
    return f"ecs:{CLUSTER}_{arn.rsplit('/', 1)[-1]}_{cloud.task(arn)['containers'][0]['runtimeId']}"


@pytest.fixture(scope="module")
def task(cloud: Cloud) -> str:
    """A task with ECS Exec."""
    return started(cloud, enabled=True)


def test_a_command_runs_in_the_container_and_its_output_and_exit_code_come_back(cloud: Cloud, task: str) -> None:
    agents = cloud.task(task)["containers"][0]["managedAgents"]
    assert [(one["name"], one["lastStatus"]) for one in agents] == [("ExecuteCommandAgent", "RUNNING")], (
        "what a caller waits for before it asks for a session"
    )
    session = execute(cloud, task, "sh -c 'id -u; cat; hostname >&2; exit 3'")["session"]
    assert session.keys() >= {"sessionId", "streamUrl", "tokenValue"}, "what AWS's plugin takes"
    ran = plugin(session, target(cloud, task), given="typed\n")
    assert ran.stdout.splitlines()[-2:] == ["0", "typed"], "as root whatever the container's user is, with our input"
    assert ran.returncode == 3, f"the command's own: {ran.stderr}"


def test_a_person_at_a_terminal_gets_one(cloud: Cloud, task: str) -> None:
    session = execute(cloud, task, "sh -c 'test -t 0 && test -t 1'")["session"]
    arguments = [json.dumps(session), "us-east-1", "StartSession", "", json.dumps({"Target": target(cloud, task)}), "-"]
    _, terminal = pty.openpty()
    ran = subprocess.run([str(PLUGIN), *arguments], stdin=terminal, stdout=terminal, timeout=30, check=False)
    assert ran.returncode == 0, "a shell without a terminal has no prompt, and a line has no history"


def test_the_plugin_refuses_what_is_not_of_this_rehearsal(cloud: Cloud, task: str) -> None:
    session = execute(cloud, task, "true")["session"]
    other = plugin(session, "ecs:other_1_2")
    assert (other.returncode, "and not for ecs:other_1_2" in other.stderr) == (255, True), "another container's target"
    foreign = plugin({**session, "tokenValue": "AAEAAbcd"}, target(cloud, task))
    assert (foreign.returncode, "not of a rehearsal" in foreign.stderr) == (255, True), "a session of AWS's"
    assert "Traceback" not in foreign.stderr, "an operator reads this"
    there = subprocess.run([str(PLUGIN)], capture_output=True, check=False, timeout=10)
    assert there.returncode == 0, "the AWS CLI asks so whether it is installed"


def test_a_task_without_ecs_exec_or_with_a_read_only_root_refuses_commands(cloud: Cloud) -> None:
    for arn in (started(cloud, enabled=False), started(cloud, enabled=True, readonlyRootFilesystem=True)):
        with pytest.raises(cloud.ecs.exceptions.InvalidParameterException, match="execute command was not enabled"):
            execute(cloud, arn, "true")


def test_a_task_without_a_task_role_cannot_be_started_with_ecs_exec(cloud: Cloud) -> None:
    definition = cloud.task_definition(command=["true"])
    with pytest.raises(cloud.ecs.exceptions.InvalidParameterException, match="valid taskRoleArn"):
        cloud.ecs.run_task(cluster=CLUSTER, taskDefinition=definition, enableExecuteCommand=True)


def test_a_stopped_task_refuses_commands(cloud: Cloud) -> None:
    arn = started(cloud, enabled=True)
    cloud.ecs.stop_task(cluster=CLUSTER, task=arn)
    cloud.stopped(arn)
    assert cloud.task(arn)["containers"][0]["managedAgents"][0]["lastStatus"] == "STOPPED", "the agent ended with it"
    with pytest.raises(cloud.ecs.exceptions.InvalidParameterException):
        execute(cloud, arn, "true")
