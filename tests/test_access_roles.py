"""What the roles of a stack may do and may not: decided about their documents as the program makes them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.policies import SUFFIX, Request, allowed, stack_roles, trusted
from tests.recorder import ACCOUNT, REGION

REPOSITORY = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/pactum"
OTHER_ACCOUNT = "210987654321"


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def secret(stack: str, kind: str) -> Request:
    return Request(
        action="secretsmanager:GetSecretValue", resource=arn("secretsmanager", f"secret:pactum/{stack}/{kind}-0a1b2c")
    )


def master(stack: str) -> Request:
    """The master login's secret, with the tag that RDS gives it."""
    tag = {"aws:ResourceTag/aws:rds:primaryDBInstanceArn": arn("rds", f"db:pactum-{stack}-database")}
    resource = arn("secretsmanager", "secret:rds!db-1" if stack == "prod" else "secret:rds!db-2")
    return Request(action="secretsmanager:GetSecretValue", resource=resource, context=tag)


def log(stack: str, process: str) -> Request:
    return Request(
        action="logs:PutLogEvents", resource=arn("logs", f"log-group:/pactum/{stack}/{process}:log-stream:a")
    )


def pull(repository: str = REPOSITORY) -> list[Request]:
    return [
        Request(action="ecr:GetAuthorizationToken"),
        Request(action="ecr:BatchGetImage", resource=repository),
        Request(action="ecr:GetDownloadUrlForLayer", resource=repository),
    ]


def media(stack: str, action: str, inside: str = "/uploads/a.png") -> Request:
    return Request(action=f"s3:{action}", resource=f"arn:aws:s3:::pactum-{stack}-media-{SUFFIX}{inside}")


def run(family: str, cluster: str = "pactum-prod") -> Request:
    context = {"ecs:cluster": arn("ecs", f"cluster/{cluster}")}
    return Request(action="ecs:RunTask", resource=arn("ecs", f"task-definition/{family}:7"), context=context)


def item(key: str, action: str = "GetItem") -> Request:
    """A request about one item of the release memory's table."""
    context = {"dynamodb:LeadingKeys": [key]}
    return Request(action=f"dynamodb:{action}", resource=arn("dynamodb", "table/pactum-prod-releases"), context=context)


def published(namespace: str) -> Request:
    return Request(action="cloudwatch:PutMetricData", context={"cloudwatch:namespace": namespace})


def looked_at(stack: str, action: str) -> Request:
    """Something of a stack that the watch looks at: a service, or a schedule."""
    name = f"pactum-{stack}"
    service = action.partition(":")[0]
    kind = {"ecs": f"service/{name}/web", "scheduler": f"schedule/{name}/{name}-clear-sessions"}[service]
    return Request(action=action, resource=arn(service, kind))


def passed(role: str, service: str = "ecs-tasks.amazonaws.com") -> Request:
    context = {"iam:PassedToService": service}
    return Request(action="iam:PassRole", resource=f"arn:aws:iam::{ACCOUNT}:role/{role}-{SUFFIX}", context=context)


def key_use(service: str = "secretsmanager") -> Request:
    """The use of a key somebody has chosen for a secret, by way of a service."""
    via = {"kms:ViaService": f"{service}.{REGION}.amazonaws.com"}
    return Request(action="kms:Decrypt", resource=arn("kms", "key/own"), context=via)


