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
        for output in fields(self):
            pulumi.export(output.name, getattr(self, output.name))


@dataclass(frozen=True, kw_only=True)
class BootstrapOutputs:
    """The outputs of the account's bootstrap stack."""

    repository_url: pulumi.Output[str]
    """What goes into `pactum:repositoryUrl` of every stack file."""

    def export(self) -> None:
        """Hand every output to Pulumi under its own name."""
        pulumi.export("repository_url", self.repository_url)
