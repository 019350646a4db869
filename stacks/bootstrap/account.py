"""The account's bootstrap stack, run once by a person: `pulumi up` in stacks/bootstrap."""

from infra.repository import Repository, RepositoryArgs
from infra.settings import load_bootstrap
from stacks.outputs import BootstrapOutputs


def deploy() -> None:
    """Make what all stacks of the account share, and export where the images go."""
    settings = load_bootstrap()
    repository = Repository(
        "pactum",
        RepositoryArgs(repository_name=settings.repository_name, untagged_days=settings.untagged_days),
    )
    BootstrapOutputs(repository_url=repository.url).export()
