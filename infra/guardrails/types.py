"""What a resource's type means: one name for each, and whether any rule knows it."""

import re
from collections.abc import Iterator

from infra.guardrails.resource import Facts, Resource
from infra.guardrails.rule import ResourceRule

# Older names that Pulumi's AWS provider still takes, and makes the same resource of.
OLD_MODULES = {
    "aws:alb/": "aws:lb/",
    "aws:applicationloadbalancing/": "aws:lb/",
    "aws:elasticloadbalancingv2/": "aws:lb/",
    "aws:elasticloadbalancing/": "aws:elb/",
}
OLD_BUCKET = re.compile(r"aws:s3/(bucket\w*)V2:(Bucket\w*)V2")


def canonical(type_: str) -> str:
    """The one name that the rules have for a type."""
    for old, new in OLD_MODULES.items():
        if type_.startswith(old):
            return new + type_.removeprefix(old)
    return OLD_BUCKET.sub(r"aws:s3/\1:\2", type_)


# Modules whose types hold no data, open no ports, run no code and grant no rights.
HARMLESS = frozenset({"acm", "appautoscaling", "budgets", "costexplorer", "resourcegroups", "route53", "wafv2"})
KNOWN = frozenset(
    f"aws:{module}/{name[0].lower()}{name[1:]}:{name}"
    for module, names in {
        "chatbot": "SlackChannelConfiguration TeamsChannelConfiguration",
        "cloudwatch": "CompositeAlarm Dashboard EventRule EventTarget LogGroup LogMetricFilter LogResourcePolicy"
        " MetricAlarm QueryDefinition",
        "dynamodb": "Table",
        "ec2": "DefaultSecurityGroup Eip FlowLog InternetGateway NatGateway Route RouteTable RouteTableAssociation"
        " SecurityGroup SecurityGroupRule Subnet Vpc VpcEndpoint",
        "ecr": "LifecyclePolicy Repository",
        "ecs": "Cluster Service TaskDefinition",
        "iam": "GroupPolicy GroupPolicyAttachment OpenIdConnectProvider Policy PolicyAttachment Role RolePolicy"
        " RolePolicyAttachment UserPolicy UserPolicyAttachment",
        "kms": "Alias Key",
        "lambda": "Function FunctionEventInvokeConfig Permission",
        "lb": "Listener ListenerRule LoadBalancer TargetGroup",
        "rds": "Instance ParameterGroup SubnetGroup",
        "s3": "Bucket BucketLifecycleConfiguration BucketOwnershipControls BucketPolicy BucketPublicAccessBlock"
        " BucketServerSideEncryptionConfiguration BucketVersioning",
        "scheduler": "Schedule ScheduleGroup",
        "secretsmanager": "Secret",
        "sns": "Topic TopicPolicy TopicSubscription",
        "sqs": "Queue",
        "vpc": "SecurityGroupEgressRule SecurityGroupIngressRule",
    }.items()
    for name in names.split()
)


def _unknown(resource: Resource, _: Facts) -> Iterator[str]:
    package, module = [*resource.type.partition("/")[0].split(":"), ""][:2]
    if package not in ("aws", "aws-native") or (package == "aws" and module in HARMLESS):
        return
    if resource.type not in KNOWN:
        yield "no rule knows this type, and it may hold data, open ports, run code or grant rights"


def _made_elsewhere(resource: Resource, _: Facts) -> Iterator[str]:
    if resource.remote:
        yield "another program makes what is in it, and no rule sees that"


RULES = (
    ResourceRule(
        id="G31",
        title="types that the rules know",
        reason="The rules look at types by name: beside them another type does the same, and nothing looks at it.",
        remedy="Write the rules it must keep, and add it to KNOWN of infra/guardrails/types.py in the same commit.",
        types=frozenset(),
        check=_unknown,
    ),
    ResourceRule(
        id="G33",
        title="components are made here",
        reason="A component of a plugin registers its resources by itself, past the program and so past its rules.",
        remedy="Write the component in this program, or make its resources one by one.",
        types=frozenset(),
        check=_made_elsewhere,
    ),
)
