"""The issuers whose tokens this account takes: pipelines prove who they are, and no long-lived key exists."""

from dataclasses import dataclass

import pulumi
from pulumi_aws import iam

from infra.access.trust import AUDIENCE, GITHUB, GitHub, GitLab, Issuer, Jenkins
from infra.bootstrap_settings import PipelineSettings


@dataclass(frozen=True, kw_only=True)
class IdentityProvidersArgs:
    """Which pipelines there are; those without a repository, project or job get nothing."""

    settings: PipelineSettings
    account_id: str


class IdentityProviders(pulumi.ComponentResource):
    """Creates an OpenID Connect provider in IAM for each kind of pipeline that is configured.

    IAM has one provider for an issuer. In an account where somebody made them before, none is created here, and the
    roles trust those: their ARNs are the same.

    IAM checks the issuers' certificates by its own authorities, so no thumbprint is given that would grow old.
    """

    issuers: list[Issuer]
    """What roles trust. Providers' ARNs follow from the account: policies are known before anything is made."""
    providers: list[pulumi.Resource]

    def __init__(self, name: str, args: IdentityProvidersArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:IdentityProviders", name, None, opts)
        self._args, self.providers, self.issuers = args, [], []
        settings = args.settings
        if settings.github_repository:
            arn = self._issuer(f"{name}-github", f"https://{GITHUB}")
            self.issuers.append(
                GitHub(provider_arn=arn, repository=settings.github_repository, workflow=settings.github_workflow)
            )
        if settings.gitlab_project:
            arn = self._issuer(f"{name}-gitlab", f"https://{settings.gitlab_host}")
            self.issuers.append(GitLab(provider_arn=arn, host=settings.gitlab_host, project=settings.gitlab_project))
        if settings.jenkins_job:
            arn = self._issuer(f"{name}-jenkins", settings.jenkins_issuer)
            self.issuers.append(Jenkins(provider_arn=arn, issuer=settings.jenkins_issuer, job=settings.jenkins_job))
        self.register_outputs({})

    def _issuer(self, name: str, url: str) -> str:
        if self._args.settings.create_providers:
            provider = iam.OpenIdConnectProvider(
                name, url=url, client_id_lists=[AUDIENCE], opts=pulumi.ResourceOptions(parent=self)
            )
            self.providers.append(provider)
        return f"arn:aws:iam::{self._args.account_id}:oidc-provider/{url.removeprefix('https://')}"
