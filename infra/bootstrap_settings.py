"""What an account is prepared with, once: the configuration of stacks/bootstrap."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from infra.account_settings import read_tags
from infra.aws_rules import EMAIL, NAME
from infra.config_reader import ConfigReader
from infra.table_reader import entries

GITHUB_REPOSITORY = r"[\w.-]+(@\d+)?/[\w.-]+(@\d+)?"
GITHUB_WORKFLOW = r"\.github/workflows/[\w.-]+\.ya?ml"
GITLAB_PROJECT = r"[\w.-]+(/[\w.-]+)+"
HOST = r"([a-z0-9-]+\.)+[a-z]{2,}"
URL = r"https://[a-z0-9.-]+(:\d+)?(/[\w.%~/-]*[\w.%~-])?"
BRANCH = r"[A-Za-z0-9][\w./-]*"
HOSTED_ZONE = r"Z[A-Z0-9]{5,31}"
# `PROJECT-ci-...` are the pipelines' own roles, which no stack's deployment may touch.
TAKEN = "ci"


@dataclass(frozen=True, kw_only=True)
class DeploymentSettings:
    """A stack that pipelines deploy, and the branches it is deployed from."""

    stack: str
    branches: tuple[str, ...]
    hosted_zone_id: str


@dataclass(frozen=True, kw_only=True)
class PipelineSettings:
    """Where pipelines run. An empty repository, project or job: none there."""

    github_repository: str
    github_workflow: str
    gitlab_host: str
    gitlab_project: str
    jenkins_issuer: str
    jenkins_job: str


@dataclass(frozen=True, kw_only=True)
class BudgetSettings:
    """What the account may cost in a month before somebody is told."""

    usd: int
    email: str


@dataclass(frozen=True, kw_only=True)
class BootstrapSettings:
    """Everything an account is prepared with. `project` is the application's, the prefix of all that is made."""

    project: str
    stack: str
    region: str
    account_id: str
    default_tags: Mapping[str, object]
    """Tags that the provider gives to everything."""
    repository_name: str
    untagged_days: int
    deployments: tuple[DeploymentSettings, ...]
    pipelines: PipelineSettings
    budget: BudgetSettings

    @property
    def production(self) -> bool:
        """All stacks depend on it, production too."""
        return True


def read_bootstrap(config: ConfigReader, stack: str, region: str, account_id: str) -> BootstrapSettings:
    """Read what stacks/bootstrap is configured with; wrong values become problems of `config`."""
    return BootstrapSettings(
        project=config.text("projectName", pattern=NAME, example="pactum", required=True),
        stack=stack,
        region=region,
        account_id=account_id,
        default_tags=read_tags(config),
        repository_name=config.text(
            "repositoryName", pattern=r"[a-z0-9]+([._/-][a-z0-9]+)*", example="pactum", required=True
        ),
        untagged_days=config.whole("untaggedDays", 1, 3650),
        deployments=_deployments(config),
        pipelines=_pipelines(config),
        budget=BudgetSettings(
            usd=config.whole("budgetUsd", 1, 10_000_000),
            email=config.text("budgetEmail", pattern=EMAIL, example="owner@example.com", required=True),
        ),
    )


def _deployments(config: ConfigReader) -> tuple[DeploymentSettings, ...]:
    found = []
    for entry in entries(config, "deployments"):
        if not re.fullmatch(NAME, entry.name) or entry.name == TAKEN:
            config.refuse(
                "deployments", f"`{entry.name}` is no stack's name.", f"Name a stack; `{TAKEN}` is taken by pipelines."
            )
        branches = tuple(entry.text("branches", example="main").split())
        if not all(re.fullmatch(BRANCH, branch) for branch in branches):
            entry.refuse("branches", "names something else than branches.", "Write them exactly, without patterns.")
        entry.known.add("hostedZoneId")
        zone = entry.text("hostedZoneId", example="Z0123456789EXAMPLE") if "hostedZoneId" in entry.fields else ""
        if zone and not re.fullmatch(HOSTED_ZONE, zone):
            entry.refuse("hostedZoneId", "is no id of a Route 53 zone.", "Write it like Z0123456789EXAMPLE.")
        entry.finish()
        found.append(DeploymentSettings(stack=entry.name, branches=branches, hosted_zone_id=zone))
    _check_prefixes(config, [each.stack for each in found])
    return tuple(found)


def _check_prefixes(config: ConfigReader, stacks: list[str]) -> None:
    # Policies name what belongs to a stack by PROJECT-STACK-*.
    for stack in stacks:
        for other in stacks:
            if other.startswith(f"{stack}-"):
                config.refuse(
                    "deployments",
                    f"`{other}` begins with `{stack}-`: who may deploy {stack} could change {other}.",
                    "Give one of them another name.",
                )


def _pipelines(config: ConfigReader) -> PipelineSettings:
    issuer = config.text("jenkinsIssuer", pattern=URL, example="https://jenkins.example.com/oidc")
    job = config.text("jenkinsJob", pattern=URL, example="https://jenkins.example.com/job/pactum")
    if bool(issuer) != bool(job) and not config.is_refused("jenkinsIssuer", "jenkinsJob"):
        config.refuse("jenkinsJob", "and jenkinsIssuer need each other.", "Set both, or none.")
    return PipelineSettings(
        github_repository=config.text("githubRepository", pattern=GITHUB_REPOSITORY, example="example/pactum"),
        github_workflow=config.text(
            "githubWorkflow", pattern=GITHUB_WORKFLOW, example=".github/workflows/deploy.yml", required=True
        ),
        gitlab_host=config.text("gitlabHost", pattern=HOST, example="gitlab.com", required=True),
        gitlab_project=config.text("gitlabProject", pattern=GITLAB_PROJECT, example="example/pactum"),
        jenkins_issuer=issuer,
        jenkins_job=job if issuer else "",
    )
