"""What an update of one stack may do, as policies small enough for IAM (6,144 characters each).

They make and change what the program has. What holds data can be made and changed with them and never deleted: taking
a stack down is a person's work (docs/account.md).
"""

from infra.access.boundary import boundary_name
from infra.access.documents import Condition, Document, Scope, Statement, allow, document, each
from infra.access.tags import tagged, to_be_tagged

# AWS makes these roles for itself, once in an account.
LINKED_SERVICES = (
    "ecs.amazonaws.com",
    "ecs.application-autoscaling.amazonaws.com",
    "elasticloadbalancing.amazonaws.com",
    "rds.amazonaws.com",
)
# Who a stack's roles are made for.
PASSED_TO = ("ecs-tasks.amazonaws.com", "scheduler.amazonaws.com", "vpc-flow-logs.amazonaws.com")


def deploying_policies(scope: Scope, hosted_zone_id: str = "") -> dict[str, Document]:
    """All of them, by the ends of their names."""
    return {
        "network": network_policy(scope),
        "serving": serving_policy(scope, hosted_zone_id),
        "data": data_policy(scope),
        "roles": roles_policy(scope),
    }


def network_policy(scope: Scope) -> Document:
    """VPC, subnets, routes, gateways, endpoints, security groups, flow logs: EC2 names them by ids, so by tags."""
    made = each("ec2", "CreateVpc", "CreateSubnet", "CreateRouteTable", "CreateInternetGateway", "CreateNatGateway")
    made += each("ec2", "AllocateAddress", "CreateSecurityGroup", "CreateVpcEndpoint", "CreateFlowLogs")
    made += each("ec2", "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress")
    changed = each("ec2", "ModifyVpcAttribute", "DeleteVpc", "ModifySubnetAttribute", "DeleteSubnet", "CreateRoute")
    changed += each("ec2", "ReplaceRoute", "DeleteRoute", "DeleteRouteTable", "AssociateRouteTable")
    changed += each("ec2", "DisassociateRouteTable", "ReplaceRouteTableAssociation", "AttachInternetGateway")
    changed += each("ec2", "DetachInternetGateway", "DeleteInternetGateway", "DeleteNatGateway", "ReleaseAddress")
    changed += each("ec2", "DisassociateAddress", "ModifyVpcEndpoint", "DeleteVpcEndpoints", "DeleteFlowLogs")
    changed += each("ec2", "RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress", "ModifySecurityGroupRules")
    changed += each("ec2", "UpdateSecurityGroupRuleDescriptionsIngress", "UpdateSecurityGroupRuleDescriptionsEgress")
    changed += ["ec2:DeleteSecurityGroup"]
    by_itself = each("ec2", "vpc", "subnet", "route-table", "internet-gateway", "natgateway", "elastic-ip")
    by_itself += each("ec2", "security-group", "security-group-rule", "vpc-endpoint", "vpc-flow-log")
    groups, untagged = scope.arn("ec2", "security-group/*"), {"Null": {"aws:ResourceTag/stack": "true"}}
    kinds = [scope.arn("ec2", f"{kind.partition(':')[2]}/*") for kind in by_itself]
    return document(
        # EC2 asks twice where something is made in something: for the new one, and for what it is put in.
        allow(made, kinds, to_be_tagged(scope)),
        allow([*made, *changed], kinds, tagged(scope)),
        # Tags are set as a thing is made, and on what has the stack's already; they never name another stack.
        allow(["ec2:CreateTags"], kinds, {**to_be_tagged(scope), "StringLike": {"ec2:CreateAction": "*"}}),
        # A VPC's default security group comes with it, and without tags.
        allow(each("ec2", "RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress"), groups, untagged),
        allow(["ec2:CreateTags"], groups, {**to_be_tagged(scope), **untagged}),
        allow(
            ["ec2:CreateTags", "ec2:DeleteTags"],
            kinds,
            {**tagged(scope), **_no_change_of_tags(scope)},
        ),
    )


def _no_change_of_tags(scope: Scope) -> Condition:
    tags = {"aws:RequestTag/project": scope.project, "aws:RequestTag/stack": scope.stack}
    # DeleteTags names its tags by key only; without values they would be absent here.
    return {"StringEqualsIfExists": tags}


