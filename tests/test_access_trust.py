"""Whose tokens the pipelines' roles take: tables of claims, ours and those of everybody who would like to be us."""

from __future__ import annotations

import pytest

from infra.access.trust import AUDIENCE, GitHub
from tests.policies import account_roles, bootstrapped, roles, trusted
from tests.recorder import ACCOUNT, ROOT

GITHUB = "token.actions.githubusercontent.com"
ASSUME = "sts:AssumeRoleWithWebIdentity"
WORKFLOW = "example/pactum/.github/workflows/deploy.yml"
Claims = dict[str, str]


def github(**changes: str) -> Claims:
    """The claims of a job that deploys prod from main; a change to nothing leaves a claim out."""
    claims = {
        "aud": AUDIENCE,
        "sub": "repo:example/pactum:environment:prod",
        "repository": "example/pactum",
        "environment": "prod",
        "ref": "refs/heads/main",
        "job_workflow_ref": f"{WORKFLOW}@refs/heads/main",
    }
    return {key: value for key, value in (claims | changes).items() if value}


def on_branch(branch: str, environment: str = "") -> Claims:
    """The claims of another job of that workflow."""
    rest = f"environment:{environment}" if environment else f"ref:refs/heads/{branch}"
    ref = f"refs/heads/{branch}"
    return github(
        sub=f"repo:example/pactum:{rest}", environment=environment, ref=ref, job_workflow_ref=f"{WORKFLOW}@{ref}"
    )


def nightly(branch: str, **changes: str) -> Claims:
    """The claims of the nightly workflow's job."""
    workflow = WORKFLOW.replace("deploy.yml", "drift.yml")
    return on_branch(branch) | {"job_workflow_ref": f"{workflow}@refs/heads/{branch}"} | changes


def pull_request(**changes: str) -> Claims:
    """The claims of a job of a pull request."""
    ref = "refs/pull/7/merge"
    return github(
        **{
            "sub": "repo:example/pactum:pull_request",
            "environment": "",
            "ref": ref,
            "job_workflow_ref": f"{WORKFLOW}@{ref}",
            **changes,
        }
    )


def gitlab(branch: str, **changes: str) -> Claims:
    return {"aud": AUDIENCE, "sub": f"project_path:example/pactum:ref_type:branch:ref:{branch}", **changes}


def jenkins(job: str, **changes: str) -> Claims:
    return {"aud": AUDIENCE, "sub": f"https://jenkins.example.com/job/pactum/job/{job}/", **changes}


