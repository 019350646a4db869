"""The web service on ECS Fargate, rolled by ECS, which returns to the last good revision when a release fails."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import ecs

from infra.operator_command import OperatorCommand
from infra.settings import Settings
from infra.task_definition import TaskDefinitionArgs, task_definition


@dataclass(frozen=True, kw_only=True)
class ServiceArgs:
    """`before` must be in place first: listeners, role policies, routes, and the migration."""

    cluster_arn: pulumi.Output[str]
    task: TaskDefinitionArgs
    port: int
    minimum: int
    health_grace_seconds: int
    subnet_ids: list[pulumi.Output[str]]
    security_group_id: pulumi.Output[str]
    target_group_arn: pulumi.Output[str]
    before: Sequence[pulumi.Resource]


class Service(pulumi.ComponentResource):
    """The tasks that answer users.

    Creates the task definition `...-web` and the ECS service `web`: new tasks are started and healthy before old ones
    stop (100 %/200 %), and a deployment that cannot get healthy is rolled back by the circuit breaker. Leaves out
    autoscaling.
    """

    name: pulumi.Output[str]
    task_definition_arn: pulumi.Output[str]

    def __init__(self, name: str, args: ServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:Service", name, None, opts)
        definition = task_definition(f"{name}-web", args.task, pulumi.ResourceOptions(parent=self))
        service = ecs.Service(
            f"{name}-web",
            name=args.task.process,
            cluster=args.cluster_arn,
            task_definition=definition.arn,
            desired_count=args.minimum,
            launch_type="FARGATE",
            platform_version="LATEST",
            network_configuration=ecs.ServiceNetworkConfigurationArgs(
                subnets=args.subnet_ids, security_groups=[args.security_group_id], assign_public_ip=False
            ),
            load_balancers=[
                ecs.ServiceLoadBalancerArgs(
                    target_group_arn=args.target_group_arn,
                    container_name=args.task.process,
                    container_port=args.port,
                )
            ],
            health_check_grace_period_seconds=args.health_grace_seconds,
            deployment_minimum_healthy_percent=100,
            deployment_maximum_percent=200,
            deployment_circuit_breaker=ecs.ServiceDeploymentCircuitBreakerArgs(enable=True, rollback=True),
            # The verdict waits for the deployment, and says why when it fails; the provider's own wait cannot.
            wait_for_steady_state=False,
            propagate_tags="SERVICE",
            enable_ecs_managed_tags=True,
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(args.before)),
        )
        self.name, self.task_definition_arn = service.name, definition.arn
        self.register_outputs({"name": self.name, "task_definition_arn": self.task_definition_arn})


class Cluster(pulumi.ComponentResource):
    """Creates the ECS cluster all processes of a stack run in; operator commands find it by its name."""

    arn: pulumi.Output[str]
    name: pulumi.Output[str]

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:Cluster", name, None, opts)
        cluster = ecs.Cluster(name, name=name, opts=pulumi.ResourceOptions(parent=self))
        self.arn, self.name = cluster.arn, cluster.name
        self.register_outputs({"arn": self.arn, "name": self.name})


def verdict(settings: Settings, service: Service, release: pulumi.Output[str]) -> pulumi.Output[None]:
    """Resolves when the service's new revision is what serves traffic; fails the update when it is not."""
    command = OperatorCommand(
        verb="verify",
        settings=settings,
        options=[
            ("--task-definition", service.task_definition_arn),
            ("--release", release),
            ("--minimum", str(settings.web.minimum)),
            ("--timeout", str(settings.web.deployment_timeout_seconds)),
        ],
    )
    return command.at_every_update(depends_on=[service])
