"""infra/endpoints.py: what tasks call has an endpoint, and an endpoint lets tasks call no more than that."""

from __future__ import annotations

import json

import pulumi
import pytest

from infra.endpoints import (
    GATEWAYS,
    INTERFACES,
    actions_by_service,
    called,
    interface_endpoints,
    interface_policy,
    s3_policy,
)
from infra.network_settings import ENDPOINTS
from stacks.application import deploy
from tests.recorder import ACCOUNT, DIGEST, Recorder, configure, record

ENDPOINT, ROLE = "aws:ec2/vpcEndpoint:VpcEndpoint", "aws:iam/role:Role"


@pytest.fixture(scope="module")
def stack() -> Recorder:
    """A stack with every kind of task, without a way to the internet."""
    configure(
        "staging",
        imageDigest=DIGEST,
        natMode="none",
        mediaBucket=True,
        workers={"tidy": {"command": ["true"]}},
        jobs={"nightly": {"command": ["true"], "schedule": "rate(1 day)"}},
    )
    recorder = record(deploy)
    assert recorder.error is None
    return recorder


def test_whatever_the_roles_of_tasks_allow_can_be_reached_without_a_nat_gateway(stack: Recorder) -> None:
    tasks = {f"{r.name}-id" for r in stack.of_type(ROLE) if "ecs-tasks.amazonaws.com" in r.inputs["assumeRolePolicy"]}
    policies = [
        json.loads(policy.inputs["policy"])
        for policy in stack.of_type("aws:iam/rolePolicy:RolePolicy")
        if policy.inputs["role"] in tasks
    ]
    assert actions_by_service(policies) == called(), "a task would wait for a service it cannot reach, or be refused it"


def test_there_is_an_endpoint_for_each_service_that_tasks_call_and_none_besides(stack: Recorder) -> None:
    names = {endpoint.inputs["serviceName"].partition("us-east-1.")[2] for endpoint in stack.of_type(ENDPOINT)}
    wanted = {name for service in called() if service not in GATEWAYS for name in INTERFACES[service]}
    assert names == wanted | GATEWAYS, "each interface endpoint costs USD 7 a month and zone"
    assert len(wanted) == ENDPOINTS, "infra/network_settings.py counts their addresses"


def test_an_endpoint_lets_through_what_tasks_ask_of_its_service(stack: Recorder) -> None:
    policies = {e.name: json.loads(e.inputs["policy"])["Statement"] for e in stack.of_type(ENDPOINT)}
    (secrets,) = policies["pactum-staging-secretsmanager"]
    assert secrets["Action"] == ["secretsmanager:GetSecretValue"]
    for part in ("api", "dkr"):
        (images,) = policies[f"pactum-staging-ecr-{part}"]
        assert images["Action"] == called()["ecr"]


def test_an_interface_endpoint_is_for_this_accounts_identities() -> None:
    (statement,) = interface_policy(["logs:PutLogEvents"], ACCOUNT)["Statement"]
    assert statement["Condition"] == {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}, (
        "credentials from elsewhere could carry data out"
    )


def test_a_service_that_nobody_has_decided_about_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(pulumi.RunError, match=r"call sqs, .* Add it to INTERFACES"):
        interface_endpoints({"sqs": ["sqs:SendMessage"]}, ACCOUNT)


def test_image_layers_and_this_accounts_buckets_are_what_s3_is_used_for() -> None:
    layers, own = s3_policy(ACCOUNT, "eu-central-1")["Statement"]
    assert layers["Action"] == "s3:GetObject", "ECR's bucket is read only"
    assert layers["Resource"] == "arn:aws:s3:::prod-eu-central-1-starport-layer-bucket/*"
    assert "Condition" not in layers, "ECR's address of a layer is signed by an identity of its own"
    assert own["Condition"] == {"StringEquals": {"aws:PrincipalAccount": ACCOUNT, "aws:ResourceAccount": ACCOUNT}}, (
        "a bucket of somebody else's is where data would be carried to"
    )
