"""stacks/bootstrap: what an account gets once, what its configuration refuses, and what its outputs are for."""

from __future__ import annotations

import json

import pulumi
import pytest

from infra.settings import SettingsError, load_bootstrap
from tests.policies import bootstrap_config, bootstrapped
from tests.recorder import ACCOUNT, REGION


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    found: dict[str, object] = {}
    monkeypatch.setattr(pulumi, "export", found.__setitem__)
    return found


def refused(**changes: object) -> str:
    pulumi.runtime.set_mocks(None, project="pactum-bootstrap", stack="account")  # type: ignore[arg-type]
    pulumi.runtime.set_all_config(bootstrap_config(**changes))
    with pytest.raises(SettingsError) as raised:
        load_bootstrap()
    return str(raised.value)


def value(output: object) -> object:
    assert isinstance(output, pulumi.Output)
    return pulumi.runtime.sync_await._sync_await(output.future())


def test_the_outputs_are_what_stack_files_and_pipelines_need(exported: dict[str, object]) -> None:
    recorder = bootstrapped()
    assert recorder.error is None, recorder.error
    assert value(exported["repository_url"]) == f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/pactum"
    assert value(exported["state_url"]) == f"s3://pactum-state-{ACCOUNT}?region={REGION}&awssdk=v2", "for pulumi login"
    assert value(exported["secrets_provider"]) == f"awskms://alias/pactum-pulumi?region={REGION}"
    boundaries, roles = value(exported["permissions_boundary_arns"]), value(exported["deploy_role_arns"])
    assert isinstance(boundaries, dict)
    assert isinstance(roles, dict)
    assert set(boundaries) == set(roles) == {"staging", "prod"}, "each stack has its own"
    assert exported["preview_role_arn"]
    assert exported["push_role_arn"]


def test_the_repository_keeps_its_tags_and_is_protected() -> None:
    repository = bootstrapped().only("aws:ecr/repository:Repository")
    assert repository.inputs["imageTagMutability"] == "IMMUTABLE", "what was tested is what runs"
    assert repository.inputs["imageScanningConfiguration"] == {"scanOnPush": True}


def test_state_is_encrypted_with_a_key_that_rotates_and_can_be_saved_from_deletion() -> None:
    recorder = bootstrapped()
    key = recorder.only("aws:kms/key:Key").inputs
    assert key["enableKeyRotation"] is True
    assert key["deletionWindowInDays"] == 30, "without the key no state can be read"
    (statement,) = json.loads(key["policy"])["Statement"]
    assert statement["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "no other account, and nobody directly"
    assert recorder.only("aws:kms/alias:Alias").inputs["name"] == "alias/pactum-pulumi"
    (rule,) = recorder.only(
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    ).inputs["rules"]
    assert rule["applyServerSideEncryptionByDefault"]["sseAlgorithm"] == "aws:kms"
    assert rule["applyServerSideEncryptionByDefault"]["kmsMasterKeyId"].endswith("pactum-state"), "with that key"


def test_the_states_bucket_is_versioned_closed_and_never_emptied() -> None:
    recorder = bootstrapped()
    bucket = recorder.only("aws:s3/bucket:Bucket").inputs
    assert bucket["bucket"] == f"pactum-state-{ACCOUNT}", "people must know its name to log in"
    assert bucket["forceDestroy"] is False
    versioning = recorder.only("aws:s3/bucketVersioning:BucketVersioning").inputs["versioningConfiguration"]
    assert versioning == {"status": "Enabled"}, "a state that was spoilt can be had back"
    policy = json.loads(recorder.only("aws:s3/bucketPolicy:BucketPolicy").inputs["policy"])
    assert policy["Statement"][0]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}, "TLS only"


def test_somebody_is_told_before_the_money_is_gone() -> None:
    budget = bootstrapped(budgetUsd=120, budgetEmail="money@example.com").only("aws:budgets/budget:Budget").inputs
    assert (budget["limitAmount"], budget["limitUnit"], budget["timeUnit"]) == ("120.0", "USD", "MONTHLY")
    alerts = {
        (alert["notificationType"], alert["threshold"], *alert["subscriberEmailAddresses"])
        for alert in budget["notifications"]
    }
    assert alerts == {("ACTUAL", 80, "money@example.com"), ("FORECASTED", 100, "money@example.com")}


def test_issuers_are_made_for_the_pipelines_there_are() -> None:
    recorder = bootstrapped(gitlabHost="gitlab.example.com", jenkinsIssuer="", jenkinsJob="")
    issuers = recorder.of_type("aws:iam/openIdConnectProvider:OpenIdConnectProvider")
    assert {issuer.inputs["url"] for issuer in issuers} == {
        "https://token.actions.githubusercontent.com",
        "https://gitlab.example.com",
    }
    assert all(issuer.inputs["clientIdLists"] == ["sts.amazonaws.com"] for issuer in issuers), "one exact audience"
    preview = recorder.only("aws:iam/role:Role", "pactum-ci-preview")
    assert all(recorder.waits(preview, issuer) for issuer in issuers), "IAM refuses a trust in what is not there"


def test_issuers_that_the_account_has_already_are_trusted_and_not_made_again() -> None:
    made, existing = bootstrapped(), bootstrapped(identityProviders="existing")
    assert existing.error is None, existing.error
    assert existing.of_type("aws:iam/openIdConnectProvider:OpenIdConnectProvider") == [], "EntityAlreadyExists"
    trusts = [
        [role.inputs["assumeRolePolicy"] for role in recorder.of_type("aws:iam/role:Role")]
        for recorder in (made, existing)
    ]
    assert trusts[0] == trusts[1], "their ARNs follow from account and issuer"


