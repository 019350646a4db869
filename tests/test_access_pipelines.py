"""What the pipelines' roles may do and may not: decided about their documents as bootstrap makes them."""

from __future__ import annotations

import pytest

from tests.call_contexts import DOMAIN, Context, asked, carried, records
from tests.policies import SUFFIX, Request, Role, account_roles, allowed
from tests.recorder import ACCOUNT, REGION

STATE = f"arn:aws:s3:::pactum-state-{ACCOUNT}"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/pactum-state-{SUFFIX}"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/pactum-boundary-prod"
BOUNDED = {"iam:PermissionsBoundary": BOUNDARY}
THROUGH_SECRETS = {"kms:ViaService": f"secretsmanager.{REGION}.amazonaws.com"}
CHANNELS = f"arn:aws:chatbot::{ACCOUNT}:chat-configuration"
MEDIA = f"arn:aws:s3:::pactum-prod-media-{SUFFIX}"
PULLING = ("DescribeImages", "BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer")
GROUP = f"arn:aws:ec2:{REGION}:{ACCOUNT}:security-group/sg-1"


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def role(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def one(action: str, resource: str = "*", **context: str | list[str]) -> Request:
    return Request(action=action, resource=resource, context=context)


def scaling(operation: str, *contexts: Context) -> list[Request]:
    target = arn("application-autoscaling", "scalable-target/1")
    return [one(f"application-autoscaling:{operation}", target, **context) for context in contexts]


def masters(operation: str, stack: str, when: str = "ResourceTag") -> Request:
    """A call about the master login's secret of a stack, by the tag that RDS gives it."""
    tag = {f"aws:{when}/aws:rds:primaryDBInstanceArn": arn("rds", f"db:pactum-{stack}-database")}
    return one(f"secretsmanager:{operation}", arn("secretsmanager", "secret:rds!db-1"), **tag)


def named_endpoint(region: str) -> Request:
    """What an endpoint with a private name asks of Route 53."""
    zone, vpc = "arn:aws:route53:::hostedzone/Z0OFAWS", {"route53:VPCs": [f"VPCId=vpc-1,VPCRegion={region}"]}
    return Request(action="route53:AssociateVPCWithHostedZone", resource=zone, context=vpc)


def changes(kind: str, *names: str) -> Request:
    zone = "arn:aws:route53:::hostedzone/Z0123456789EXAMPLE"
    return one("route53:ChangeResourceRecordSets", zone, **records(kind, *names))


def state(action: str, path: str) -> Request:
    return one(f"s3:{action}", f"{STATE}/.pulumi/{path}")


def item(key: str) -> dict[str, str | list[str]]:
    """What a call about one item of a DynamoDB table carries."""
    return {"dynamodb:LeadingKeys": [key]}


STAGINGS = arn("dynamodb", "table/pactum-staging-releases")
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
    one("ec2:DescribeInstanceAttribute", arn("ec2", "instance/i-1")),
    one("ec2:DescribeLaunchTemplateVersions"),
    one("sqs:ReceiveMessage", arn("sqs", "pactum-prod-jobs-0a1b2c3")),
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
            # The image that a stack runs is pulled, and asked for its migrations.
            one("ecr:GetAuthorizationToken"),
            *(one(f"ecr:{each}", arn("ecr", "repository/pactum")) for each in PULLING),
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
            one("ecr:BatchGetImage", arn("ecr", "repository/other")),
            one("ecr:PutImage", arn("ecr", "repository/pactum")),
        ],
    ),
    "pactum-ci-push": (
        [
            one("ecr:GetAuthorizationToken"),
            one("ecr:PutImage", arn("ecr", "repository/pactum")),
            one("ecr:UploadLayerPart", arn("ecr", "repository/pactum")),
            *(one(f"ecr:{each}", arn("ecr", "repository/pactum")) for each in PULLING),
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
            one("iam:PassRole", role("pactum-prod-flow"), **{"iam:PassedToService": "vpc-flow-logs.amazonaws.com"}),
            one("iam:PassRole", role("pactum-prod-watch-1"), **{"iam:PassedToService": "lambda.amazonaws.com"}),
            one("iam:PassRole", role("pactum-prod-chat"), **{"iam:PassedToService": "chatbot.amazonaws.com"}),
            one(
                "iam:CreateServiceLinkedRole",
                role("aws-service-role/management.chatbot.amazonaws.com/AWSServiceRoleForAWSChatbot"),
                **{"iam:AWSServiceName": "management.chatbot.amazonaws.com"},
            ),
            one("secretsmanager:CreateSecret", arn("secretsmanager", "secret:rds!db-1")),
            masters("TagResource", "prod"),
            masters("TagResource", "prod", "RequestTag"),
            masters("RotateSecret", "prod"),
            one("kms:Decrypt", arn("kms", "key/own"), **THROUGH_SECRETS),
            one("kms:GenerateDataKey", arn("kms", "key/own"), **THROUGH_SECRETS),
            named_endpoint(REGION),
            # What was tested, and what the stack before it serves.
            one("ecr:DescribeImages", arn("ecr", "repository/pactum")),
            one("ecr:DescribeRepositories", arn("ecr", "repository/pactum")),
            one("dynamodb:GetItem", STAGINGS, **item("staging")),
            one("dynamodb:GetItem", arn("dynamodb", "table/pactum-prod-releases"), **item("prod")),
        ],
        [
            one("dynamodb:GetItem", STAGINGS),
            one("dynamodb:GetItem", STAGINGS, **item("watch:jobs")),
            one("dynamodb:GetItem", STAGINGS, **{"dynamodb:LeadingKeys": ["staging", "watch:jobs"]}),
            *(
                one(f"dynamodb:{each}", STAGINGS, **item("staging"))
                for each in ("PutItem", "UpdateItem", "Query", "Scan")
            ),
            one("ecr:BatchGetImage", arn("ecr", "repository/pactum")),
            *(one(each.action, each.resource) for each in CONTENTS[:4]),
            # Another stack's things.
            state("PutObject", "stacks/pactum/staging.json"),
            state("GetObject", "stacks/pactum/staging.json"),
            state("PutObject", "locks/organization/pactum/staging/1.json"),
            state("PutObject", "stacks/pactum-bootstrap/account.json"),
            one("ecs:UpdateService", arn("ecs", "service/pactum-staging/web")),
            one("rds:ModifyDBInstance", arn("rds", "db:pactum-staging-database")),
            one("dynamodb:PutItem", arn("dynamodb", "table/pactum-staging-releases")),
            one("ec2:DeleteVpc", arn("ec2", "vpc/vpc-1"), **carried("staging")),
            one("ec2:RevokeSecurityGroupIngress", GROUP, **carried("staging")),
            one("ec2:CreateVpc", arn("ec2", "vpc/*"), **asked("staging")),
            one("ec2:CreateSubnet", arn("ec2", "vpc/vpc-1"), **carried("staging")),
            one("ec2:CreateTags", arn("ec2", "vpc/vpc-1"), **asked("prod"), **carried("staging")),
            one("ec2:CreateTags", GROUP, **asked("prod"), **carried("staging")),
            *scaling("RegisterScalableTarget", {}, carried("staging"), asked("prod") | carried("staging")),
            *scaling("TagResource", {}, asked("prod") | carried("staging"), asked("staging") | carried("prod")),
            *scaling("DeregisterScalableTarget", {}, carried("staging"), asked("prod")),
            *scaling("PutScalingPolicy", {}, carried("staging"), asked("prod")),
            *scaling("DeleteScalingPolicy", {}, carried("staging"), asked("prod")),
            *scaling("UntagResource", {}, carried("staging")),
            one("cloudwatch:DeleteAlarms", arn("cloudwatch", "alarm:TargetTracking-service/pactum-staging/web-1")),
            one("acm:AddTagsToCertificate", arn("acm", "certificate/1"), **asked("prod"), **carried("staging")),
            one("acm:DeleteCertificate", arn("acm", "certificate/1"), **carried("staging")),
            one("ecs:DeregisterTaskDefinition", arn("ecs", "task-definition/pactum-staging-web:1")),
            masters("TagResource", "staging"),
            masters("TagResource", "staging", "RequestTag"),
            masters("RotateSecret", "staging"),
            one("secretsmanager:RotateSecret", arn("secretsmanager", "secret:rds!db-1")),
            # What is nobody's stack's.
            one("ec2:RevokeSecurityGroupIngress", GROUP),
            one("ec2:CreateTags", GROUP, **asked("prod"), **{"aws:ResourceTag/Name": "bastion"}),
            one("ec2:CreateTags", GROUP, **asked("prod"), **{"aws:ResourceTag/project": "other"}),
            changes("A", f"www.{DOMAIN}"),
            changes("A", DOMAIN, "example.com"),
            changes("MX", DOMAIN),
            changes("TXT", f"_dmarc.{DOMAIN}"),
            changes("CNAME", DOMAIN),
            named_endpoint("eu-west-1"),
            one("s3:PutBucketPolicy", MEDIA, **{"aws:ResourceAccount": "210987654321"}),
            one("kms:Decrypt", arn("kms", "key/other")),
            one("kms:Decrypt", arn("kms", "key/other"), **{"kms:ViaService": f"s3.{REGION}.amazonaws.com"}),
            one(
                "elasticloadbalancing:DeleteLoadBalancer",
                arn("elasticloadbalancing", "loadbalancer/app/pactum-staging-a/1"),
            ),
            one("ecs:UpdateService", arn("ecs", "service/other/web")),
            one("ec2:DeleteVpc", arn("ec2", "vpc/vpc-1")),
            # What would make it more than it is.
            one("iam:CreateRole", role("pactum-prod-new"), **asked("prod")),
            one("iam:CreateRole", role("pactum-prod-new"), **BOUNDED),
            one("iam:CreateRole", role("pactum-prod-new"), **BOUNDED, **asked("staging")),
            one(
                "iam:CreateRole",
                role("pactum-prod-new"),
                **asked("prod"),
                **{"iam:PermissionsBoundary": f"{BOUNDARY}-evil"},
            ),
            one("iam:CreateRole", role("other"), **BOUNDED, **asked("prod")),
            one("iam:CreateRole", role("pactum-staging-new"), **BOUNDED, **asked("prod")),
            *(one(f"iam:{each}", role("pactum-prod-a-persons")) for each in ("DeleteRole", "UpdateAssumeRolePolicy")),
            one("iam:UpdateAssumeRolePolicy", role("pactum-prod-a-persons"), **carried("staging")),
            one("iam:TagRole", role("pactum-prod-a-persons"), **asked("prod"), **carried("staging")),
            one("iam:TagRole", role("pactum-prod-web-task"), **asked("staging"), **carried("prod")),
            one("iam:PutRolePolicy", role("pactum-prod-a-persons"), **BOUNDED),
            one("iam:PutRolePermissionsBoundary", role("pactum-prod-a-persons"), **BOUNDED),
            one("iam:PutRolePolicy", role("pactum-prod-web-task"), **carried("prod")),
            one("iam:PutRolePolicy", role("pactum-ci-deploy-prod"), **BOUNDED, **carried("prod")),
            one("iam:UpdateAssumeRolePolicy", role("pactum-ci-deploy-prod"), **carried("prod")),
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
            one("sns:Publish", arn("sns", "pactum-prod-pages")),
            one("sns:SetTopicAttributes", arn("sns", "pactum-staging-pages")),
            one("events:PutTargets", arn("events", "rule/pactum-staging-tasks")),
            # Code of an update's own, run as a role that may more than look.
            one("iam:PassRole", role("pactum-prod-migrate-task"), **{"iam:PassedToService": "lambda.amazonaws.com"}),
            one("iam:PassRole", role("pactum-staging-watch-1"), **{"iam:PassedToService": "lambda.amazonaws.com"}),
            one("lambda:UpdateFunctionCode", arn("lambda", "function:pactum-staging-watch")),
            one("lambda:InvokeFunction", arn("lambda", "function:pactum-prod-watch")),
            one("lambda:CreateFunctionUrlConfig", arn("lambda", "function:pactum-prod-watch")),
            one("logs:DeleteResourcePolicy"),
            one("chatbot:UpdateSlackChannelConfiguration", f"{CHANNELS}/slack-channel/pactum-staging-slack"),
            one("chatbot:DeleteSlackWorkspaceAuthorization"),
            # What would delete what holds data, or what a rollback starts.
            one("ecs:DeregisterTaskDefinition", arn("ecs", "task-definition/pactum-prod-web:1")),
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


def test_a_stack_that_takes_its_image_from_no_other_reads_no_others_memory() -> None:
    request = one("dynamodb:GetItem", arn("dynamodb", "table/pactum-prod-releases"), **item("prod"))
    assert allowed(account_roles()["pactum-ci-deploy-staging"], [request]) == [False]


def test_every_role_of_the_account_is_in_the_tables() -> None:
    assert set(account_roles()) == {*TABLE, "pactum-ci-deploy-staging"}, (
        "staging's differs from prod's in its name, and in whose image it takes"
    )


def test_a_preview_is_refused_contents_whatever_else_its_role_is_given() -> None:
    preview = account_roles()["pactum-ci-preview"]
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    generous = Role(preview.name, preview.trust, [*preview.policies, everything], preview.boundary)
    granted = [each for each, yes in zip(CONTENTS, allowed(generous, CONTENTS), strict=True) if yes]
    assert granted == [], "ReadOnlyAccess is attached to such roles easily, and reads all of it"
    assert allowed(generous, [state("GetObject", "stacks/pactum/prod.json")]) == [True], "state it must read"
