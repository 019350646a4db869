"""What a stack answers with: the contract with operator commands, pipelines and the rehearsal."""

from dataclasses import dataclass, fields

import pulumi


@dataclass(frozen=True, kw_only=True)
class StackOutputs:
    """The outputs of the application's stack; `pulumi stack output NAME` shows each."""

    url: pulumi.Output[str]
    """Where users reach the application."""
    release: pulumi.Output[str]
    """The image's digest. Resolves only after the verdict: what stands here serves traffic."""
    image: pulumi.Output[str]
    """Repository and digest of the image."""
    cluster_name: pulumi.Output[str]
    service_name: pulumi.Output[str]
    task_definition_arn: pulumi.Output[str]
    """The revision of the web task that this update rolled out."""
    balancer_dns_name: pulumi.Output[str]
    """The load balancer's own name: what a DNS record of the domain points to."""
    alarm_topic_arn: pulumi.Output[str]

    def export(self) -> None:
        """Hand every output to Pulumi under its own name."""
        _export(self)


@dataclass(frozen=True, kw_only=True)
class BootstrapOutputs:
    """The outputs of the account's bootstrap stack."""

    repository_url: pulumi.Output[str]
    """What goes into `pactum:repositoryUrl` of every stack file."""
    state_url: pulumi.Output[str]
    """Where state is kept: what `pulumi login` takes."""
    secrets_provider: pulumi.Output[str]
    """What `pulumi stack init --secrets-provider` takes."""
    permissions_boundary_arns: pulumi.Output[dict[str, str]]
    """By stack, what goes into `pactum:permissionsBoundaryArn` of its file."""
    preview_role_arn: pulumi.Output[str]
    """The role in which pipelines preview; empty, as the next ones, where no pipeline is configured."""
    push_role_arn: pulumi.Output[str]
    deploy_role_arns: pulumi.Output[dict[str, str]]
    """By stack, the role in which pipelines deploy it."""

    def export(self) -> None:
        """Hand every output to Pulumi under its own name."""
        _export(self)


def _export(outputs: "StackOutputs | BootstrapOutputs") -> None:
    for output in fields(outputs):
        pulumi.export(output.name, getattr(outputs, output.name))
