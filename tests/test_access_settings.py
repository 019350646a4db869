"""infra/access_settings.py: the policy that bounds a stack's roles, and what is no such policy."""

from __future__ import annotations

import pulumi
import pytest

from infra.settings import SettingsError, load
from stacks.application import deploy
from tests.recorder import configure, record, stack_config


def read(arn: str) -> str:
    pulumi.runtime.set_mocks(None, project="pactum", stack="staging")  # type: ignore[arg-type]
    pulumi.runtime.set_all_config(stack_config("staging", permissionsBoundaryArn=arn))
    return load().permissions_boundary_arn


def test_a_boundary_is_a_policy_of_the_stacks_own_account() -> None:
    arn = "arn:aws:iam::123456789012:policy/pactum-boundary-staging"
    assert read(arn) == arn
    assert read("") == "", "a team without pipelines needs none"
    with pytest.raises(SettingsError, match="is a policy of another account than aws:allowedAccountIds"):
        read(arn.replace("123456789012", "210987654321"))


def test_another_stacks_boundary_is_refused_and_the_right_one_is_named() -> None:
    with pytest.raises(SettingsError, match=r"bounds the roles of prod, and this stack is staging") as raised:
        read("arn:aws:iam::123456789012:policy/teams/pactum-boundary-prod")
    assert "Write the policy pactum-boundary-staging." in str(raised.value), "copied from the other stack's file"
    own = "arn:aws:iam::123456789012:policy/organisation-wide"
    assert read(own) == own, "an organisation may have a boundary of its own"


@pytest.mark.parametrize(
    "wrong", ["pactum-boundary", "arn:aws:iam::123456789012:role/pactum", "arn:aws:iam::1:policy/a"]
)
def test_what_is_no_policy_is_refused_with_an_example(wrong: str) -> None:
    with pytest.raises(SettingsError, match="Write it like arn:aws:iam::123456789012:policy/pactum-boundary-staging"):
        read(wrong)


def test_without_a_boundary_no_role_names_one() -> None:
    configure("staging", permissionsBoundaryArn="", flowLogs=True)
    roles = record(deploy).of_type("aws:iam/role:Role")
    assert roles, "there are roles"
    assert all(not role.inputs.get("permissionsBoundary") for role in roles), "an empty text is no ARN: IAM refuses it"
