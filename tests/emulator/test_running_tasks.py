"""One-off tasks on a running emulator: container settings, logs, exit codes, stops and failures to start."""

import json
import time
from typing import Any

import pytest

from emulator_cloud import CLUSTER, Cloud, until

PROBE = """
id -u; pwd; grep CapBnd /proc/1/status | tr -d '\\t'
touch /root-write 2>/dev/null && echo root writable || echo root read-only
touch /declared/x && echo declared writable
stat -c '%n %a %u' /declared /undeclared; ulimit -n; head -1 $DATABASE_SSLROOTCERT
"""


def test_container_settings_are_applied_and_the_volumes_go_with_the_task(cloud: Cloud, docker_client: Any) -> None:
    definition = cloud.task_definition(
        {"DATABASE_SSLROOTCERT": "/etc/ssl/certs/rds.pem"},
        user="10001",
        readonlyRootFilesystem=True,
        workingDirectory="/usr",
        entryPoint=["sh", "-c"],
        command=[PROBE],
        linuxParameters={"initProcessEnabled": True, "capabilities": {"drop": ["ALL"]}},
        ulimits=[{"name": "nofile", "softLimit": 500, "hardLimit": 600}],
        volumes=[{"name": "one"}, {"name": "two"}],
        mountPoints=[
            {"sourceVolume": "one", "containerPath": "/declared"},
            {"sourceVolume": "two", "containerPath": "/undeclared"},
        ],
    )
    arn = cloud.run(definition)
    assert cloud.stopped(arn)["containers"][0]["exitCode"] == 0, cloud.log(arn)
    assert cloud.log(arn) == [
        "10001",
        "/usr",
        "CapBnd:0000000000000000",
        "root read-only",
        "declared writable",
        "/declared 1777 0",
        "/undeclared 755 0",
        "500",
        "-----BEGIN CERTIFICATE-----",
    ], "each line is a setting that AWS applies"
    task_id = arn.rsplit("/", 1)[-1]
    left = docker_client.volumes.list(filters={"name": task_id}) + docker_client.containers.list(
        all=True, filters={"name": task_id}
    )
    assert left == [], "the next task must not find the files of this one"


def test_limits_and_labels_reach_docker(cloud: Cloud, docker_client: Any, emulator: Any) -> None:
    arn = cloud.run(cloud.task_definition(command=["sleep", "60"], stopTimeout=2, dockerLabels={"team": "a"}))
    until(lambda: cloud.task(arn)["lastStatus"] == "RUNNING", 20, "RUNNING")
    container = docker_client.containers.list(filters={"label": f"com.amazonaws.ecs.task-arn={arn}"})[0]
    host = container.attrs["HostConfig"]
    assert (host["Memory"], host["MemorySwap"], host["NanoCpus"]) == (512 * 2**20, 512 * 2**20, 250_000_000), (
        "the task's"
    )
    assert container.labels["team"] == "a", "the definition's own label"
    assert container.labels["pactum.rehearsal"] == str(emulator.port), "by this label everything is found again"
    assert list(container.attrs["NetworkSettings"]["Networks"]) == [f"pactum-rehearsal-{emulator.port}"], (
        "its own network"
    )
    started = time.monotonic()
    cloud.ecs.stop_task(cluster=CLUSTER, task=arn, reason="enough")
    assert time.monotonic() - started < 1, "StopTask answers at once, whatever the container does"
    task = cloud.stopped(arn)
    assert 1.5 < time.monotonic() - started < 10, (
        "SIGKILL comes after stopTimeout: `sleep` as process 1 ignores SIGTERM"
    )
    assert (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", "enough"), "who stopped it, and why"
    assert task["containers"][0]["exitCode"] == 137, "killed"


def test_a_task_of_an_instant_has_its_whole_log_and_its_exit_code(cloud: Cloud) -> None:
    script = "import sys\nfor n in range(300): print('line', n)\nsys.exit(3)"
    arn = cloud.run(cloud.task_definition(command=["python3", "-c", script]))
    task = cloud.stopped(arn)
    assert cloud.log(arn) == [f"line {n}" for n in range(300)], "AWS flushes the log before the task is STOPPED"
    assert task["containers"][0]["exitCode"] == 3, "a migration's verdict is its exit code"
    assert task["stopCode"] == "EssentialContainerExited", "ECS's code"
    assert task["stoppedReason"] == "Essential container in task exited", "ECS's words"


def test_secrets_arrive_and_a_missing_one_keeps_the_task_from_starting(cloud: Cloud) -> None:
    secret = cloud.secrets.create_secret(Name="login", SecretString=json.dumps({"username": "app"}))["ARN"]

    def run(value_from: str) -> str:
        return cloud.run(
            cloud.task_definition(secrets=[{"name": "X", "valueFrom": value_from}], command=["sh", "-c", "echo got $X"])
        )

    arns = [run(value) for value in (f"{secret}:username::", f"{secret}:absent::", secret.replace("login", "other"))]
    assert cloud.stopped(arns[0])["containers"][0]["exitCode"] == 0, "the JSON key exists"
    assert cloud.log(arns[0]) == ["got app"], "the value of the key, not the whole secret"
    for arn in arns[1:]:
        task = cloud.stopped(arn)
        assert task["stopCode"] == "TaskFailedToStart", "AWS does not start a container without its secret"
        assert task["stoppedReason"].startswith("ResourceInitializationError: unable to pull secrets"), "ECS's words"


def test_an_image_a_command_or_a_log_group_that_is_not_there_keeps_the_task_from_starting(cloud: Cloud) -> None:
    options = {"awslogs-group": "/absent", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "web"}
    mute = {"logDriver": "awslogs", "options": options}
    absent = cloud.image[:-6] + "000000"
    cases = [
        (cloud.task_definition(image=absent), "CannotPullContainerError"),
        (cloud.task_definition(command=["/no/such/program"]), "CannotStartContainerError"),
        (cloud.task_definition(logConfiguration=mute), "ResourceInitializationError: failed to validate logger args"),
    ]
    for arn, reason in [(cloud.run(definition), reason) for definition, reason in cases]:
        task = cloud.stopped(arn)
        assert task["stopCode"] == "TaskFailedToStart", "it never ran"
        assert task["stoppedReason"].startswith(reason), "the reason is all an operator has"


def test_a_secret_made_without_a_value_has_none_until_one_is_put(cloud: Cloud) -> None:
    arn = cloud.secrets.create_secret(Name="empty")["ARN"]
    with pytest.raises(cloud.secrets.exceptions.ResourceNotFoundException):
        cloud.secrets.get_secret_value(SecretId=arn)
    token = "a" * 32
    cloud.secrets.put_secret_value(SecretId=arn, SecretString="one", ClientRequestToken=token)
    assert cloud.secrets.get_secret_value(SecretId=arn)["SecretString"] == "one", "the first version is the current one"
    with pytest.raises(cloud.secrets.exceptions.ResourceExistsException):
        cloud.secrets.put_secret_value(SecretId=arn, SecretString="two", ClientRequestToken=token)
