"""What operator commands call is what the role that deploys may do: found in ops/ itself."""

from __future__ import annotations

import ast
import functools

import botocore
import botocore.session

from tests.policies import Request, account_roles, allowed
from tests.recorder import ACCOUNT, REGION, ROOT


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


# The services that commands call, by client -> prefix of the action.
SERVICES = {"elbv2": "elasticloadbalancing"} | {
    service: service
    for service in ("cloudwatch", "dynamodb", "ecs", "logs", "rds", "scheduler", "secretsmanager", "sts")
}
RESOURCES = {
    "dynamodb": arn("dynamodb", "table/pactum-prod-releases"),
    "logs": arn("logs", "log-group:/pactum/prod/web"),
    "secretsmanager": arn("secretsmanager", "secret:pactum/prod/secret-key-0a1b2c"),
    "scheduler": arn("scheduler", "schedule/pactum-prod/pactum-prod-clear-sessions"),
    "ecs:RunTask": arn("ecs", "task-definition/pactum-prod-migrate:7"),
    "ecs:StopTask": arn("ecs", "task/pactum-prod/1"),
    "ecs:UpdateService": arn("ecs", "service/pactum-prod/web"),
}
# What only people do: open a session in a task, ask the logs, and take a stack down (docs/account.md).
PEOPLE = {"ecs:ExecuteCommand"}
OF_PEOPLE = {"saved_queries.py", "unprotect.py"}


@functools.cache
def operations(service: str) -> dict[str, str]:
    """The operations of a service: method of its client -> name in the API, which is the action's."""
    names = botocore.session.get_session().get_service_model(service).operation_names
    return {botocore.xform_name(name): name for name in names}


def ops_actions() -> set[str]:
    """Every call of an AWS client in ops/, as an action; where several services have an operation, of each of them."""
    found = set()
    for path in (ROOT / "ops").glob("*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if path.name in OF_PEOPLE or not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
                continue
            client, operation = call.func.value, call.func.attr
            name = client.attr if isinstance(client, ast.Attribute) else getattr(client, "id", "")
            if operation == "get_paginator" and isinstance(call.args[0], ast.Constant):
                operation = str(call.args[0].value)
            known = {name.strip("_")} & set(SERVICES) or set(SERVICES)
            found |= {
                f"{SERVICES[each]}:{operations(each)[operation]}" for each in known if operation in operations(each)
            }
    return found


def test_operator_commands_may_do_in_a_pipeline_all_that_they_call() -> None:
    actions = ops_actions()
    assert {"dynamodb:PutItem", "ecs:RunTask", "secretsmanager:DescribeSecret"} <= actions, "they are found at all"
    assert "secretsmanager:GetSecretValue" not in actions, "no command reads a secret"
    requests = [
        Request(action=action, resource=RESOURCES.get(action) or RESOURCES.get(action.partition(":")[0], "*"))
        for action in sorted(actions - PEOPLE - {"sts:GetCallerIdentity"})
    ]
    decided = zip(requests, allowed(account_roles()["pactum-ci-deploy-prod"], requests), strict=True)
    assert [request.action for request, yes in decided if not yes] == [], "an update would stop at it"