REFUSED = {
    "projectName": ("Pactum_", "pactum"),
    "repositoryName": ("Pactum", "pactum"),
    "untaggedDays": (0, "from 1 to 3650"),
    "githubRepository": ("pactum", "example/pactum"),
    "githubWorkflow": ("deploy.yml", ".github/workflows/deploy.yml"),
    "gitlabHost": ("https://gitlab.com", "gitlab.com"),
    "gitlabProject": ("pactum", "example/pactum"),
    "jenkinsIssuer": ("http://jenkins.example.com/oidc", "https://"),
    "identityProviders": ("mine", "create or existing"),
    "budgetUsd": (0, "from 1 to"),
    "budgetEmail": ("owner", "owner@example.com"),
}


@pytest.mark.parametrize("key", REFUSED)
def test_a_wrong_value_is_refused_with_a_right_one(key: str) -> None:
    wrong, remedy = REFUSED[key]
    told = refused(**{key: wrong})
    assert told.startswith("1 problem "), told
    assert f"pactum-bootstrap:{key}" in told
    assert remedy in told, "the reader can correct the file without opening the code"


NO_JENKINS = {"jenkinsIssuer": "", "jenkinsJob": ""}
DEPLOYMENTS = {
    "a wildcard": ({"prod": {"branches": "*"}}, "without patterns"),
    "a wildcard behind": ({"prod": {"branches": "main release/*"}}, "without patterns"),
    "no branch": ({"prod": {}}, "branches is missing"),
    "a blank for branches": ({"prod": {"branches": " "}}, "names no branch"),
    "a ref": ({"prod": {"branches": "main refs/heads/next"}}, "Write main, not refs/heads/main."),
    "no stack": ({}, "pipelines are configured: they could neither push nor deploy"),
    "a name that AWS takes in no role's": ({"p" * 30: {"branches": "main"}}, "does not fit into the names of AWS"),
    "a zone without its name": ({"prod": {"branches": "main", "hostedZoneId": "Z012345"}}, "need each other"),
    "a name without its zone": ({"prod": {"branches": "main", "domainName": "a.example.com"}}, "need each other"),
    "a domain of the wrong form": (
        {"prod": {"branches": "main", "hostedZoneId": "Z012345", "domainName": "*.example.com"}},
        "prod.domainName has the wrong form",
    ),
    "an image of nobody's": ({"prod": {"branches": "main", "after": "staging"}}, "is no other stack"),
    "an image of its own": ({"prod": {"branches": "main", "after": "prod"}}, "is no other stack"),
    "an image of many": ({"prod": {"branches": "main", "after": "*"}}, "prod.after has the wrong form"),
    "a misspelt field": ({"prod": {"branches": "main", "hostedZone": "Z012345"}}, "Did you mean hostedZoneId?"),
    "a zone of the wrong form": ({"prod": {"branches": "main", "hostedZoneId": "pactum.example.com"}}, "Z0123456789"),
    "a name of nobody's": ({"Prod": {"branches": "main"}}, "Name the stack with small letters"),
    "the pipelines' own name": ({"ci": {"branches": "main"}}, "with pactum-ci begin the roles of pipelines"),
    "a pipeline's role": ({"ci-deploy": {"branches": "main"}}, "with pactum-ci begin the roles of pipelines"),
    "the state's bucket": ({"state": {"branches": "main"}}, "with pactum-state begin the bucket"),
    "the boundaries": ({"boundary": {"branches": "main"}}, "with pactum-boundary begin"),
    "the budget": ({"month": {"branches": "main"}}, "with pactum-month begin"),
    "the key": ({"pulumi": {"branches": "main"}}, "with pactum-pulumi begin"),
    "a stack within another's names": (
        {"prod": {"branches": "main"}, "prod-eu": {"branches": "main"}},
        "who may deploy prod could change prod-eu",
    ),
}


@pytest.mark.parametrize("case", DEPLOYMENTS)
def test_deployments_that_would_trust_or_touch_too_much_are_refused(case: str) -> None:
    deployments, told = DEPLOYMENTS[case]
    message = refused(deployments=deployments, githubRepository="example/pactum")
    assert message.startswith("1 problem "), message
    assert told in message


def test_without_a_pipeline_no_stack_need_be_deployed_by_one() -> None:
    recorder = bootstrapped(deployments={}, **dict.fromkeys(("githubRepository", "gitlabProject"), ""), **NO_JENKINS)
    assert recorder.error is None, recorder.error


def test_a_project_whose_name_leaves_no_room_is_refused_here_already() -> None:
    told = refused(projectName="p" * 30)
    assert told.startswith("1 problem "), "once, and not for each stack"
    assert "pactum-bootstrap:projectName" in told


def test_an_issuer_with_a_port_is_refused() -> None:
    jenkins = {
        "jenkinsIssuer": "https://jenkins.example.com:8443/oidc",
        "jenkinsJob": "https://j.example.com:8443/job/a",
    }
    told = refused(**jenkins)
    assert told.startswith("1 problem "), "the job's address is only a text in its tokens, and may have one"
    assert "jenkinsIssuer" in told
    assert "has a port" in told, "IAM would refuse it, halfway through"


def test_jenkins_needs_both_of_its_addresses() -> None:
    for key, given in (("jenkinsIssuer", "https://j.example.com/oidc"), ("jenkinsJob", "https://j.example.com/job/a")):
        assert "need each other" in refused(**{key: given}), "half of them trusts nobody, silently"


def test_all_problems_are_told_at_once_misspelt_keys_too() -> None:
    told = refused(repositoryName="Pactum", untaggedDays=0, githubRepo="example/pactum", budgetEmail="")
    assert told.startswith("4 problems"), told
    assert "Did you mean pactum-bootstrap:githubRepository?" in told
