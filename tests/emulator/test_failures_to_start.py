"""Service deployments whose tasks cannot start: ECS's words for why, and the circuit breaker's verdict."""

import json
import re
from typing import Any

import pytest

from emulator_cloud import CLUSTER, Cloud, until

PULL = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
ASM = "unable to retrieve secret from asm: service call has been retried 1 time(s): "
FETCH = (
    r"failed to fetch secret arn:aws:secretsmanager:\S+ from secrets manager: operation error Secrets Manager: "
    r"GetSecretValue, https response error StatusCode: 400, RequestID: [-0-9a-f]+, ResourceNotFoundException: "
)
CASES = {
    "no-image": r"CannotPullContainerError: pull image manifest has been retried 1 time\(s\): failed to resolve ref "
    r"(\S+/tests@sha256:\w+): \1: not found",
    "no-secret": re.escape(PULL + ASM) + FETCH + r"Secrets Manager can't find the specified secret\.",
    "no-value": re.escape(PULL + ASM)
    + FETCH
    + r"Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
    "no-key": re.escape(f"{PULL}{ASM}retrieved secret from Secrets Manager did not contain json key password"),
    "no-json": re.escape(f"{PULL}{ASM}invalid character 'p' looking for beginning of value"),
}


def definition(cloud: Cloud, case: str) -> str:
    """A task definition that fails to start in the way of the case."""
    if case == "no-image":
        return cloud.task_definition(image=cloud.image[:-6] + "000000")
    values = {"no-key": json.dumps({"username": "app"}), "no-json": "plain"}
    if case in values:
        arn = cloud.secrets.create_secret(Name=case, SecretString=values[case])["ARN"]
    else:
        arn = cloud.secrets.create_secret(Name=case)["ARN"]
    reference = {"no-secret": arn.replace(case, "absent"), "no-value": arn}.get(case, f"{arn}:password::")
    return cloud.task_definition(secrets=[{"name": "PASSWORD", "valueFrom": reference}])


@pytest.fixture(scope="module", autouse=True)
def _services(cloud: Cloud) -> None:
    """One service for each case, all at once."""
    for case in CASES:
        cloud.unbalanced(case, definition(cloud, case))


def stopped(cloud: Cloud, service: str) -> list[dict[str, Any]]:
    """The tasks of a service that have stopped."""
    arns = cloud.ecs.list_tasks(cluster=CLUSTER, serviceName=service, desiredStatus="STOPPED")["taskArns"]
    return [cloud.task(arn) for arn in arns]


@pytest.mark.parametrize("case", CASES)
def test_the_deployment_fails_and_its_tasks_say_why_in_the_words_of_ecs(cloud: Cloud, case: str) -> None:
    until(lambda: cloud.describe(case)["deployments"][0]["rolloutState"] == "FAILED", 40, "FAILED")
    tasks = stopped(cloud, case)
    assert len(tasks) == 3, "the breaker's threshold for one task"
    assert {task["stopCode"] for task in tasks} == {"TaskFailedToStart"}, "no container ever ran"
    for task in tasks:
        assert re.fullmatch(CASES[case], task["stoppedReason"]), task["stoppedReason"]
    assert "plain" not in json.dumps(tasks, default=str), "a secret's value is in no message"
    events = [event["message"] for event in cloud.describe(case)["events"]]
    assert any("was unable to place a task. Reason: " in event for event in events), "what an operator watches"


def test_a_secrets_stage_and_version_are_those_that_were_asked_for(cloud: Cloud) -> None:
    secret = cloud.secrets.create_secret(Name="versions", SecretString='{"a": "old", "n": 5}')
    cloud.secrets.put_secret_value(SecretId=secret["ARN"], SecretString='{"a": "new"}')
    suffixes = {"": '{"a": "new"}', ":a::": "new", ":a:AWSPREVIOUS:": "old", f":n::{secret['VersionId']}": "5"}
    secrets = [{"name": f"S{i}", "valueFrom": secret["ARN"] + suffix} for i, suffix in enumerate(suffixes)]
    command = ["sh", "-c", 'echo "$S0"; echo "$S1"; echo "$S2"; echo "$S3"']
    arn = cloud.run(cloud.task_definition(secrets=secrets, command=command))
    cloud.stopped(arn)
    assert cloud.log(arn) == list(suffixes.values()), "ARN:key:stage:version"
