"""Every rule is broken by one property of one resource of the programs themselves, and it is that rule that says so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from infra.guardrails.catalogue import RULES
from tests.guarded import DROP, STACKS, Stack, changed, stack

TASK = "aws:ecs/taskDefinition:TaskDefinition"
DATABASE, TABLE, SECRET = "aws:rds/instance:Instance", "aws:dynamodb/table:Table", "aws:secretsmanager/secret:Secret"
REPOSITORY, KEY, QUEUE, BUCKET = (
    "aws:ecr/repository:Repository",
    "aws:kms/key:Key",
    "aws:sqs/queue:Queue",
    "aws:s3/bucket:Bucket",
)
BLOCK, VERSIONING = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "aws:s3/bucketVersioning:BucketVersioning"
ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
BUCKET_POLICY, PARAMETERS = "aws:s3/bucketPolicy:BucketPolicy", "aws:rds/parameterGroup:ParameterGroup"
BALANCER, LISTENER, SERVICE = "aws:lb/loadBalancer:LoadBalancer", "aws:lb/listener:Listener", "aws:ecs/service:Service"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
GROUP, SUBNET, VPC = "aws:ec2/securityGroup:SecurityGroup", "aws:ec2/subnet:Subnet", "aws:ec2/vpc:Vpc"
ROLE, ROLE_POLICY, LOG_GROUP = "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy", "aws:cloudwatch/logGroup:LogGroup"
ALARM, DEFAULT_GROUP = "aws:cloudwatch/metricAlarm:MetricAlarm", "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
TOPIC_POLICY, LOG_POLICY = "aws:sns/topicPolicy:TopicPolicy", "aws:cloudwatch/logResourcePolicy:LogResourcePolicy"
SLACK = "aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration"
TEAMS = "aws:chatbot/teamsChannelConfiguration:TeamsChannelConfiguration"
FUNCTION, PERMISSION = "aws:lambda/function:Function", "aws:lambda/permission:Permission"
EVENT_TARGET, WATCH = "aws:cloudwatch/eventTarget:EventTarget", "pactum-prod-watch"
AWS_POLICY = "arn:aws:iam::aws:policy"
WEB, MASTER = "pactum-prod-web", "pactum-prod-database"
CONTAINER, ENVIRONMENT = "containerDefinitions.0", "containerDefinitions.0.environment"
STATEMENT, TRUST = "policy.Statement.0", "assumeRolePolicy.Statement.0.Condition"
GITHUB = "token.actions.githubusercontent.com"
DOOR = {"protocol": "tcp", "fromPort": 22, "toPort": 22, "cidrBlocks": ["10.0.0.0/8"]}


def added(*items: object) -> Any:
    return lambda before: [*(before or []), *items]


def variable(name: str, value: str) -> Any:
    return added({"name": name, "value": value})


def asking(**claims: object) -> Any:
    """A trust's condition on tokens of GitHub, asking for other claims."""

    def changed_(condition: dict[str, dict[str, object]]) -> dict[str, dict[str, object]]:
        asked = {**condition["StringEquals"], **{f"{GITHUB}:{claim}": wanted for claim, wanted in claims.items()}}
        return {"StringEquals": {claim: wanted for claim, wanted in asked.items() if wanted is not DROP}}

    return changed_


@dataclass(frozen=True)
class Mutation:
    """One property of one resource, changed for the worse."""

    rule: str
    type: str
    name: str
    path: str
    value: Any
    stack: str = "prod"

    def __str__(self) -> str:
        return f"{self.rule} {self.name} {self.path}"

    def apply(self) -> Stack:
        before = stack(self.stack)
        return before.with_changed(changed(before.named(self.type, self.name), self.path, self.value))


