"""What workers and scheduled jobs have in common: the application's own image and settings, and no requests."""

from dataclasses import dataclass

import pulumi

from infra.application import ApplicationEnvironment
from infra.image import Image
from infra.load_balancer import LoadBalancer
from infra.process import Placement, Process, ProcessArgs
from infra.process_settings import JobSettings, WorkerSettings
from infra.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Background:
    """The surroundings of a process that answers nobody. Of the balancer it is told the names users know."""

    settings: Settings
    image: Image
    environment: ApplicationEnvironment
    placement: Placement
    balancer: LoadBalancer

    def process(
        self, process: WorkerSettings | JobSettings, opts: pulumi.ResourceOptions, *, stop_seconds: int
    ) -> Process:
        """Its log group and roles, and what its task definition is made of: the application's secrets, no master's."""
        return Process(
            f"{self.settings.name}-{process.name}",
            ProcessArgs(
                settings=self.settings,
                image=self.image,
                process=process.name,
                cpu=process.cpu,
                memory_mib=process.memory_mib,
                command=process.command,
                environment=self.environment.background(
                    self.balancer.allowed_hosts, process.connections, https=self.balancer.https
                ),
                secrets=self.environment.secret(),
                secret_arns=self.environment.secrets.arns,
                stop_timeout_seconds=stop_seconds,
                of_stack_file=True,
                media_bucket_arn=self.environment.media_bucket_arn,
            ),
            opts,
        )