def serving_policy(scope: Scope, hosted_zone_id: str) -> Document:
    """Cluster, services, tasks, schedules, scaling, balancer, certificate, names, firewall, logs, alarms."""
    name = scope.name
    statements = [
        # These know no resources, or none yet; the tags of what they make say whose it is.
        allow(each("ecs", "CreateCluster", "RegisterTaskDefinition"), "*", to_be_tagged(scope)),
        allow(["acm:RequestCertificate"], "*", to_be_tagged(scope)),
        allow(["ecs:DeregisterTaskDefinition"], "*"),
        allow(
            [
                *each("ecs", "CreateService", "UpdateService", "DeleteService", "RunTask", "StopTask"),
                *each("ecs", "UpdateCluster", "UpdateClusterSettings", "PutClusterCapacityProviders", "DeleteCluster"),
                *each("ecs", "TagResource", "UntagResource"),
            ],
            [
                scope.arn("ecs", f"cluster/{name}"),
                *(scope.arn("ecs", f"{kind}/{name}/*") for kind in ("service", "task")),
                scope.arn("ecs", f"task-definition/{name}-*"),
            ],
        ),
        allow(["elasticloadbalancing:*"], [scope.arn("elasticloadbalancing", each_) for each_ in _balancing(name)]),
        allow(
            each("acm", "DeleteCertificate", "AddTagsToCertificate"), scope.arn("acm", "certificate/*"), tagged(scope)
        ),
        allow(
            each("application-autoscaling", "RegisterScalableTarget", "PutScalingPolicy", "TagResource")
            + each("application-autoscaling", "DeregisterScalableTarget", "DeleteScalingPolicy", "UntagResource"),
            scope.arn("application-autoscaling", "scalable-target/*"),
            to_be_scaled(),
        ),
        allow(
            each("scheduler", "CreateSchedule", "UpdateSchedule", "DeleteSchedule", "CreateScheduleGroup")
            + each("scheduler", "DeleteScheduleGroup", "TagResource", "UntagResource"),
            [scope.arn("scheduler", f"schedule/{name}/*"), scope.arn("scheduler", f"schedule-group/{name}")],
        ),
        allow(
            each("wafv2", "CreateWebACL", "UpdateWebACL", "DeleteWebACL", "AssociateWebACL", "DisassociateWebACL")
            + each("wafv2", "PutLoggingConfiguration", "DeleteLoggingConfiguration", "TagResource", "UntagResource"),
            [
                scope.arn("wafv2", f"regional/webacl/{name}-*"),
                scope.arn("wafv2", "regional/managedruleset/*"),
                scope.arn("elasticloadbalancing", f"loadbalancer/app/{name}-*"),
            ],
        ),
        allow(
            each("cloudwatch", "PutMetricAlarm", "PutCompositeAlarm", "DeleteAlarms", "TagResource", "UntagResource")
            + each("cloudwatch", "PutDashboard", "DeleteDashboards"),
            [
                scope.arn("cloudwatch", f"alarm:{name}-*"),
                f"arn:aws:cloudwatch::{scope.account_id}:dashboard/{name}-*",
            ],
        ),
        allow(
            each(
                "sns", "CreateTopic", "DeleteTopic", "SetTopicAttributes", "Subscribe", "TagResource", "UntagResource"
            ),
            scope.arn("sns", f"{name}-*"),
        ),
        allow(
            each("sqs", "CreateQueue", "DeleteQueue", "SetQueueAttributes", "TagQueue", "UntagQueue"),
            scope.arn("sqs", f"{name}-*"),
        ),
        # A subscription's ARN begins with its topic's.
        allow(each("sns", "Unsubscribe", "SetSubscriptionAttributes"), scope.arn("sns", f"{name}-*")),
    ]
    return document(*statements, *_records(hosted_zone_id))


def to_be_scaled() -> Condition:
    """Application Auto Scaling names its targets by ids of its own: services of ECS, and nothing else."""
    return {"StringEqualsIfExists": {"application-autoscaling:service-namespace": "ecs"}}


def _balancing(name: str) -> list[str]:
    return [
        f"loadbalancer/app/{name}-*",
        f"targetgroup/{name}-*",
        f"listener/app/{name}-*",
        f"listener-rule/app/{name}-*",
    ]


def _records(hosted_zone_id: str) -> list[Statement]:
    if not hosted_zone_id:
        return []
    zone = f"arn:aws:route53:::hostedzone/{hosted_zone_id}"
    return [allow(["route53:ChangeResourceRecordSets"], zone)]