MUTATIONS = (
    Mutation("G01", TASK, WEB, ENVIRONMENT, variable("API_TOKEN", "abc")),
    Mutation("G01", TASK, "pactum-prod-mail", ENVIRONMENT, variable("CACHE", "redis://user:word@cache/0")),
    Mutation("G01", TASK, "pactum-staging-web", ENVIRONMENT, variable("SMTP_PASSWORD", "abc"), "staging"),
    Mutation("G02", TASK, WEB, f"{CONTAINER}.image", "123456789012.dkr.ecr.us-east-1.amazonaws.com/pactum:latest"),
    Mutation("G03", TASK, WEB, f"{CONTAINER}.readonlyRootFilesystem", False),
    Mutation("G03", TASK, WEB, f"{CONTAINER}.user", DROP),
    Mutation("G03", TASK, WEB, f"{CONTAINER}.user", "0:10001"),
    Mutation("G03", TASK, WEB, f"{CONTAINER}.privileged", True),
    Mutation("G03", TASK, WEB, "pidMode", "host"),
    Mutation("G04", REPOSITORY, "pactum", "imageTagMutability", "MUTABLE", "account"),
    Mutation("G04", REPOSITORY, "pactum", "imageScanningConfiguration.scanOnPush", False, "account"),
    Mutation("G05", DATABASE, MASTER, "publiclyAccessible", True),
    Mutation("G05", DATABASE, MASTER, "publiclyAccessible", DROP),
    Mutation("G07", DATABASE, "pactum-staging-database", "storageEncrypted", False, "staging"),
    Mutation("G07", REPOSITORY, "pactum", "encryptionConfigurations", DROP, "account"),
    Mutation("G07", QUEUE, "pactum-prod-jobs-not-started", "sqsManagedSseEnabled", False),
    Mutation("G07", KEY, "pactum-state", "enableKeyRotation", DROP, "account"),
    Mutation("G08", ENCRYPTION, "pactum-prod-media", "rules", []),
    Mutation("G09", BLOCK, "pactum-prod-media", "blockPublicAcls", False),
    Mutation("G09", BLOCK, "pactum-prod-media", "blockPublicPolicy", DROP),
    Mutation("G09", BLOCK, "pactum-prod-media", "ignorePublicAcls", False),
    Mutation("G09", BLOCK, "pactum-prod-media", "restrictPublicBuckets", False),
    Mutation("G10", VERSIONING, "pactum-prod-media", "versioningConfiguration.status", "Suspended"),
    Mutation("G11", BUCKET_POLICY, "pactum-prod-media", f"{STATEMENT}.Effect", "Allow"),
    Mutation("G11", BUCKET_POLICY, "pactum-prod-media", f"{STATEMENT}.Action", "s3:GetObject"),
    Mutation("G11", BUCKET_POLICY, "pactum-prod-media", f"{STATEMENT}.Condition", DROP),
    Mutation("G11", BUCKET_POLICY, "pactum-prod-media", f"{STATEMENT}.Principal", {"AWS": "123456789012"}),
    Mutation("G12", PARAMETERS, MASTER, "parameters.0.value", "0"),
    Mutation("G12", PARAMETERS, MASTER, "parameters", []),
    Mutation("G13", DATABASE, MASTER, "deletionProtection", False),
    Mutation("G13", TABLE, "pactum-prod-releases", "deletionProtectionEnabled", DROP),
    Mutation("G13", BALANCER, WEB, "enableDeletionProtection", False),
    Mutation("G14", DATABASE, MASTER, "multiAz", False),
    Mutation("G14", DATABASE, MASTER, "backupRetentionPeriod", 6),
    Mutation("G14", DATABASE, "pactum-staging-database", "backupRetentionPeriod", 0, "staging"),
    Mutation("G14", DATABASE, "pactum-staging-database", "backupRetentionPeriod", DROP, "staging"),
    Mutation("G15", DATABASE, MASTER, "skipFinalSnapshot", True),
    Mutation("G15", TABLE, "pactum-staging-releases", "pointInTimeRecovery.enabled", False, "staging"),
    Mutation("G15", REPOSITORY, "pactum", "forceDelete", True, "account"),
    Mutation("G15", BUCKET, "pactum-prod-media", "forceDestroy", True),
    Mutation("G15", SECRET, "pactum-prod-secret-key", "recoveryWindowInDays", 0),
    Mutation("G15", KEY, "pactum-state", "deletionWindowInDays", 7, "account"),
    Mutation("G16", DATABASE, MASTER, "instanceClass", "db.r7g.4xlarge"),
    Mutation("G16", DATABASE, "pactum-staging-database", "instanceClass", "db.m7g.xlarge", "staging"),
    Mutation("G16", DATABASE, MASTER, "instanceClass", "db.x2g.large"),
    Mutation("G16", TASK, WEB, "cpu", "8192"),
    Mutation("G16", TASK, "pactum-staging-web", "cpu", "2048", "staging"),
    Mutation("G17", DATABASE, MASTER, "autoMinorVersionUpgrade", False),
    Mutation("G17", DATABASE, MASTER, "copyTagsToSnapshot", DROP),
    Mutation("G17", DATABASE, MASTER, "enabledCloudwatchLogsExports", []),
    Mutation("G17", DATABASE, MASTER, "manageMasterUserPassword", DROP),
    Mutation("G17", DATABASE, MASTER, "password", "abc"),
    Mutation("G17", DATABASE, MASTER, "performanceInsightsEnabled", False),
    Mutation("G18", INGRESS, "pactum-prod-internet-to-balancer-443", "fromPort", 22),
    Mutation("G18", INGRESS, "pactum-prod-internet-to-balancer-80", "ipProtocol", "-1"),
    Mutation("G18", INGRESS, "pactum-prod-balancer-to-tasks-in", "cidrIpv6", "::/0"),
    Mutation("G18", EGRESS, "pactum-prod-tasks-to-aws", "ipProtocol", "-1"),
    Mutation("G18", EGRESS, "pactum-prod-tasks-to-aws", "toPort", 65535),
    Mutation("G19", GROUP, "pactum-prod-tasks", "ingress", [DOOR]),
    Mutation("G19", GROUP, "pactum-prod-database", "egress", [DOOR]),
    Mutation("G20", SUBNET, "pactum-prod-public-a", "mapPublicIpOnLaunch", True),
    Mutation("G20", SERVICE, WEB, "networkConfiguration.assignPublicIp", True),
    Mutation("G21", LISTENER, "pactum-prod-https", "sslPolicy", "ELBSecurityPolicy-2016-08"),
    Mutation("G21", LISTENER, "pactum-prod-https", "sslPolicy", DROP),
    Mutation("G22", LISTENER, "pactum-prod-http", "defaultActions.0", {"type": "forward", "targetGroupArn": "arn"}),
    Mutation("G22", LISTENER, "pactum-prod-http", "defaultActions.0.redirect.protocol", "HTTP"),
    Mutation("G23", BALANCER, WEB, "dropInvalidHeaderFields", DROP),
    Mutation("G23", BALANCER, WEB, "desyncMitigationMode", "monitor"),
    Mutation("G25", ROLE_POLICY, "pactum-prod-web-execution", "policy.Statement.1.Action", "*"),
    Mutation("G25", ROLE_POLICY, "pactum-prod-web-execution", f"{STATEMENT}.Action", "ecr:*"),
    Mutation("G25", ROLE_POLICY, "pactum-prod-web-execution", f"{STATEMENT}.NotAction", "iam:*"),
    Mutation("G25", ROLE_POLICY, "pactum-prod-web-execution", f"{STATEMENT}.NotResource", "arn"),
    Mutation("G25", ROLE, "pactum-prod-web-task", "managedPolicyArns", ["arn:aws:iam::aws:policy/AdministratorAccess"]),
    Mutation(
        "G25",
        ROLE,
        "pactum-prod-web-task",
        "inlinePolicies",
        [{"name": "all", "policy": '{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}'}],
    ),
    Mutation("G26", ROLE, "pactum-prod-web-task", "assumeRolePolicy.Statement.0.Principal", "*"),
    Mutation("G26", ROLE, "pactum-prod-web-task", "assumeRolePolicy.Statement.0.Principal", {"AWS": ["*"]}),
    Mutation("G26", ROLE, "pactum-ci-push", TRUST, asking(aud=DROP), "account"),
    Mutation("G26", ROLE, "pactum-ci-push", TRUST, asking(sub=DROP), "account"),
    Mutation("G26", ROLE, "pactum-ci-push", TRUST, asking(sub=["*"]), "account"),
    Mutation("G27", LOG_GROUP, "pactum-staging-web", "retentionInDays", DROP, "staging"),
    Mutation("G27", LOG_GROUP, WEB, "retentionInDays", 30),
    Mutation("G28", ALARM, "pactum-prod-target-errors", "alarmActions", []),
    Mutation("G28", ALARM, "pactum-prod-release-errors", "actionsEnabled", False),
    Mutation("G29", BALANCER, WEB, "tags", {"stack": "staging"}),
    Mutation("G29", SECRET, "pactum-prod-secret-key", "tags.project", "another"),
    Mutation("G30", DEFAULT_GROUP, "pactum-prod-default", "ingress", [DOOR]),
    Mutation("G30", DEFAULT_GROUP, "pactum-prod-default", "egress", [DOOR]),
    Mutation("G34", TOPIC_POLICY, "pactum-prod-pages", f"{STATEMENT}.Principal", "*"),
    Mutation("G34", TOPIC_POLICY, "pactum-prod-tickets", f"{STATEMENT}.Condition", DROP),
    Mutation("G34", LOG_POLICY, "pactum-prod-events", "policyDocument.Statement.1.Condition", DROP),
    Mutation("G34", LOG_POLICY, "pactum-prod-events", "policyDocument.Statement.1.Resource", "*"),
    Mutation("G35", SLACK, "pactum-prod-slack", "guardrailPolicyArns", DROP),
    Mutation("G35", TEAMS, "pactum-prod-teams", "guardrailPolicyArns.0", f"{AWS_POLICY}/AdministratorAccess"),
    Mutation("G36", FUNCTION, WATCH, "runtime", "python3.8"),
    Mutation("G36", FUNCTION, WATCH, "packageType", "Image"),
    Mutation("G36", FUNCTION, WATCH, "loggingConfig", DROP),
    Mutation("G36", FUNCTION, WATCH, "loggingConfig.logGroup", DROP),
    Mutation("G36", FUNCTION, WATCH, "environment.variables.API_TOKEN", "abc"),
    Mutation("G37", PERMISSION, f"{WATCH}-minutes", "sourceArn", DROP),
    Mutation("G37", PERMISSION, f"{WATCH}-minutes", "sourceArn", "arn:aws:events:us-east-1:123456789012:rule/*"),
    Mutation("G37", PERMISSION, f"{WATCH}-jobs", "principal", "*"),
    Mutation("G37", PERMISSION, f"{WATCH}-jobs", "principal", "210987654321"),
    Mutation("G37", PERMISSION, f"{WATCH}-jobs", "action", "lambda:*"),
    Mutation("G37", PERMISSION, f"{WATCH}-jobs", "functionUrlAuthType", "NONE"),
    Mutation("G38", EVENT_TARGET, f"{WATCH}-jobs", "roleArn", "arn:aws:iam::123456789012:role/pactum-prod-scheduler"),
)
# Rules about a connection are broken by what a property was made with: rule, resource, property, its new maker.
ROUTE, FLOW_LOG = "aws:ec2/route:Route", "aws:ec2/flowLog:FlowLog"
CONNECTIONS = (
    (
        "G06",
        ROUTE,
        "pactum-prod-private-a-nat",
        "routeTableId",
        "aws:ec2/routeTable:RouteTable",
        "pactum-prod-isolated",
    ),
    ("G08", ENCRYPTION, "pactum-prod-media", "bucket", BUCKET, "pactum-prod-access-logs"),
    ("G19", INGRESS, "pactum-prod-tasks-to-database-in", "referencedSecurityGroupId", GROUP, "pactum-prod-balancer"),
    ("G19", INGRESS, "pactum-prod-internet-to-balancer-443", "securityGroupId", GROUP, "pactum-prod-tasks"),
    ("G19", EGRESS, "pactum-prod-tasks-to-aws", "securityGroupId", GROUP, "pactum-prod-database"),
    ("G24", FLOW_LOG, "pactum-prod-flow-logs", "vpcId", SUBNET, "pactum-prod-public-a"),
    ("G28", SERVICE, WEB, "alarms", ALARM, "pactum-prod-target-errors"),
    ("G30", DEFAULT_GROUP, "pactum-prod-default", "vpcId", SUBNET, "pactum-prod-public-a"),
)