STRANGERS = {
    "another audience": github(aud="https://github.com/example"),
    "no audience": github(aud=""),
    "no subject": github(sub=""),
    "no repository": github(repository=""),
    "another repository": github(sub="repo:example/other:environment:prod", repository="example/other"),
    "a fork": github(sub="repo:somebody/pactum:environment:prod", repository="somebody/pactum"),
    "a longer name": github(sub="repo:example/pactum-evil:environment:prod", repository="example/pactum-evil"),
    "a longer owner": github(sub="repo:example2/pactum:environment:prod", repository="example2/pactum"),
    "an owner before ours": github(sub="repo:evil/example/pactum:environment:prod"),
    "an owner that ends as ours": github(sub="repo:notexample/pactum:environment:prod", repository="notexample/pactum"),
    "another spelling": github(sub="repo:Example/Pactum:environment:prod", repository="Example/Pactum"),
    "a subject that begins as ours": github(sub="repo:example/pactum:environment:prod:evil"),
    "a subject of ours, another repository": github(repository="somebody/pactum"),
}
NOT_DEPLOYING = STRANGERS | {
    "another branch": on_branch("feature", "prod"),
    "develop": on_branch("develop", "prod"),
    "a branch named longer": on_branch("main-evil", "prod"),
    "a tag named like the branch": github(ref="refs/tags/main"),
    "the branch's own job": on_branch("main"),
    "another environment": on_branch("main", "staging"),
    "an environment named longer": on_branch("main", "prod-evil"),
    "an environment in another case": on_branch("main", "Prod"),
    "a pull request": pull_request(),
    "a pull request in the environment": pull_request(sub="repo:example/pactum:environment:prod", environment="prod"),
    "the nightly workflow": nightly("main"),
    "the nightly workflow in the environment": github(job_workflow_ref=nightly("main")["job_workflow_ref"]),
    "another workflow": github(job_workflow_ref="example/pactum/.github/workflows/other.yml@refs/heads/main"),
    "the workflow as another branch has it": github(job_workflow_ref=f"{WORKFLOW}@refs/heads/feature"),
    "another repository's workflow": github(
        job_workflow_ref="evil/pactum/.github/workflows/deploy.yml@refs/heads/main"
    ),
    "no workflow": github(job_workflow_ref=""),
    "no ref": github(ref=""),
    "no environment": github(environment=""),
}
GITHUB_TABLE = {
    "pactum-ci-deploy-prod": ({"main": github()}, NOT_DEPLOYING),
    "pactum-ci-deploy-staging": (
        {"main": on_branch("main", "staging"), "develop": on_branch("develop", "staging")},
        {"prod's environment": github(), "another branch": on_branch("feature", "staging"), **STRANGERS},
    ),
    "pactum-ci-push": (
        {"main": on_branch("main"), "develop": on_branch("develop")},
        {"another branch": on_branch("feature"), "a pull request": pull_request(), "an environment": github()}
        | {"the nightly workflow": nightly("main")}
        | STRANGERS,
    ),
    "pactum-ci-preview": (
        {"a pull request": pull_request(), "at night": nightly("main"), "develop at night": nightly("develop")},
        {
            "a branch": on_branch("main"),
            "another branch at night": nightly("feature"),
            "the nightly workflow as another branch has it": nightly(
                "main", job_workflow_ref=nightly("feature")["job_workflow_ref"]
            ),
            "another branch with main's nightly workflow": nightly("main", ref="refs/heads/feature"),
            "another repository's nightly workflow": nightly("main", repository="somebody/pactum"),
            "the nightly workflow without a ref": {key: each for key, each in nightly("main").items() if key != "ref"},
            "an environment": github(),
            "a fork": pull_request(sub="repo:somebody/pactum:pull_request", repository="somebody/pactum"),
            "a longer name": pull_request(sub="repo:example/pactum-evil:pull_request"),
            "no audience": pull_request(aud=""),
            "no repository": pull_request(repository=""),
        },
    ),
}
GITLAB_STRANGERS = {
    "another audience": gitlab("main", aud="https://gitlab.com"),
    "no audience": gitlab("main", aud=""),
    "a fork": gitlab("main", sub="project_path:somebody/pactum:ref_type:branch:ref:main"),
    "a longer name": gitlab("main", sub="project_path:example/pactum-evil:ref_type:branch:ref:main"),
    "a subgroup": gitlab("main", sub="project_path:example/pactum/evil:ref_type:branch:ref:main"),
    "another case": gitlab("main", sub="project_path:Example/pactum:ref_type:branch:ref:main"),
    "a tag": gitlab("main", sub="project_path:example/pactum:ref_type:tag:ref:main"),
}
NOT_MAIN = {"another branch": gitlab("feature"), "a longer branch": gitlab("main-evil"), "a pattern": gitlab("*")}
GITLAB_TABLE = {
    "pactum-ci-deploy-prod": ({"main": gitlab("main")}, {"develop": gitlab("develop"), **NOT_MAIN, **GITLAB_STRANGERS}),
    "pactum-ci-deploy-staging": (
        {"main": gitlab("main"), "develop": gitlab("develop")},
        {**NOT_MAIN, **GITLAB_STRANGERS},
    ),
    "pactum-ci-push": ({"main": gitlab("main"), "develop": gitlab("develop")}, {**NOT_MAIN, **GITLAB_STRANGERS}),
    "pactum-ci-preview": ({"any branch": gitlab("feature"), "main": gitlab("main")}, GITLAB_STRANGERS),
}
JENKINS_STRANGERS = {
    "another audience": jenkins("main", aud="other"),
    "another job": jenkins("main", sub="https://jenkins.example.com/job/pactum-evil/job/main/"),
    "another Jenkins": jenkins("main", sub="https://evil.example.com/job/pactum/job/main/"),
    "a branch that begins alike": jenkins("main-evil"),
}
JENKINS_TABLE = {
    "pactum-ci-deploy-prod": (
        {"main": jenkins("main")},
        {"develop": jenkins("develop"), "a pull request": jenkins("PR-7"), **JENKINS_STRANGERS},
    ),
    "pactum-ci-push": ({"develop": jenkins("develop")}, {"a pull request": jenkins("PR-7"), **JENKINS_STRANGERS}),
    "pactum-ci-preview": (
        {"a pull request": jenkins("PR-7"), "at night": jenkins("main")},
        {"another branch": jenkins("feature"), **JENKINS_STRANGERS},
    ),
}
# Nothing AWS checks tells these apart from the project's own: docs/account.md has them switched off in GitLab.
INDISTINGUISHABLE = {
    "a fork's branch called main, run in the parent project": gitlab(
        "main", ref_path="refs/merge-requests/7/head", pipeline_source="merge_request_event"
    )
}
ISSUERS = {
    GITHUB: GITHUB_TABLE,
    "gitlab.com": GITLAB_TABLE,
    "jenkins.example.com/oidc": JENKINS_TABLE,
}
CASES = [(issuer, role) for issuer, table in ISSUERS.items() for role in table]


