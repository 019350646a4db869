"""An update by a pipeline does not stop halfway: all that the provider calls is allowed, in policies that IAM takes."""

from __future__ import annotations

import json

import pytest

from infra.access.trust import LONGEST_TRUST
from stacks import application
from tests.call_contexts import DOMAIN, asked, carried, provider_requests
from tests.policies import Request, account_roles, allowed, bootstrapped, roles
from tests.provider_calls import CALLS, EC2, WAITING
from tests.recorder import IN_SLACK, IN_TEAMS, configure, record


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_the_deploy_role_can_make_and_change_all_that_the_program_has(stack: str) -> None:
    configure(stack, mediaBucket=True, flowLogs=True, alarmEmail="on-call@example.com", **IN_SLACK, **IN_TEAMS)
    types = {each.type for each in record(application.deploy, stack=stack).resources if each.type.startswith("aws:")}
    assert types - set(CALLS) - WAITING == set(), "a new type of resource needs a row, and its actions in a policy"
    records_of = {"staging": {}, "prod": {"hostedZoneId": "Z0123456789EXAMPLE", "domainName": DOMAIN}}[stack]
    deploy = roles(bootstrapped(deployments={stack: {"branches": "main", **records_of}}))[f"pactum-ci-deploy-{stack}"]
    requests = [request for type_ in sorted(types & set(CALLS)) for request in provider_requests(type_, stack)]
    refused = [request for request, yes in zip(requests, allowed(deploy, requests), strict=True) if not yes]
    assert refused == [], "an update by a pipeline would stop at it"


def test_a_vpcs_own_security_group_gets_its_tags_and_is_emptied_then() -> None:
    requests = [
        Request(action="ec2:CreateTags", resource=f"{EC2}security-group/sg-1", context=asked("prod")),
        Request(action="ec2:RevokeSecurityGroupEgress", resource=f"{EC2}security-group/sg-1", context=carried("prod")),
    ]
    assert all(allowed(account_roles()["pactum-ci-deploy-prod"], requests)), "AWS makes it with the VPC, without tags"
    another = Request(action="ec2:CreateTags", resource=f"{EC2}vpc/vpc-1", context=asked("prod"))
    assert not any(allowed(account_roles()["pactum-ci-deploy-prod"], [another])), "nothing else becomes the stack's so"


@pytest.mark.parametrize("context", [carried("prod"), asked("prod")])
def test_a_composite_alarm_of_another_stack_is_left_alone_where_aws_says_whose_it_is(context: dict[str, str]) -> None:
    request = Request(action="cloudwatch:PutCompositeAlarm", resource="*", context=context)
    assert not any(allowed(account_roles()["pactum-ci-deploy-staging"], [request]))


def test_policies_and_trusts_are_within_the_sizes_that_iam_takes() -> None:
    recorder = bootstrapped(
        deployments={
            "production": {
                "branches": "main release/next",
                "hostedZoneId": "Z" + "0" * 30,
                "domainName": f"{'a' * 60}.{DOMAIN}",
            }
        }
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