@pytest.mark.parametrize("name", STACKS)
def test_the_programs_keep_all_rules(name: str) -> None:
    assert [str(violation) for violation in stack(name).violations()] == []


@pytest.mark.parametrize("mutation", MUTATIONS, ids=str)
def test_a_property_breaks_its_rule_and_no_other(mutation: Mutation) -> None:
    (violation,) = mutation.apply().violations()
    assert violation.rule.id == mutation.rule
    assert violation.rule.remedy in str(violation)


@pytest.mark.parametrize(("rule", "type_", "name", "property_", "other_type", "other"), CONNECTIONS)
def test_a_connection_breaks_its_rule_and_no_other(
    rule: str, type_: str, name: str, property_: str, other_type: str, other: str
) -> None:
    before = stack("prod")
    resource = before.named(type_, name)
    refers_to = {**resource.refers_to, property_: frozenset({before.named(other_type, other).urn})}
    after = before.with_changed(replace(resource, refers_to=refers_to))
    assert {violation.rule.id for violation in after.violations()} == {rule}


def test_a_database_that_pulumi_would_delete_is_not_protected() -> None:
    before = stack("prod")
    unprotected = replace(before.named(DATABASE, MASTER), protect=False)
    assert [violation.rule.id for violation in before.with_changed(unprotected).violations()] == ["G13"]


def test_every_rule_is_broken_by_a_mutation() -> None:
    # These three are about what the programs do not have: tests/test_guardrails_dodges*.py.
    broken = {mutation.rule for mutation in MUTATIONS} | {rule for rule, *_ in CONNECTIONS} | {"G31", "G32", "G33"}
    assert sorted(rule.id for rule in RULES) == sorted(broken), "a rule that nothing breaks may check nothing"
