"""The web service on ECS Fargate, rolled by ECS, which returns to the last good revision when a release fails."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import ecs

from infra.application import ApplicationEnvironment
from infra.image import Image
from infra.load_balancer import LoadBalancer
from infra.operator_command import OperatorCommand
from infra.process import Placement, Process, ProcessArgs
from infra.settings import Settings
from infra.task_definition import task_definition

# Seconds a web task has to end after SIGTERM. Users' requests have had the deregistration delay to be answered by then,
# and the image's server gives up within 8 of them.
STOP_TIMEOUT_SECONDS = 10
# All new tasks at once beside the old ones: one round, and never less than what users need.
MINIMUM_HEALTHY_PERCENT, MAXIMUM_PERCENT = 100, 200


@dataclass(frozen=True, kw_only=True)
class ServiceArgs:
    """`before` must be in place first: routes, and the migration; `alarm_names` are those that roll a release back."""

    settings: Settings
    image: Image
    environment: ApplicationEnvironment
    placement: Placement
    balancer: LoadBalancer
    alarm_names: list[pulumi.Output[str]]
    before: Sequence[pulumi.Resource]


class Service(pulumi.ComponentResource):
    """The tasks that answer users.

    Creates the process `...-web` (log group and roles), its task definition and the ECS service `web`: new tasks are
    started and healthy before old ones stop (100 %/200 %). A deployment that cannot get healthy is rolled back by the
    circuit breaker, one that answers users with errors by the alarms. Leaves out autoscaling.
    """

    name: pulumi.Output[str]
    task_definition_arn: pulumi.Output[str]

    def __init__(self, name: str, args: ServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:Service", name, None, opts)
        settings, application = args.settings.web, args.settings.application
        placement, balancer = args.placement, args.balancer
        child_opts = pulumi.ResourceOptions(parent=self)
        process = Process(
            f"{name}-web",
            ProcessArgs(
                settings=args.settings,
                image=args.image,
                process="web",
                cpu=settings.cpu,
                memory_mib=settings.memory_mib,
                command=application.web_command,
                port=application.port,
                health_command=application.health_command,
                environment=args.environment.web(balancer.allowed_hosts, settings.serving, https=balancer.https),
                secrets=args.environment.secret(),
                secret_arns=args.environment.secrets.arns,
                stop_timeout_seconds=STOP_TIMEOUT_SECONDS,
            ),
            child_opts,
        )
        definition = task_definition(f"{name}-web", process.task, child_opts)
        service = ecs.Service(
            f"{name}-web",
            name=process.task.process,
            cluster=placement.cluster_arn,
            task_definition=definition.arn,
            desired_count=settings.minimum,
            launch_type="FARGATE",
            platform_version="LATEST",
            network_configuration=ecs.ServiceNetworkConfigurationArgs(
                subnets=placement.subnet_ids, security_groups=[placement.security_group_id], assign_public_ip=False
            ),
            load_balancers=[
                ecs.ServiceLoadBalancerArgs(
                    target_group_arn=balancer.target_group_arn,
                    container_name=process.task.process,
                    container_port=application.port,
                )
            ],
            health_check_grace_period_seconds=settings.health_grace_seconds,
            deployment_minimum_healthy_percent=MINIMUM_HEALTHY_PERCENT,
            deployment_maximum_percent=MAXIMUM_PERCENT,
            deployment_circuit_breaker=ecs.ServiceDeploymentCircuitBreakerArgs(enable=True, rollback=True),
            # Of the balancer and its target group only: an alarm on the service itself would be made after it.
            alarms=ecs.ServiceAlarmsArgs(alarm_names=args.alarm_names, enable=True, rollback=True),
            # The verdict waits for the deployment, and says why when it fails; the provider's own wait cannot.
            wait_for_steady_state=False,
            propagate_tags="SERVICE",
            enable_ecs_managed_tags=True,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*args.before, process, balancer]),
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