# What nothing that runs in a stack may ever do.
NEVER = [
    secret("staging", "secret-key"),
    master("staging"),
    log("staging", "web"),
    Request(action="iam:CreateRole", resource=f"arn:aws:iam::{ACCOUNT}:role/pactum-prod-new"),
    Request(action="iam:PutRolePolicy", resource=f"arn:aws:iam::{ACCOUNT}:role/pactum-prod-web-task"),
    passed("pactum-ci-deploy-prod"),
    Request(action="sts:AssumeRole", resource=f"arn:aws:iam::{ACCOUNT}:role/pactum-ci-deploy-prod"),
    Request(action="ecr:PutImage", resource=REPOSITORY),
    Request(action="secretsmanager:PutSecretValue", resource=secret("prod", "secret-key").resource),
    Request(action="kms:Decrypt", resource=arn("kms", "key/pactum-state")),
    Request(action="s3:GetObject", resource=f"arn:aws:s3:::pactum-state-{ACCOUNT}/.pulumi/stacks/pactum/prod.json"),
    Request(action="dynamodb:PutItem", resource=arn("dynamodb", "table/pactum-prod-releases")),
    Request(action="rds:DeleteDBInstance", resource=arn("rds", "db:pactum-prod-database")),
    Request(action="logs:DeleteLogGroup", resource=arn("logs", "log-group:/pactum/prod/web")),
    media("staging", "GetObject"),
]
EXEC = [Request(action="ssmmessages:OpenDataChannel"), Request(action="logs:DescribeLogGroups")]
# role: what it is there for, and what another role is there for.
TABLE = {
    "web-execution": (
        [*pull(), log("prod", "web"), secret("prod", "secret-key"), secret("prod", "database-login")],
        [master("prod"), log("prod", "migrate"), *pull(f"{REPOSITORY}-evil")[1:], media("prod", "GetObject"), *EXEC],
    ),
    "migrate-execution": (
        [*pull(), log("prod", "migrate"), secret("prod", "database-login"), master("prod")],
        [log("prod", "web"), *EXEC],
    ),
    "shell-execution": ([*pull(), log("prod", "shell"), secret("prod", "secret-key")], [master("prod"), *EXEC]),
    "clear-sessions-execution": (
        [*pull(), log("prod", "clear-sessions"), secret("prod", "database-login")],
        [master("prod"), log("prod", "web")],
    ),
    "web-task": (
        [media("prod", "GetObject"), media("prod", "PutObject"), media("prod", "ListBucket", "")],
        [secret("prod", "secret-key"), log("prod", "web"), media("prod", "DeleteBucket", ""), *pull(), *EXEC],
    ),
    "clear-sessions-task": (
        [media("prod", "GetObject")],
        [secret("prod", "secret-key"), media("prod", "DeleteBucket", "")],
    ),
    "migrate-task": ([], [secret("prod", "secret-key"), master("prod"), media("prod", "ListBucket", ""), *EXEC]),
    "shell-task": (
        [*EXEC, log("prod", "shell")],
        [secret("prod", "secret-key"), master("prod"), log("prod", "web")],
    ),
    "scheduler": (
        [
            run("pactum-prod-clear-sessions"),
            passed("pactum-prod-clear-sessions-execution"),
            passed("pactum-prod-clear-sessions-task"),
        ],
        [
            run("pactum-prod-shell"),
            run("pactum-prod-migrate"),
            run("pactum-staging-clear-sessions"),
            run("pactum-prod-clear-sessions", "pactum-staging"),
            passed("pactum-prod-migrate-execution"),
            passed("pactum-prod-clear-sessions-task", "ec2.amazonaws.com"),
            secret("prod", "secret-key"),
        ],
    ),
    "flow-logs": (
        [
            Request(
                action="logs:PutLogEvents",
                resource=arn("logs", f"log-group:pactum-prod-flow-logs-{SUFFIX}:log-stream:a"),
            )
        ],
        [log("prod", "web"), secret("prod", "secret-key")],
    ),
    "watch": (
        [
            log("prod", "watch"),
            published("pactum/prod"),
            looked_at("prod", "ecs:DescribeServices"),
            looked_at("prod", "scheduler:GetSchedule"),
            replace(secret("prod", "secret-key"), action="secretsmanager:ListSecretVersionIds"),
            item("watch:jobs"),
            item("watch:jobs", "UpdateItem"),
        ],
        [
            log("prod", "web"),
            published("pactum/staging"),
            published("AWS/ApplicationELB"),
            Request(action="cloudwatch:PutMetricData"),
            *(looked_at("staging", action) for action in ("ecs:DescribeServices", "scheduler:GetSchedule")),
            looked_at("prod", "ecs:UpdateService"),
            looked_at("prod", "scheduler:UpdateSchedule"),
            secret("prod", "secret-key"),
            replace(secret("staging", "secret-key"), action="secretsmanager:ListSecretVersionIds"),
            replace(secret("prod", "secret-key"), action="secretsmanager:DescribeSecret"),
            # The release memory beside its own item; the same where a request names no item.
            item("prod"),
            item("prod", "UpdateItem"),
            item("watch:jobs", "PutItem"),
            item("watch:jobs", "DeleteItem"),
            replace(item(""), context={}),
            replace(item("", "UpdateItem"), context={"dynamodb:LeadingKeys": ["watch:jobs", "prod"]}),
            *EXEC,
        ],
    ),
    "chat": (
        [
            Request(action="cloudwatch:DescribeAlarms", resource=arn("cloudwatch", "alarm:pactum-prod-target-errors")),
            *(Request(action=f"cloudwatch:{action}") for action in ("DescribeAlarmHistory", "GetMetricData")),
        ],
        [
            *(Request(action=f"cloudwatch:{action}") for action in ("PutMetricData", "SetAlarmState", "DeleteAlarms")),
            Request(action="logs:FilterLogEvents", resource=arn("logs", "log-group:/pactum/prod/web")),
            Request(action="sns:Publish", resource=arn("sns", "pactum-prod-pages")),
            secret("prod", "secret-key"),
            *EXEC,
        ],
    ),
}
TASKS = "ecs-tasks.amazonaws.com"
TRUSTS = {
    "scheduler": "scheduler.amazonaws.com",
    "flow-logs": "vpc-flow-logs.amazonaws.com",
    "chat": "chatbot.amazonaws.com",
    "watch": "lambda.amazonaws.com",
}
# AWS does not document that it says for whom it asks; when it does, it must be for us.
MAY_NOT_SAY = {"chat"}


