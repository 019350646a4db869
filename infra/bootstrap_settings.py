"""What an account is prepared with, once: the configuration of stacks/bootstrap."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from infra.account_settings import read_tags
from infra.aws_rules import DOMAIN, EMAIL, HOSTED_ZONE, NAME
from infra.config_reader import ConfigReader
from infra.name_rules import check_project_name, check_stack_name
from infra.table_reader import Entry, entries

GITHUB_REPOSITORY = r"[\w.-]+(@\d+)?/[\w.-]+(@\d+)?"
GITHUB_WORKFLOW = r"\.github/workflows/[\w.-]+\.ya?ml"
GITLAB_PROJECT = r"[\w.-]+(/[\w.-]+)+"
HOST = r"([a-z0-9-]+\.)+[a-z]{2,}"
URL = r"https://[a-z0-9.-]+(:\d+)?(/[\w.%~/-]*[\w.%~-])?"
BRANCH = r"[A-Za-z0-9][\w./-]*"


@dataclass(frozen=True, kw_only=True)
class DeploymentSettings:
    """A stack that pipelines deploy, the branches it is deployed from, and the name it writes into a zone, if any.

    `after`: the stack whose image it is given, when it serves well there; empty, any that was tested.
    """

    stack: str
    branches: tuple[str, ...]
    after: str
    hosted_zone_id: str
    domain_name: str


@dataclass(frozen=True, kw_only=True)
class PipelineSettings:
    """Where pipelines run. An empty repository, project or job: none there.

    `create_providers`: the account has no OpenID Connect providers of these issuers yet.
    """

    create_providers: bool

    github_repository: str
    github_workflow: str
    gitlab_host: str
    gitlab_project: str
    jenkins_issuer: str
    jenkins_job: str

    @property
    def any(self) -> bool:
        return bool(self.github_repository or self.gitlab_project or self.jenkins_job)


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
    project = config.text("projectName", pattern=NAME, example="pactum", required=True)
    settings = BootstrapSettings(
        project=project,
        stack=stack,
        region=region,
        account_id=account_id,
        default_tags=read_tags(config),
        repository_name=config.text(
            "repositoryName", pattern=r"[a-z0-9]+([._/-][a-z0-9]+)*", example="pactum", required=True
        ),
        untagged_days=config.whole("untaggedDays", 1, 3650),
        deployments=_deployments(config, project),
        pipelines=_pipelines(config),
        budget=BudgetSettings(
            usd=config.whole("budgetUsd", 1, 10_000_000),
            email=config.text("budgetEmail", pattern=EMAIL, example="owner@example.com", required=True),
        ),
    )
    if settings.pipelines.any and not settings.deployments and not config.is_refused("deployments"):
        config.refuse(
            "deployments",
            "is empty, and pipelines are configured: they could neither push nor deploy.",
            "Name the stacks and their branches, or leave the pipelines' keys empty.",
        )
    return settings


def _deployments(config: ConfigReader, project: str) -> tuple[DeploymentSettings, ...]:
    # An empty one was refused as it was read.
    good = bool(project) and check_project_name(config, "projectName", project)
    found = []
    listed = list(entries(config, "deployments"))
    names = {entry.name for entry in listed}
    for entry in listed:
        if good:
            check_stack_name(config, "deployments", project, entry.name)
        branches = _branches(entry)
        zone = entry.optional("hostedZoneId", pattern=HOSTED_ZONE, example="Z0123456789EXAMPLE")
        domain = entry.optional("domainName", pattern=DOMAIN, example="pactum.example.com")
        if bool(zone) != bool(domain) and not entry.refused & {"hostedZoneId", "domainName"}:
            entry.refuse(
                "domainName",
                "and hostedZoneId need each other: a pipeline may write that name's records, and no others.",
                "Write both as they stand in the stack's file, or none.",
            )
        after = _after(entry, names)
        entry.finish()
        found.append(
            DeploymentSettings(
                stack=entry.name, branches=branches, after=after, hosted_zone_id=zone, domain_name=domain
            )
        )
    _check_prefixes(config, [each.stack for each in found])
    return tuple(found)


def _after(entry: Entry, names: set[str]) -> str:
    after = entry.optional("after", pattern=NAME, example="staging")
    if after and after not in names - {entry.name} and "after" not in entry.refused:
        entry.refuse(
            "after", "is no other stack of `deployments`.", "Name the stack whose image it is given, or leave it out."
        )
    return after


def _branches(entry: Entry) -> tuple[str, ...]:
    branches = tuple(entry.text("branches", example="main").split())
    if any(branch.startswith("refs/") for branch in branches):
        entry.refuse("branches", "names refs.", "Write main, not refs/heads/main.")
    elif not all(re.fullmatch(BRANCH, branch) for branch in branches):
        entry.refuse("branches", "names something else than branches.", "Write them exactly, without patterns.")
    elif not branches and "branches" not in entry.refused:
        entry.refuse("branches", "names no branch: no pipeline could deploy.", "Write one, such as main.")
    return branches


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
    if re.match(r"https://[^/]*:", issuer):
        config.refuse(
            "jenkinsIssuer",
            "has a port: IAM takes no issuer with one.",
            "Let Jenkins answer at https://HOST without it.",
        )
    return PipelineSettings(
        create_providers=config.choice("identityProviders", ["create", "existing"]) == "create",
        github_repository=config.text("githubRepository", pattern=GITHUB_REPOSITORY, example="example/pactum"),
        github_workflow=config.text(
            "githubWorkflow", pattern=GITHUB_WORKFLOW, example=".github/workflows/deploy.yml", required=True
        ),
        gitlab_host=config.text("gitlabHost", pattern=HOST, example="gitlab.com", required=True),
        gitlab_project=config.text("gitlabProject", pattern=GITLAB_PROJECT, example="example/pactum"),
        jenkins_issuer=issuer,
        jenkins_job=job if issuer else "",
    )