def data_policy(scope: Scope) -> Document:
    """Database, secrets, release memory, buckets and logs, made and changed; of these, nothing that deletes."""
    name, secret = scope.name, scope.arn("secretsmanager", f"secret:{scope.project}/{scope.stack}/*")
    groups = [
        f"/{scope.project}/{scope.stack}/*",
        f"/aws/rds/instance/{name}-*",
        f"aws-waf-logs-{name}*",
        f"{name}-flow-logs-*",
    ]
    return document(
        allow(
            each("rds", "CreateDBInstance", "ModifyDBInstance", "CreateDBSubnetGroup", "ModifyDBSubnetGroup")
            + each("rds", "CreateDBParameterGroup", "ModifyDBParameterGroup", "ResetDBParameterGroup")
            + each("rds", "DeleteDBSubnetGroup", "DeleteDBParameterGroup", "RebootDBInstance")
            + each("rds", "AddTagsToResource", "RemoveTagsFromResource"),
            [scope.arn("rds", f"{kind}:{name}-*") for kind in ("db", "subgrp", "pg")],
        ),
        # RDS makes the master's secret with the permissions of whoever makes the database, and reads it to nobody.
        allow(
            each("secretsmanager", "CreateSecret", "TagResource", "RotateSecret"),
            scope.arn("secretsmanager", "secret:rds!db-*"),
        ),
        allow(["kms:DescribeKey"], scope.arn("kms", "key/*")),
        allow(
            each("secretsmanager", "CreateSecret", "UpdateSecret", "PutSecretValue", "TagResource")
            + each("secretsmanager", "UpdateSecretVersionStage", "UntagResource", "RestoreSecret"),
            secret,
        ),
        # GetRandomPassword knows no resources.
        allow(["secretsmanager:GetRandomPassword"], "*"),
        allow(
            each("dynamodb", "CreateTable", "UpdateTable", "UpdateContinuousBackups", "TagResource", "UntagResource")
            + each("dynamodb", "GetItem", "PutItem"),
            scope.arn("dynamodb", f"table/{name}-*"),
        ),
        allow(
            each("s3", "CreateBucket", "PutBucketPolicy", "PutBucketPublicAccessBlock", "PutBucketVersioning")
            + each("s3", "PutEncryptionConfiguration", "PutLifecycleConfiguration", "PutBucketOwnershipControls")
            + each("s3", "PutBucketTagging", "PutBucketCORS", "TagResource", "UntagResource"),
            f"arn:aws:s3:::{name}-*",
        ),
        allow(
            each("logs", "CreateLogGroup", "PutRetentionPolicy", "TagResource", "UntagResource", "PutMetricFilter")
            + each("logs", "DeleteMetricFilter", "FilterLogEvents", "GetLogEvents"),
            [scope.arn("logs", f"log-group:{group}") for group in groups],
        ),
        # Saved queries, and how WAF's log is delivered, know no resources.
        allow(
            each("logs", "PutQueryDefinition", "DeleteQueryDefinition", "CreateLogDelivery", "UpdateLogDelivery")
            + each("logs", "GetLogDelivery", "ListLogDeliveries", "PutResourcePolicy"),
            "*",
        ),
    )


def roles_policy(scope: Scope) -> Document:
    """The stack's own roles: none without the boundary, none beyond the stack's name, and passed on to few services."""
    roles = scope.iam_arn(f"role/{scope.name}-*")
    bounded: Condition = {
        "StringEquals": {
            "iam:PermissionsBoundary": scope.iam_arn(f"policy/{boundary_name(scope.project, scope.stack)}")
        }
    }
    return document(
        # The boundary can be set and never taken away: there is no DeleteRolePermissionsBoundary here.
        allow(
            each("iam", "CreateRole", "PutRolePolicy", "DeleteRolePolicy", "PutRolePermissionsBoundary"), roles, bounded
        ),
        allow(
            each("iam", "DeleteRole", "UpdateRole", "UpdateAssumeRolePolicy", "TagRole", "UntagRole")
            + each("iam", "ListInstanceProfilesForRole"),
            roles,
        ),
        allow(["iam:PassRole"], roles, {"StringEquals": {"iam:PassedToService": list(PASSED_TO)}}),
        allow(
            ["iam:CreateServiceLinkedRole"],
            scope.iam_arn("role/aws-service-role/*"),
            {"StringEquals": {"iam:AWSServiceName": list(LINKED_SERVICES)}},
        ),
    )