def test_every_role_of_the_stack_is_in_the_table() -> None:
    made = {name.removeprefix("pactum-prod-") for name in stack_roles("prod")}
    assert made == set(TABLE), "a new role is a new decision about what it may do"


@pytest.mark.parametrize("name", TABLE)
def test_a_role_may_do_what_it_is_there_for(name: str) -> None:
    role, requests = stack_roles("prod")[f"pactum-prod-{name}"], TABLE[name][0]
    refused = [request for request, yes in zip(requests, allowed(role, requests), strict=True) if not yes]
    assert refused == [], "with its boundary, as AWS decides"


@pytest.mark.parametrize("name", TABLE)
def test_a_role_may_do_nothing_else(name: str) -> None:
    role, requests = stack_roles("prod")[f"pactum-prod-{name}"], [*TABLE[name][1], *NEVER]
    granted = [request for request, yes in zip(requests, allowed(role, requests, bounded=False), strict=True) if yes]
    assert granted == [], "by its own policies already"


@pytest.mark.parametrize("name", TABLE)
def test_only_its_own_service_in_this_account_takes_a_role(name: str) -> None:
    role, service = stack_roles("prod")[f"pactum-prod-{name}"], TRUSTS.get(name, TASKS)
    (statement,) = role.trust["Statement"]
    assert statement["Principal"] == {"Service": service}, "and no user, account or other service"
    source = {
        "scheduler": arn("scheduler", "schedule-group/pactum-prod"),
        "flow-logs": arn("ec2", "vpc-flow-log/fl-1"),
    }.get(name, "")
    root = f"arn:aws:iam::{ACCOUNT}:root"  # stands for a service, in the emulator
    ours = {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": source}
    theirs = {"aws:SourceAccount": OTHER_ACCOUNT, "aws:SourceArn": source.replace(ACCOUNT, OTHER_ACCOUNT)}
    asked = [(root, ours), (root, theirs), (root, {})]
    assert trusted(role, asked, "sts:AssumeRole") == [True, False, name in MAY_NOT_SAY], (
        "nobody else's service on their behalf"
    )


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_every_role_of_a_stack_is_bounded(stack: str) -> None:
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/pactum-boundary-{stack}"
    unbounded = [role.name for role in stack_roles(stack).values() if role.boundary != boundary]
    assert unbounded == [], "the pipelines' role may make no role without it: the first update would fail"


def test_a_stacks_boundary_keeps_whatever_role_from_another_stacks_secrets() -> None:
    role = stack_roles("staging")["pactum-staging-web-execution"]
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    careless = type(role)(role.name, role.trust, [everything], role.boundary)
    requests = [secret("prod", "secret-key"), master("prod"), log("prod", "web"), media("prod", "GetObject")]
    requests += [passed("pactum-prod-web-task"), passed("pactum-ci-deploy-prod"), run("pactum-prod-shell")]
    assert not any(allowed(careless, [*requests, Request(action="iam:CreateUser")])), "even with a policy for all"
    assert all(allowed(careless, [secret("staging", "secret-key"), master("staging")])), "its own it may have"


def test_within_the_boundary_a_secret_may_have_a_key_of_ones_own() -> None:
    role = stack_roles("staging")["pactum-staging-web-execution"]
    key = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}
    opened = type(role)(role.name, role.trust, [{"Version": "2012-10-17", "Statement": [key]}], role.boundary)
    direct = Request(action="kms:Decrypt", resource=arn("kms", "key/own"))
    assert allowed(opened, [key_use(), key_use("s3"), direct]) == [True, False, False], "only by way of the secret"
