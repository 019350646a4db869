"""Execution roles: ECS does nothing for a task that its role may not do, and says what was missing in AWS's words."""

import json
import re
from typing import Any

import pytest
from infra.access.documents import allow, document

from emulator_cloud import LOG_GROUP, Cloud

ACCOUNT = "123456789012"
REPOSITORY = f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/tests"
GROUP = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{LOG_GROUP}"
INITIALIZATION = "ResourceInitializationError: "
PULL = INITIALIZATION + "unable to pull secrets or registry auth: execution resource retrieval failed: "
SAID = "AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/{role}/[-0-9a-f]+ is not authorized"
SAID += " to perform: "


def statements(secret: str) -> dict[str, dict[str, Any]]:
    """What an execution role is allowed, statement by statement."""
    return {
        "registry": allow(["ecr:GetAuthorizationToken"], "*"),
        "image": allow(["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], REPOSITORY),
        "log": allow(["logs:CreateLogStream", "logs:PutLogEvents"], f"{GROUP}:*"),
        "secret": allow(["secretsmanager:GetSecretValue"], secret),
    }


REFUSALS = {
    "registry": PULL + ".*" + SAID + r"ecr:GetAuthorizationToken on resource: \* because no identity-based policy .*",
    "image": f"CannotPullContainerError: .*{SAID}ecr:BatchGetImage on resource: {REPOSITORY} because no .*",
    "log": f"{INITIALIZATION}failed to validate logger args: .*{SAID}logs:CreateLogStream on resource: {GROUP}:.*",
    "secret": PULL + "unable to retrieve secret from asm: .*" + SAID + "secretsmanager:GetSecretValue on resource: .*",
}


@pytest.fixture(scope="module")
def secret(cloud: Cloud) -> str:
    """A secret of the task."""
    return str(cloud.secrets.create_secret(Name="permissions/key", SecretString="value")["ARN"])


def role(
    cloud: Cloud,
    name: str,
    policy: dict[str, Any],
    *,
    service: str = "ecs-tasks.amazonaws.com",
    account: str = ACCOUNT,
    boundary: dict[str, Any] | None = None,
) -> str:
    """A role with one policy; ECS may assume it unless said otherwise."""
    iam = cloud.client("iam")
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": account}},
    }
    bounded = {}
    if boundary:
        made = iam.create_policy(PolicyName=f"{name}-boundary", PolicyDocument=json.dumps(boundary))
        bounded = {"PermissionsBoundary": made["Policy"]["Arn"]}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document(trust)), **bounded)["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="execution", PolicyDocument=json.dumps(policy))
    return str(arn)


def end(cloud: Cloud, role_arn: str, secret: str) -> dict[str, Any]:
    """A task of this role, when it has stopped."""
    secrets = [{"name": "KEY", "valueFrom": secret}]
    definition = cloud.task_definition(secrets=secrets, command=["true"], execution_role=role_arn)
    return cloud.stopped(cloud.run(definition))


def test_a_role_with_all_it_needs_starts_its_task(cloud: Cloud, secret: str) -> None:
    arn = role(cloud, "whole", document(*statements(secret).values()))
    assert end(cloud, arn, secret)["containers"][0]["exitCode"] == 0, "it ran"


@pytest.mark.parametrize("missing", REFUSALS)
def test_without_one_statement_the_task_never_starts(cloud: Cloud, secret: str, missing: str) -> None:
    kept = [statement for name, statement in statements(secret).items() if name != missing]
    task = end(cloud, role(cloud, f"without-{missing}", document(*kept)), secret)
    assert task["stopCode"] == "TaskFailedToStart", "no container ever ran"
    assert re.fullmatch(REFUSALS[missing].replace("{role}", f"without-{missing}"), task["stoppedReason"])


def test_another_secrets_permission_is_none_for_this_one(cloud: Cloud, secret: str) -> None:
    policy = document(*statements(secret.replace("permissions/", "permissions-evil/")).values())
    assert "GetSecretValue" in end(cloud, role(cloud, "another-secret", policy), secret)["stoppedReason"]


def test_a_boundary_takes_away_what_it_does_not_allow(cloud: Cloud, secret: str) -> None:
    whole = statements(secret)
    boundary = document(*(statement for name, statement in whole.items() if name != "secret"))
    arn = role(cloud, "bounded", document(*whole.values()), boundary=boundary)
    reason = end(cloud, arn, secret)["stoppedReason"]
    assert "because no permissions boundary allows the secretsmanager:GetSecretValue action" in reason, reason


@pytest.mark.parametrize(
    ("name", "trust"),
    [("for-lambda", {"service": "lambda.amazonaws.com"}), ("for-others", {"account": "210987654321"})],
)
def test_a_role_that_ecs_may_not_assume_starts_nothing(
    cloud: Cloud, secret: str, name: str, trust: dict[str, str]
) -> None:
    arn = role(cloud, name, document(*statements(secret).values()), **trust)  # type: ignore[arg-type]
    reason = end(cloud, arn, secret)["stoppedReason"]
    assert reason.startswith(f"ECS was unable to assume the role '{arn}' that was provided for this task."), reason


def test_a_role_that_is_not_there_starts_nothing(cloud: Cloud, secret: str) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:role/absent"
    assert "unable to assume the role" in end(cloud, arn, secret)["stoppedReason"]
