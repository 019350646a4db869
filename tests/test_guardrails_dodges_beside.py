"""The same mistakes made of several resources of production: the rules and the policy pack see each of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from infra.guardrails.resource import Resource
from tests.guarded import Stack, changed, stack
from tests.test_guardrails_mutations import DATABASE, GROUP, MASTER, SERVICE, TASK, WEB
from tests.test_guardrails_policies import told

if TYPE_CHECKING:
    from collections.abc import Callable

OLD_RULE = "aws:ec2/securityGroupRule:SecurityGroupRule"
TABLE, ASSOCIATION = "aws:ec2/routeTable:RouteTable", "aws:ec2/routeTableAssociation:RouteTableAssociation"
SUBNETS, SCHEDULE = "aws:rds/subnetGroup:SubnetGroup", "aws:scheduler/schedule:Schedule"


def made_with(resource: Resource, property_: str, *others: Resource) -> Resource:
    refers_to = {**resource.refers_to, property_: frozenset(other.urn for other in others)}
    return replace(resource, refers_to=refers_to)


def old_rule(properties: dict[str, Any], own: str, other: str = "") -> Stack:
    """Production with a rule of the old kind, in its group `own`, about its group `other`."""
    prod = stack("prod")
    urn = f"urn:pulumi:prod::pactum::{OLD_RULE}::it"
    rule = Resource(type=OLD_RULE, name="it", urn=urn, properties={"protocol": "tcp", "fromPort": 1, **properties})
    rule = made_with(rule, "securityGroupId", prod.named(GROUP, f"pactum-prod-{own}"))
    return prod.with_added(
        made_with(rule, "sourceSecurityGroupId", prod.named(GROUP, f"pactum-prod-{other}")) if other else rule
    )


def shared_group() -> Stack:
    prod = stack("prod")
    database, balancer = prod.named(DATABASE, MASTER), prod.named(GROUP, "pactum-prod-balancer")
    own = prod.named(GROUP, "pactum-prod-database")
    return prod.with_changed(made_with(database, "vpcSecurityGroupIds", own, balancer))


def without_association() -> Stack:
    prod = stack("prod")
    return prod.without(prod.named(ASSOCIATION, "pactum-prod-isolated-a"))


def served_shell(type_: str, name: str, property_: str) -> Stack:
    prod = stack("prod")
    return prod.with_changed(made_with(prod.named(type_, name), property_, prod.named(TASK, "pactum-prod-shell")))


def hidden_subnet() -> Stack:
    prod = stack("prod")
    group = next(each for each in prod.resources if each.type == SUBNETS)
    return prod.with_changed(changed(group, "subnetIds", lambda before: [*before, "subnet-1"]))


def changed_in_prod(type_: str, name: str, path: str, value: object) -> Stack:
    prod = stack("prod")
    return prod.with_changed(changed(prod.named(type_, name), path, value))


BESIDE_EACH_OTHER: dict[str, tuple[str, Callable[[], Stack]]] = {
    "a rule of the old kind to the database": ("G19", lambda: old_rule({"type": "ingress"}, "database", "balancer")),
    "a rule of the old kind out of the database": ("G19", lambda: old_rule({"type": "egress"}, "database")),
    "a rule of the old kind among tasks": ("G19", lambda: old_rule({"type": "ingress", "self": True}, "tasks")),
    "a group of balancer and database": ("G19", shared_group),
    "a group of nobody": (
        "G19",
        lambda: stack("prod").with_added(
            Resource(type=GROUP, name="it", properties={}, urn=f"urn:pulumi:prod::pactum::{GROUP}::it")
        ),
    ),
    "routes written into the table": (
        "G06",
        lambda: changed_in_prod(TABLE, "pactum-prod-isolated", "routes", [{"cidrBlock": "0.0.0.0/0"}]),
    ),
    "a database's subnet without a table": ("G06", without_association),
    "a database's subnet by its id": ("G06", hidden_subnet),
    "a database in the default network": ("G06", lambda: changed_in_prod(DATABASE, MASTER, "dbSubnetGroupName", None)),
    "a shell that a service runs": ("G32", lambda: served_shell(SERVICE, WEB, "taskDefinition")),
    "a shell that a schedule runs": ("G32", lambda: served_shell(SCHEDULE, "pactum-prod-clear-sessions", "target")),
    "a bucket's policy without statements": (
        "G11",
        lambda: changed_in_prod("aws:s3/bucketPolicy:BucketPolicy", "pactum-prod-media", "policy", {"Version": "1"}),
    ),
    "a policy against plain HTTP from elsewhere": (
        "G11",
        lambda: changed_in_prod(
            "aws:s3/bucketPolicy:BucketPolicy",
            "pactum-prod-media",
            "policy.Statement.0.Condition.StringNotEquals",
            {"aws:PrincipalAccount": "1"},
        ),
    ),
}


@pytest.mark.parametrize("case", BESIDE_EACH_OTHER)
def test_a_dodge_beside_others_is_refused_by_program_and_pack(case: str) -> None:
    rule, made = BESIDE_EACH_OTHER[case]
    dodged = made()
    assert rule in {violation.rule.id for violation in dodged.violations()}
    assert rule in {id_ for id_, _ in told(dodged)}


def test_a_rule_of_the_old_kind_about_itself_is_about_its_own_group() -> None:
    (violation,) = old_rule({"type": "ingress", "self": True}, "tasks").violations()
    assert "it leads from tasks to tasks" in str(violation)


def test_a_group_for_both_balancer_and_database_is_no_way_around_the_path() -> None:
    texts = [str(violation) for violation in shared_group().violations()]
    assert any("it leads from outside to the database" in text for text in texts)
    assert any("it is the group of the balancer and the database" in text for text in texts)
