"""The policy pack: the same rules, asked by the engine."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from pulumi_policy import (
    PolicyProviderResource,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy

from infra.guardrails.catalogue import RULES
from infra.guardrails.policies import facts, plain, policies
from infra.guardrails.resource import UNKNOWN, Resource
from tests.guarded import Stack, changed, stack
from tests.recorder import ROOT
from tests.test_guardrails_mutations import DATABASE, MASTER

PACK = ROOT / "infra" / "guardrails" / "pack"


def told(stack_: Stack) -> list[tuple[str, str]]:
    """What the pack reports of a stack, by the rule's id and the resource's URN."""
    found: list[tuple[str, str]] = []
    asked = {each.urn: as_asked(each) for each in stack_.resources}
    for resource, each in zip(stack_.resources, asked.values(), strict=True):
        each.property_dependencies = {
            key: [asked[urn] for urn in urns if urn in asked] for key, urns in resource.refers_to.items()
        }
    for policy in policies():

        def report(_: str, urn: str | None = None, id_: str = policy.name) -> None:
            found.append((id_, urn or ""))

        if isinstance(policy, StackValidationPolicy):
            policy.validate(StackValidationArgs(list(asked.values())), report)
        elif isinstance(policy, ResourceValidationPolicy):
            for each in asked.values():
                policy.validate(
                    ResourceValidationArgs(each.resource_type, each.props, each.urn, each.name, each.opts, None), report
                )
    return found


def as_asked(resource: Resource) -> Any:
    return SimpleNamespace(
        resource_type=resource.type,
        name=resource.name,
        urn=resource.urn,
        props=unknown_checking_proxy(dict(resource.properties)),
        opts=SimpleNamespace(protect=resource.protect),
        provider=None,
    )


def test_every_rule_is_a_policy() -> None:
    assert [policy.name for policy in policies()] == [rule.id for rule in RULES]


def test_our_stacks_keep_the_policies() -> None:
    assert [violation for name in ("staging", "prod", "account") for violation in told(stack(name))] == []


def test_a_broken_property_and_a_broken_connection_are_told() -> None:
    prod = stack("prod")
    database = prod.named(DATABASE, MASTER)
    assert told(prod.with_changed(changed(database, "multiAz", value=False))) == [("G14", database.urn)]
    bucket = prod.named("aws:s3/bucket:Bucket", "pactum-prod-media")
    policy = prod.named("aws:s3/bucketPolicy:BucketPolicy", "pactum-prod-media")
    assert told(prod.without(policy)) == [("G11", bucket.urn)]


@pytest.mark.parametrize(
    ("provider", "ids"), [("default", []), ("default_7_1_0", []), ("elsewhere", ["G29"]), ("defaults", ["G29"])]
)
def test_a_provider_of_its_own_is_told(provider: str, ids: list[str]) -> None:
    database = as_asked(stack("prod").named(DATABASE, MASTER))
    named = PolicyProviderResource("pulumi:providers:aws", {}, f"urn::{provider}", provider)
    found: list[str] = []
    for policy in policies():
        if isinstance(policy, ResourceValidationPolicy):
            args = ResourceValidationArgs(
                database.resource_type, database.props, database.urn, database.name, database.opts, named
            )
            policy.validate(args, lambda *_, id_=policy.name: found.append(id_))
    assert found == ids


def test_the_facts_are_the_ones_the_program_has() -> None:
    for name in ("staging", "prod", "account"):
        theirs, ours = facts(stack(name).resources[0].urn), stack(name).facts
        assert (theirs.project, theirs.stack, theirs.production) == (ours.project, ours.stack, ours.production)
        assert dict(theirs.default_tags) == dict(ours.default_tags)


def test_what_is_not_known_yet_is_unknown_and_the_rest_is_seen() -> None:
    guarded = unknown_checking_proxy({"a": UNKNOWN_STRING_VALUE, "b": [{"c": 30.0}, UNKNOWN_STRING_VALUE], "d": "e"})
    assert plain(guarded) == {"a": UNKNOWN, "b": [{"c": 30}, UNKNOWN], "d": "e"}


def test_the_pack_runs_in_the_projects_virtual_environment() -> None:
    declared = yaml.safe_load((PACK / "PulumiPolicy.yaml").read_text())
    assert (PACK / declared["runtime"]["options"]["virtualenv"]).resolve() == ROOT / ".venv"
    program = (PACK / "__main__.py").read_text()
    assert f'PolicyPack("{declared["name"]}", policies(), EnforcementLevel.MANDATORY)' in program
