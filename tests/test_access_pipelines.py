"""What the pipelines' roles may do and may not: decided about their documents as bootstrap makes them."""

from __future__ import annotations

import json

import pytest

from infra.access.trust import LONGEST_TRUST
from stacks import application
from tests.policies import SUFFIX, Request, account_roles, allowed, bootstrapped, roles
from tests.provider_calls import CALLS, WAITING
from tests.recorder import ACCOUNT, REGION, configure, record

STATE = f"arn:aws:s3:::pactum-state-{ACCOUNT}"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/pactum-state-{SUFFIX}"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/pactum-boundary-prod"
BOUNDED = {"iam:PermissionsBoundary": BOUNDARY}


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def role(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def one(action: str, resource: str = "*", **context: str) -> Request:
    return Request(action=action, resource=resource, context=context)


def tags(stack: str) -> dict[str, str]:
    """What the provider's default tags are, asked for and there already."""
    both = {"project": "pactum", "stack": stack}
    return {f"aws:{when}/{tag}": value for when in ("RequestTag", "ResourceTag") for tag, value in both.items()}


def state(action: str, path: str) -> Request:
    return one(f"s3:{action}", f"{STATE}/.pulumi/{path}")


CONTENTS = [
    one("secretsmanager:GetSecretValue", arn("secretsmanager", "secret:pactum/prod/secret-key-0a1b2c")),
    one("secretsmanager:BatchGetSecretValue"),
    one("ssm:GetParameter", arn("ssm", "parameter/pactum")),
    one("s3:GetObject", f"arn:aws:s3:::pactum-prod-media-{SUFFIX}/a.png"),
    one("logs:GetLogEvents", arn("logs", "log-group:/pactum/prod/web:log-stream:a")),
    one("logs:FilterLogEvents", arn("logs", "log-group:/pactum/prod/web")),
    one("logs:StartQuery", arn("logs", "log-group:/pactum/prod/web")),
    one("dynamodb:GetItem", arn("dynamodb", "table/pactum-prod-releases")),
    one("dynamodb:Scan", arn("dynamodb", "table/pactum-prod-releases")),
    one("rds:DownloadDBLogFilePortion", arn("rds", "db:pactum-prod-database")),
]
READS = [
    *map(one, ("ec2:DescribeVpcs", "ecs:DescribeServices", "rds:DescribeDBInstances", "logs:DescribeLogGroups")),
    *map(one, ("elasticloadbalancing:DescribeLoadBalancers", "cloudwatch:DescribeAlarms", "wafv2:GetWebACL")),
    one("secretsmanager:DescribeSecret", arn("secretsmanager", "secret:pactum/prod/secret-key-0a1b2c")),
    one("iam:GetRole", role(f"pactum-prod-web-task-{SUFFIX}")),
    one("s3:GetBucketPolicy", f"arn:aws:s3:::pactum-prod-media-{SUFFIX}"),
]
TABLE = {
    "pactum-ci-preview": (
        [
            *READS,
            state("GetObject", "stacks/pactum/prod.json"),
            state("GetObject", "meta.yaml"),
            one("s3:ListBucket", STATE),
            one("kms:Decrypt", KEY),
        ],
        [
            *CONTENTS,
            state("PutObject", "stacks/pactum/prod.json"),
            state("PutObject", "locks/organization/pactum/prod/1.json"),
            state("GetObject", "stacks/pactum-bootstrap/account.json"),
            one("kms:Decrypt", arn("kms", "key/other")),
            one("kms:Encrypt", KEY),
            one("ecs:UpdateService", arn("ecs", "service/pactum-prod/web")),
            one("ecs:RunTask", arn("ecs", "task-definition/pactum-prod-shell:1")),
            one("ecs:ExecuteCommand", arn("ecs", "task/pactum-prod/1")),
            one("iam:PassRole", role("pactum-prod-web-task")),
        ],
    ),
    "pactum-ci-push": (
        [
            one("ecr:GetAuthorizationToken"),
            one("ecr:PutImage", arn("ecr", "repository/pactum")),
            one("ecr:UploadLayerPart", arn("ecr", "repository/pactum")),
        ],
        [
            *CONTENTS,
            *READS,
            one("ecr:PutImage", arn("ecr", "repository/pactum-evil")),
            one("ecr:BatchDeleteImage", arn("ecr", "repository/pactum")),
            one("ecr:PutImageTagMutability", arn("ecr", "repository/pactum")),
            one("ecr:DeleteRepository", arn("ecr", "repository/pactum")),
            state("GetObject", "stacks/pactum/prod.json"),
            one("kms:Decrypt", KEY),
        ],
    ),
    "pactum-ci-deploy-prod": (
        [
            *READS,
            state("GetObject", "stacks/pactum/prod.json"),
            state("PutObject", "stacks/pactum/prod.json.bak"),
            state("PutObject", "history/pactum/prod/prod-1.history.json"),
            state("PutObject", "backups/pactum/prod/prod.1.json"),
            state("DeleteObject", "locks/organization/pactum/prod/1.json"),
            one("kms:Decrypt", KEY),
            one("iam:PassRole", role("pactum-prod-web-task-1"), **{"iam:PassedToService": "ecs-tasks.amazonaws.com"}),
            one("iam:PassRole", role("pactum-prod-scheduler"), **{"iam:PassedToService": "scheduler.amazonaws.com"}),
            one(
                "iam:CreateServiceLinkedRole",
                role("aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"),
                **{"iam:AWSServiceName": "ecs.amazonaws.com"},
            ),
            one("secretsmanager:CreateSecret", arn("secretsmanager", "secret:rds!db-1")),
        ],
        [
            *(one(each.action, each.resource) for each in CONTENTS[:4]),
            # Another stack's things.
            state("PutObject", "stacks/pactum/staging.json"),
            state("GetObject", "stacks/pactum/staging.json"),
            state("PutObject", "locks/organization/pactum/staging/1.json"),
            state("PutObject", "stacks/pactum-bootstrap/account.json"),
            one("ecs:UpdateService", arn("ecs", "service/pactum-staging/web")),
            one("rds:ModifyDBInstance", arn("rds", "db:pactum-staging-database")),
            one("dynamodb:PutItem", arn("dynamodb", "table/pactum-staging-releases")),
            one("ec2:DeleteVpc", arn("ec2", "vpc/vpc-1"), **tags("staging")),
            one("ec2:RevokeSecurityGroupIngress", arn("ec2", "security-group/sg-1"), **tags("staging")),
            one("ec2:CreateVpc", arn("ec2", "vpc/*"), **tags("staging")),
            one(
                "elasticloadbalancing:DeleteLoadBalancer",
                arn("elasticloadbalancing", "loadbalancer/app/pactum-staging-a/1"),
            ),
            one("ecs:UpdateService", arn("ecs", "service/other/web")),
            one("ec2:DeleteVpc", arn("ec2", "vpc/vpc-1")),
            # What would make it more than it is.
            one("iam:CreateRole", role("pactum-prod-new")),
            one("iam:CreateRole", role("pactum-prod-new"), **{"iam:PermissionsBoundary": f"{BOUNDARY}-evil"}),
            one("iam:CreateRole", role("other"), **BOUNDED),
            one("iam:CreateRole", role("pactum-staging-new"), **BOUNDED),
            one("iam:PutRolePolicy", role("pactum-prod-web-task")),
            one("iam:PutRolePolicy", role("pactum-ci-deploy-prod"), **BOUNDED),
            one("iam:UpdateAssumeRolePolicy", role("pactum-ci-deploy-prod")),
            one("iam:AttachRolePolicy", role("pactum-prod-web-task"), **BOUNDED),
            one("iam:DeleteRolePermissionsBoundary", role("pactum-prod-web-task"), **BOUNDED),
            one("iam:CreatePolicyVersion", BOUNDARY),
            one("iam:DeletePolicy", BOUNDARY),
            one("iam:CreateUser", f"arn:aws:iam::{ACCOUNT}:user/a"),
            one("iam:CreateAccessKey", f"arn:aws:iam::{ACCOUNT}:user/a"),
            one("iam:PassRole", role("pactum-prod-web-task"), **{"iam:PassedToService": "ec2.amazonaws.com"}),
            one("iam:PassRole", role("pactum-ci-deploy-prod"), **{"iam:PassedToService": "ecs-tasks.amazonaws.com"}),
            one("iam:PassRole", role("pactum-prod-web-task")),
            one("iam:UpdateOpenIDConnectProviderThumbprint", f"arn:aws:iam::{ACCOUNT}:oidc-provider/gitlab.com"),
            one("sts:AssumeRole", role("pactum-ci-push")),
            one("kms:ScheduleKeyDeletion", KEY),
            one("kms:PutKeyPolicy", KEY),
            one("s3:PutBucketPolicy", STATE),
            one("s3:DeleteBucket", STATE),
            one("ecs:ExecuteCommand", arn("ecs", "task/pactum-prod/1")),
            one("ecr:PutImage", arn("ecr", "repository/pactum")),
            # What would lose data.
            one("rds:DeleteDBInstance", arn("rds", "db:pactum-prod-database")),
            one("rds:DeleteDBSnapshot", arn("rds", "snapshot:pactum-prod-final")),
            one("rds:DeleteDBInstanceAutomatedBackup"),
            one("dynamodb:DeleteTable", arn("dynamodb", "table/pactum-prod-releases")),
            one("secretsmanager:DeleteSecret", arn("secretsmanager", "secret:pactum/prod/secret-key-0a1b2c")),
            one("s3:DeleteBucket", f"arn:aws:s3:::pactum-prod-media-{SUFFIX}"),
            one("s3:DeleteObjectVersion", f"arn:aws:s3:::pactum-prod-media-{SUFFIX}/a.png"),
            one("logs:DeleteLogGroup", arn("logs", "log-group:/pactum/prod/web")),
        ],
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_a_pipelines_role_may_do_what_it_is_there_for(name: str) -> None:
    requests = TABLE[name][0]
    decided = zip(requests, allowed(account_roles()[name], requests), strict=True)
    assert [request for request, yes in decided if not yes] == [], "a pipeline would stop at it"


@pytest.mark.parametrize("name", TABLE)
def test_a_pipelines_role_may_do_nothing_else(name: str) -> None:
    requests = TABLE[name][1]
    decided = zip(requests, allowed(account_roles()[name], requests), strict=True)
    assert [request for request, yes in decided if yes] == [], "whoever can push to a branch could do it"


def test_every_role_of_the_account_is_in_the_tables() -> None:
    assert set(account_roles()) == {*TABLE, "pactum-ci-deploy-staging"}, (
        "staging's differs from prod's in its name only"
    )


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_the_deploy_role_can_make_and_change_all_that_the_program_has(stack: str) -> None:
    configure(stack, mediaBucket=True, flowLogs=True, alarmEmail="on-call@example.com")
    types = {each.type for each in record(application.deploy, stack=stack).resources if each.type.startswith("aws:")}
    assert types - set(CALLS) - WAITING == set(), "a new type of resource needs a row, and its actions in a policy"
    zone = {"staging": "", "prod": "Z0123456789EXAMPLE"}[stack]
    branches = {"branches": "main", **({"hostedZoneId": zone} if zone else {})}
    deploy = roles(bootstrapped(deployments={stack: branches}))[f"pactum-ci-deploy-{stack}"]
    context = {
        **tags(stack),
        "iam:PermissionsBoundary": BOUNDARY.replace("prod", stack),
        "ec2:CreateAction": "CreateVpc",
        "application-autoscaling:service-namespace": "ecs",
    }
    requests = [
        Request(action=action, resource=resource.format(n=f"pactum-{stack}", s=f"pactum/{stack}"), context=context)
        for type_ in sorted(types & set(CALLS))
        for resource, *actions in [CALLS[type_]]
        for action in " ".join(actions).split()
    ]
    refused = [request.action for request, yes in zip(requests, allowed(deploy, requests), strict=True) if not yes]
    assert refused == [], "an update by a pipeline would stop at it"


def test_a_vpcs_own_security_group_can_be_emptied_before_it_has_tags() -> None:
    group = arn("ec2", "security-group/sg-2")
    asked = {key: value for key, value in tags("prod").items() if key.startswith("aws:RequestTag")}
    requests = [one("ec2:RevokeSecurityGroupEgress", group), one("ec2:CreateTags", group, **asked)]
    assert all(allowed(account_roles()["pactum-ci-deploy-prod"], requests)), "AWS makes it with the VPC, without tags"
    another = one("ec2:CreateTags", arn("ec2", "vpc/vpc-1"), **asked)
    assert not any(allowed(account_roles()["pactum-ci-deploy-prod"], [another])), "nothing else becomes the stack's so"


def test_policies_and_trusts_are_within_the_sizes_that_iam_takes() -> None:
    recorder = bootstrapped(
        deployments={"production": {"branches": "main release/next", "hostedZoneId": "Z" + "0" * 30}}
    )
    assert recorder.error is None, recorder.error
    for policy in recorder.of_type("aws:iam/policy:Policy"):
        assert len(compact(policy.inputs["policy"])) <= 6144, f"{policy.name}: IAM quota of a managed policy"
    for made in recorder.of_type("aws:iam/role:Role"):
        assert len(compact(made.inputs["assumeRolePolicy"])) <= LONGEST_TRUST, (
            f"{made.name}: IAM quota of a trust policy"
        )
    for inline in recorder.of_type("aws:iam/rolePolicy:RolePolicy"):
        assert len(compact(inline.inputs["policy"])) <= 3000, f"{inline.name}: three of them make IAM's 10,240"


def compact(document: str) -> str:
    return json.dumps(json.loads(document), separators=(",", ":"))
