"""The same mistakes, written in other ways: program and policy pack refuse each of them."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from infra.guardrails.catalogue import RULES
from infra.guardrails.program import Guarded, GuardrailError
from infra.guardrails.resource import Resource
from infra.guardrails.types import KNOWN, canonical
from tests.guarded import STACKS, Stack, stack
from tests.test_guardrails_mutations import (
    BALANCER,
    DATABASE,
    PARAMETERS,
    ROLE,
    SUBNET,
    TASK,
)
from tests.test_guardrails_policies import told
from tests.test_guardrails_program import FACTS, request
from tests.test_guardrails_rules import broken

GITHUB = "token.actions.githubusercontent.com"
AUD = {f"{GITHUB}:aud": "sts.amazonaws.com"}
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
POLICY = "aws:iam/policy:Policy"
ADMINISTRATOR = {"policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}


def allows(action: object, resource: object = "*") -> dict[str, Any]:
    return {"policy": {"Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]}}


def trusts(condition: object, principal: object = None) -> dict[str, Any]:
    provider = {"Federated": f"arn:aws:iam::123456789012:oidc-provider/{GITHUB}"}
    statement = {"Effect": "Allow", "Principal": principal or provider, "Condition": condition}
    return {"assumeRolePolicy": json.dumps({"Statement": statement})}


def subject(value: object, operator: str = "StringLike", **further: dict[str, str]) -> dict[str, Any]:
    asked: dict[str, dict[str, Any]] = {operator: {f"{GITHUB}:sub": value}, **further}
    return trusts({**asked, "StringEquals": {**AUD, **asked.get("StringEquals", {})}})


def container(**changes: object) -> dict[str, Any]:
    kept = {"name": "web", "user": "1", "readonlyRootFilesystem": True, "image": f"a@sha256:{'0' * 64}"}
    return {"containerDefinitions": json.dumps([{**kept, **changes}])}


def door(cidr: str, **changes: object) -> dict[str, Any]:
    return {"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIpv4": cidr, **changes}


TOPIC_POLICY = "aws:sns/topicPolicy:TopicPolicy"
LOG_POLICY = "aws:cloudwatch/logResourcePolicy:LogResourcePolicy"
CHANNEL = "aws:chatbot/teamsChannelConfiguration:TeamsChannelConfiguration"
ALARMS = {"Service": "cloudwatch.amazonaws.com"}


def publishes(**changes: object) -> dict[str, Any]:
    """A topic's policy that lets our alarms publish, changed for the worse."""
    kept: dict[str, object] = {
        "Effect": "Allow",
        "Principal": ALARMS,
        "Action": "sns:Publish",
        "Resource": "arn:aws:sns:us-east-1:123456789012:pages",
        "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}},
    }
    statement = {key: value for key, value in {**kept, **changes}.items() if value is not None}
    return {"policy": json.dumps({"Statement": statement})}


