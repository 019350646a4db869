"""What the rules say where the programs give no occasion, and what is written about them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from infra.guardrails.catalogue import RULES, of_resource
from infra.guardrails.resource import UNKNOWN, Resource, StackFacts
from tests.guarded import STACKS, stack
from tests.recorder import ROOT

TAGS = {"project": "pactum", "stack": "staging"}
FACTS = StackFacts(project="pactum", stack="staging", production=False, default_tags=TAGS)
PRODUCTION = StackFacts(project="pactum", stack="staging", production=True, default_tags=TAGS)
DOCUMENT = (ROOT / "docs" / "guardrails.md").read_text()
CHECKOV = re.compile(r"CKV2?_AWS_\d+")
GROUP, OLD_RULE = "aws:ec2/securityGroup:SecurityGroup", "aws:ec2/securityGroupRule:SecurityGroupRule"
POLICY, ATTACHMENT = "aws:iam/policy:Policy", "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
LISTENER, ROLE = "aws:lb/listener:Listener", "aws:iam/role:Role"


def broken(type_: str, properties: dict[str, Any], facts: StackFacts = FACTS) -> list[str]:
    resource = Resource(type=type_, name="it", properties=properties)
    return sorted({violation.rule.id for violation in of_resource(resource, facts)})


def door(cidr: str, port: int, **changes: object) -> dict[str, Any]:
    return {"protocol": "tcp", "fromPort": port, "toPort": port, "cidrBlocks": [cidr], **changes}


@pytest.mark.parametrize(
    ("properties", "ids"),
    [
        ({"ingress": [door("0.0.0.0/0", 22)]}, ["G18"]),
        ({"ingress": [door("10.0.0.0/8", 22), door("0.0.0.0/0", 443)]}, []),
        ({"ingress": [door("10.0.0.0/8", 22, ipv6CidrBlocks=["::/0"])]}, ["G18"]),
        ({"egress": [door("0.0.0.0/0", 0, protocol="-1")]}, ["G18"]),
        ({"egress": [door("0.0.0.0/0", 587)]}, []),
    ],
)
def test_rules_written_into_a_group_open_nothing_either(properties: dict[str, Any], ids: list[str]) -> None:
    assert broken(GROUP, properties) == ids


def test_security_group_rules_of_the_old_kind_open_nothing_either() -> None:
    assert broken(OLD_RULE, door("0.0.0.0/0", 22, type="ingress")) == ["G18"]
    assert broken(OLD_RULE, door("0.0.0.0/0", 22, type="egress", toPort=23)) == ["G18"]
    assert broken(OLD_RULE, door("0.0.0.0/0", 22, type="egress")) == []


@pytest.mark.parametrize("policy", ["AdministratorAccess", "IAMFullAccess", "PowerUserAccess"])
def test_administrators_are_not_attached(policy: str) -> None:
    assert broken(ATTACHMENT, {"policyArn": f"arn:aws:iam::aws:policy/{policy}"}) == ["G25"]
    assert broken(ATTACHMENT, {"policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}) == []


@pytest.mark.parametrize(
    ("statement", "ids"),
    [
        ('{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}', ["G25"]),
        ('{"Effect": "Allow", "Action": "logs:*", "Resource": "arn:aws:logs:::one"}', []),
        ('{"Effect": "Allow", "Action": ["a:B", "*"], "Resource": "arn:aws:logs:::one"}', ["G25"]),
        ('{"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"}', []),
        ('{"Effect": "Deny", "Action": "*", "Resource": "*"}', []),
        ('{"Effect": "Deny", "NotAction": "iam:*", "Resource": "*"}', []),
    ],
)
def test_a_policy_may_deny_everything_and_allow_it_nowhere(statement: str, ids: list[str]) -> None:
    assert broken(POLICY, {"policy": f'{{"Statement": {statement}}}'}) == ids


def test_nobody_but_somebody_is_trusted() -> None:
    assert broken(ROLE, {"assumeRolePolicy": '{"Statement": {"Effect": "Allow", "NotPrincipal": "x"}}'}) == ["G26"]
    assert broken(ROLE, {"assumeRolePolicy": '{"Statement": {"Effect": "Deny", "Principal": "*"}}'}) == []


def test_plain_http_may_answer_only_where_nobody_depends_on_it() -> None:
    plain = {"protocol": "HTTP", "defaultActions": [{"type": "forward"}]}
    assert (broken(LISTENER, plain), broken(LISTENER, plain, PRODUCTION)) == ([], ["G22"])


def test_unknown_values_break_nothing() -> None:
    for name in STACKS:
        for resource in stack(name).resources:
            unknown = {key: UNKNOWN for key in resource.properties if key != "tags"}
            blurred = Resource(type=resource.type, name=resource.name, properties=unknown, protect=True)
            assert of_resource(blurred, stack(name).facts) == [], resource.name


def test_what_cannot_be_read_breaks_the_rule_that_wants_to_read_it() -> None:
    assert broken(POLICY, {"policy": "{"}) == ["G25"]
    assert broken(POLICY, {"policy": '["Statement"]'}) == ["G25"]


def test_a_message_never_shows_a_secret() -> None:
    container = {
        "name": "web",
        "user": "1",
        "readonlyRootFilesystem": True,
        "image": f"a@sha256:{'0' * 64}",
        "environment": [{"name": "API_TOKEN", "value": "abcdef"}],
    }
    definition = json.dumps([container])
    task = Resource(
        type="aws:ecs/taskDefinition:TaskDefinition", name="it", properties={"containerDefinitions": definition}
    )
    (violation,) = of_resource(task, FACTS)
    assert "API_TOKEN" in str(violation)
    assert "abcdef" not in str(violation)


def test_ids_are_in_order_and_used_once() -> None:
    ids = [rule.id for rule in RULES]
    assert ids == [f"G{number:02}" for number in range(1, len(RULES) + 1)]
    covered = [id_ for rule in RULES for id_ in rule.checkov]
    assert len(covered) == len(set(covered))
    assert all(CHECKOV.fullmatch(id_) for id_ in covered)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_says_why_and_what_to_do(rule: Any) -> None:
    assert rule.title == rule.title.rstrip(".")
    assert rule.reason.endswith(".")
    assert rule.remedy.endswith(".")
    row = f"| {rule.id} | {rule.title} | {rule.reason} | {', '.join(rule.checkov) or '-'} |"
    assert row in DOCUMENT, f"docs/guardrails.md wants this row:\n{row}"


def test_what_is_not_followed_is_not_covered_either() -> None:
    rules, table = DOCUMENT.split("## What we do not follow")
    declined = CHECKOV.findall(table)
    covered = {id_ for rule in RULES for id_ in rule.checkov}
    assert set(CHECKOV.findall(rules)) == covered
    assert declined, "there are some"
    assert len(declined) == len(set(declined))
    assert covered & set(declined) == set()
    assert all(re.fullmatch(r"\|( [^|]*[^|. ] \|){3}", row) for row in table.splitlines() if row.startswith("| CKV"))