def decisions(issuer: str, role: str, claims: list[Claims]) -> list[bool]:
    provider = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer}"
    asked = [(provider, {f"{issuer}:{claim}": value for claim, value in each.items()}) for each in claims]
    return trusted(account_roles()[role], asked, ASSUME)


@pytest.mark.parametrize(("issuer", "role"), CASES)
def test_a_role_takes_the_tokens_of_its_own_jobs(issuer: str, role: str) -> None:
    ours = ISSUERS[issuer][role][0]
    decided = dict(zip(ours, decisions(issuer, role, list(ours.values())), strict=True))
    assert all(decided.values()), f"{decided}: the pipeline could not work"


@pytest.mark.parametrize(("issuer", "role"), CASES)
def test_a_role_takes_nobody_elses(issuer: str, role: str) -> None:
    others = ISSUERS[issuer][role][1]
    decided = dict(zip(others, decisions(issuer, role, list(others.values())), strict=True))
    assert [name for name, yes in decided.items() if yes] == [], "somebody else could act as the pipeline"


def test_a_forks_pipeline_run_in_the_gitlab_project_is_taken_for_the_projects_own() -> None:
    for role in ("pactum-ci-deploy-prod", "pactum-ci-push"):
        assert decisions("gitlab.com", role, list(INDISTINGUISHABLE.values())) == [True], "a gap AWS cannot close"
    told = (ROOT / "docs" / "account.md").read_text()
    assert "ci_allow_fork_pipelines_to_run_in_parent_project" in told, "so whoever sets it up has to"


@pytest.mark.parametrize("role", GITHUB_TABLE)
def test_a_token_of_one_issuer_is_none_of_another(role: str) -> None:
    claims = next(iter(GITHUB_TABLE[role][0].values()))
    keys = {f"{GITHUB}:{claim}": value for claim, value in claims.items()}
    providers = ["gitlab.com", "jenkins.example.com/oidc", "evil.example.com"]
    asked = [(f"arn:aws:iam::{ACCOUNT}:oidc-provider/{each}", keys) for each in providers]
    assert not any(trusted(account_roles()[role], asked, ASSUME)), "the provider is part of the trust"
    user = [(f"arn:aws:iam::{ACCOUNT}:root", keys)]
    assert not any(trusted(account_roles()[role], user, "sts:AssumeRole")), "no user of the account assumes it"


def test_every_condition_names_its_values_exactly_but_previews_of_gitlab_and_jenkins() -> None:
    for name, role in account_roles().items():
        for statement in role.trust["Statement"]:
            operators = set(statement["Condition"])
            issuer = statement["Principal"]["Federated"].partition("oidc-provider/")[2]
            patterns = name == "pactum-ci-preview" and issuer != GITHUB
            assert operators == ({"StringEquals", "StringLike"} if patterns else {"StringEquals"}), (name, issuer)


def test_a_repository_whose_subjects_have_ids_is_trusted_by_them() -> None:
    recorder = bootstrapped(githubRepository="example@12/pactum@34", gitlabProject="", jenkinsIssuer="", jenkinsJob="")
    role = roles(recorder)["pactum-ci-deploy-prod"]
    provider = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{GITHUB}"
    ids = ["example@12/pactum@34", "example@12/pactum@35", "example@13/pactum@34", "example/pactum"]
    claims = [github(sub=f"repo:{each}:environment:prod") for each in ids]
    asked = [(provider, {f"{GITHUB}:{claim}": value for claim, value in each.items()}) for each in claims]
    assert trusted(role, asked, ASSUME) == [True, False, False, False], "whoever takes the name over is another one"


def test_a_branch_with_a_slash_is_written_as_the_issuers_write_it() -> None:
    statement = GitHub(provider_arn="arn", repository="a/b", workflow="w.yml").push(["release/1"])
    assert statement["Condition"]["StringEquals"][f"{GITHUB}:sub"] == ["repo:a/b:ref:refs/heads/release/1"]


def test_without_a_pipeline_nobody_is_trusted_and_no_role_is_there() -> None:
    nobody = dict.fromkeys(("githubRepository", "gitlabProject", "jenkinsIssuer", "jenkinsJob"), "")
    recorder = bootstrapped(**nobody)
    assert recorder.error is None, recorder.error
    assert recorder.of_type("aws:iam/role:Role") == [], "a role that nobody can assume is of no use"
    assert recorder.of_type("aws:iam/openIdConnectProvider:OpenIdConnectProvider") == [], "and no issuer is trusted"
    assert {each.name for each in recorder.of_type("aws:iam/policy:Policy")} == {
        "pactum-boundary-prod",
        "pactum-boundary-staging",
    }, "the boundaries are for people's deployments too"