BY_THEMSELVES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("G26", ROLE, subject("repo:*")),
    ("G26", ROLE, subject("re*")),
    ("G26", ROLE, subject("repo:example/*")),
    ("G26", ROLE, subject("repo:example/pact?m:ref:refs/heads/main")),
    ("G26", ROLE, subject(["repo:example/pactum:pull_request", "repo:*:pull_request"])),
    ("G26", ROLE, subject("project_path:example/*:ref_type:branch:ref:main")),
    ("G26", ROLE, subject("https://jenkins.example.com/job/*")),
    ("G26", ROLE, subject("environment:prod", "StringEquals")),
    ("G26", ROLE, subject("", "StringEquals")),
    ("G26", ROLE, subject("example*", "StringLike")),
    ("G26", ROLE, subject("repo:example/pactum:pull_request", "StringNotLike")),
    ("G26", ROLE, subject("repo:example/pactum:pull_request", "StringEqualsIfExists")),
    ("G26", ROLE, subject("repo:*", "StringEquals", StringLike={f"{GITHUB}:sub": "repo:example/pactum:pull_request"})),
    ("G26", ROLE, trusts({"StringLike": {f"{GITHUB}:aud": "s*", f"{GITHUB}:sub": "repo:example/pactum:pull_request"}})),
    ("G26", ROLE, trusts({}, {"AWS": "arn:aws:iam::123456789012:root"})),
    ("G26", ROLE, trusts({}, {"AWS": ["123456789012"]})),
    ("G26", ROLE, {"assumeRolePolicy": {"Statement": [{"Effect": "Allow", "Principal": "*"}]}}),
    ("G25", POLICY, allows("*")),
    ("G25", POLICY, allows("iam:*", "arn:aws:iam::*")),
    ("G25", POLICY, allows("iam:*", "arn:aws:iam::123456789012:role/pactum-web")),
    ("G25", POLICY, allows("s3:*", "arn:*")),
    ("G25", POLICY, allows("s3:*", "arn:aws:s3:::*/*")),
    ("G25", POLICY, allows("dynamodb:*", "arn:aws:dynamodb:*:*:table/*")),
    ("G25", POLICY, allows("logs:**", ["arn:aws:logs:*:*:*"])),
    ("G25", POLICY, allows("s?:*", "arn:aws:s3:::pactum/*")),
    ("G25", POLICY, {"policy": "{"}),
    ("G25", POLICY, {"policy": {"Statement": ["Allow"]}}),
    ("G25", POLICY, {"policy": {"Statement": {"effect": "Allow"}}}),
    ("G25", ROLE, {"inlinePolicies": [allows("*")]}),
    ("G25", ROLE, {"inlinePolicies": ["{"]}),
    ("G25", "aws:iam/userPolicyAttachment:UserPolicyAttachment", ADMINISTRATOR),
    ("G25", "aws:iam/groupPolicyAttachment:GroupPolicyAttachment", ADMINISTRATOR),
    ("G25", "aws:iam/policyAttachment:PolicyAttachment", ADMINISTRATOR),
    ("G01", TASK, container(environment=[{"name": "API_TOKEN"}])),
    ("G01", TASK, {"containerDefinitions": "{"}),
    ("G02", TASK, {"containerDefinitions": '["web"]'}),
    ("G03", TASK, {"containerDefinitions": [{"name": "web", "user": "0"}]}),
    ("G03", TASK, {"containerDefinitions": [{}]}),
    ("G12", PARAMETERS, {"family": "postgres17"}),
    ("G12", DATABASE, {}),
    ("G13", "aws:alb/loadBalancer:LoadBalancer", {}),
    ("G15", "aws:s3/bucketV2:BucketV2", {"forceDestroy": True}),
    ("G18", INGRESS, door("128.0.0.0/1")),
    ("G18", INGRESS, door("203.0.113.7/32")),
    ("G18", INGRESS, door("10.0.0.0/7")),
    ("G18", INGRESS, door("everywhere")),
    ("G18", INGRESS, {**door(""), "cidrIpv4": None, "cidrIpv6": "2000::/3"}),
    ("G18", INGRESS, {**door(""), "cidrIpv4": None, "prefixListId": "pl-1"}),
    ("G21", "aws:alb/listener:Listener", {"protocol": "HTTPS", "sslPolicy": "ELBSecurityPolicy-2016-08"}),
    ("G22", "aws:elasticloadbalancingv2/listener:Listener", {"protocol": "HTTP", "defaultActions": [{}]}),
    ("G34", TOPIC_POLICY, publishes(Principal="*")),
    ("G34", TOPIC_POLICY, publishes(Principal={"AWS": "*"})),
    ("G34", TOPIC_POLICY, publishes(Principal={**ALARMS, "AWS": "123456789012"})),
    ("G34", TOPIC_POLICY, publishes(Principal=None, NotPrincipal={"AWS": "123456789012"})),
    ("G34", TOPIC_POLICY, publishes(Action="sns:*")),
    ("G34", TOPIC_POLICY, publishes(Action=None, NotAction="sns:Publish")),
    ("G34", TOPIC_POLICY, publishes(Resource="*")),
    ("G34", TOPIC_POLICY, publishes(Condition={})),
    ("G34", TOPIC_POLICY, publishes(Condition={"StringLike": {"AWS:SourceAccount": "*"}})),
    ("G34", TOPIC_POLICY, publishes(Condition={"ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:*:*:alarm:*"}})),
    ("G34", TOPIC_POLICY, publishes(Condition={"StringNotEquals": {"aws:SourceAccount": "123456789012"}})),
    ("G34", TOPIC_POLICY, publishes(Condition={"StringEquals": {"aws:SourceAccount": ["123456789012", "*"]}})),
    ("G34", TOPIC_POLICY, {"policy": "{"}),
    ("G34", LOG_POLICY, {"policyDocument": publishes(Action="logs:PutLogEvents", Condition={})["policy"]}),
    ("G35", CHANNEL, {}),
    ("G35", CHANNEL, {"guardrailPolicyArns": []}),
    ("G35", CHANNEL, {"guardrailPolicyArns": ["arn:aws:iam::aws:policy/PowerUserAccess"]}),
    ("G36", "aws:lambda/function:Function", {"runtime": "python3.13", "loggingConfig": {"logFormat": "JSON"}}),
    ("G36", "aws:lambda/function:Function", {"loggingConfig": {"logGroup": "/a"}, "imageUri": "a:latest"}),
    (
        "G37",
        "aws:lambda/permission:Permission",
        {"action": "lambda:InvokeFunction", "principal": "events.amazonaws.com"},
    ),
    ("G31", "aws:lambda/functionUrl:FunctionUrl", {"authorizationType": "NONE"}),
    ("G31", "aws:lambda/layerVersionPermission:LayerVersionPermission", {"principal": "*"}),
    ("G31", "aws:rds/clusterInstance:ClusterInstance", {"publiclyAccessible": True}),
    ("G31", "aws:rds/cluster:Cluster", {}),
    ("G31", "aws:ec2/mainRouteTableAssociation:MainRouteTableAssociation", {}),
    ("G31", "aws:ec2/defaultRouteTable:DefaultRouteTable", {}),
    ("G31", "aws:ec2/instance:Instance", {}),
    ("G31", "aws:iam/accessKey:AccessKey", {}),
    ("G31", "aws:iam/rolePoliciesExclusive:RolePoliciesExclusive", {}),
    ("G31", "aws:s3/bucketAclV2:BucketAclV2", {}),
    ("G31", "aws:sqs/queuePolicy:QueuePolicy", {}),
    ("G31", "aws:cloudwatch/eventPermission:EventPermission", {}),
    ("G31", "aws:elasticache/cluster:Cluster", {}),
    ("G31", "aws-native:s3:Bucket", {}),
)


