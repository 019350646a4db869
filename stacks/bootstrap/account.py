"""The account's bootstrap stack, run once by a person: `make bootstrap`."""

import pulumi

from infra.access.ci_roles import CiRoles, CiRolesArgs
from infra.access.identity_providers import IdentityProviders, IdentityProvidersArgs
from infra.account_budget import AccountBudget, AccountBudgetArgs
from infra.guardrails.program import guard_program
from infra.repository import Repository, RepositoryArgs
from infra.settings import load_bootstrap
from infra.state_store import StateStore, StateStoreArgs
from stacks.outputs import BootstrapOutputs


def deploy() -> None:
    """Make what all stacks of the account share, and export what their files and their pipelines need."""
    settings = load_bootstrap()
    guard_program(settings)
    name, account_id = settings.project, settings.account_id
    repository = Repository(
        name,
        RepositoryArgs(repository_name=settings.repository_name, untagged_days=settings.untagged_days),
    )
    store = StateStore(name, StateStoreArgs(project=name, region=settings.region, account_id=account_id))
    known = IdentityProviders(name, IdentityProvidersArgs(settings=settings.pipelines, account_id=account_id))
    roles = CiRoles(
        name,
        CiRolesArgs(
            settings=settings,
            issuers=known.issuers,
            providers=known.providers,
            state_bucket_arn=store.bucket_arn,
            key_arn=store.key_arn,
        ),
    )
    AccountBudget(name, AccountBudgetArgs(project=name, usd=settings.budget.usd, email=settings.budget.email))
    nothing = pulumi.Output.from_input("")
    BootstrapOutputs(
        repository_url=repository.url,
        state_url=store.url,
        secrets_provider=store.secrets_provider,
        permissions_boundary_arns=pulumi.Output.all(**roles.boundary_arns),
        preview_role_arn=roles.preview_role_arn or nothing,
        push_role_arn=roles.push_role_arn or nothing,
        deploy_role_arns=pulumi.Output.all(**roles.deploy_role_arns),
    ).export()