@pytest.mark.parametrize(("rule", "type_", "properties"), BY_THEMSELVES)
def test_a_dodge_is_refused_by_program_and_pack(rule: str, type_: str, properties: dict[str, Any]) -> None:
    facts = replace(FACTS, stack="prod", production=True, default_tags=dict(stack("prod").facts.default_tags))
    guarded = Guarded(SimpleNamespace(RegisterResource=pytest.fail), facts, collect=False)
    with pytest.raises(GuardrailError, match=rf"\({rule}, "):
        guarded.RegisterResource(request(type_, "it", properties))
    urn = f"urn:pulumi:prod::pactum::{type_}::it"
    lone = Stack((Resource(type=type_, name="it", properties=properties, urn=urn),), facts)
    assert (rule, urn) in told(lone)


@pytest.mark.parametrize(
    "value", ["repo:example/pactum:*", "repo:example@1/pactum@2:environment:prod", "project_path:a/b/c:ref_type:*"]
)
def test_a_subject_that_names_its_owner_may_end_in_a_wildcard(value: str) -> None:
    assert broken(ROLE, subject(value)) == []


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"Condition": {"ArnEquals": {"aws:SourceArn": ["arn:aws:events:us-east-1:123456789012:rule/a"]}}},
        {"Action": "logs:CreateLogStream", "Condition": {}},
        {"Effect": "Deny", "Principal": "*", "Action": "sns:*", "Resource": "*", "Condition": {}},
    ],
)
def test_a_policy_that_lets_in_our_own_is_fine(changes: dict[str, object]) -> None:
    assert broken(TOPIC_POLICY, publishes(**changes)) == []


def test_a_provider_of_its_own_and_a_component_made_elsewhere_are_refused() -> None:
    topic, component = request("aws:sns/topic:Topic", "it", {}), request("awsx:ec2:Vpc", "it", {})
    topic.provider, component.remote = "urn:pulumi:staging::pactum::pulumi:providers:aws::other::id", True
    for asked, rule in ((topic, "G29"), (component, "G33")):
        guarded = Guarded(SimpleNamespace(RegisterResource=pytest.fail), FACTS, collect=False)
        with pytest.raises(GuardrailError, match=rf"\({rule}, "):
            guarded.RegisterResource(asked)


def test_older_names_are_the_same_types() -> None:
    for name in ("alb", "applicationloadbalancing", "elasticloadbalancingv2"):
        assert canonical(f"aws:{name}/loadBalancer:LoadBalancer") == BALANCER
    assert canonical("aws:s3/bucketVersioningV2:BucketVersioningV2") == "aws:s3/bucketVersioning:BucketVersioning"
    assert canonical(SUBNET) == SUBNET
    assert {canonical(known) for known in KNOWN} == KNOWN


def test_what_a_rule_looks_at_and_what_stacks_have_is_known() -> None:
    looked_at = {type_ for rule in RULES for type_ in getattr(rule, "types", ())}
    assert looked_at <= KNOWN


@pytest.mark.parametrize("name", STACKS)
def test_a_stack_of_ours_keeps_to_known_types(name: str) -> None:
    assert [str(each) for each in stack(name).violations() if each.rule.id == "G31"] == []
