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
from infra.worker import Worker


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
    started and healthy before old ones stop (by default 100 %/200 %: all at once). A deployment that cannot get healthy
    is rolled back by the circuit breaker, one that answers users with errors by the alarms. How many tasks there are is
    only set at the service's creation, and `Autoscaling`'s from then on.
    """

    name: pulumi.Output[str]
    task_definition_arn: pulumi.Output[str]

    def __init__(self, name: str, args: ServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:Service", name, None, opts)
        settings, application = args.settings.web, args.settings.application
        placement, balancer, times = args.placement, args.balancer, args.settings.times
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
                media_bucket_arn=args.environment.media_bucket_arn,
                stop_timeout_seconds=times.stop_seconds,
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
            network_configuration=placement.of_service(),
            load_balancers=[
                ecs.ServiceLoadBalancerArgs(
                    target_group_arn=balancer.target_group_arn,
                    container_name=process.task.process,
                    container_port=application.port,
                )
            ],
            health_check_grace_period_seconds=times.health_grace_seconds,
            deployment_minimum_healthy_percent=times.rollout_minimum_percent,
            deployment_maximum_percent=times.rollout_maximum_percent,
            deployment_circuit_breaker=ecs.ServiceDeploymentCircuitBreakerArgs(enable=True, rollback=True),
            # Of the balancer and its target group only: an alarm on the service itself would be made after it.
            alarms=ecs.ServiceAlarmsArgs(alarm_names=args.alarm_names, enable=True, rollback=True),
            # The verdict waits for the deployment, and says why when it fails; the provider's own wait cannot.
            wait_for_steady_state=False,
            propagate_tags="SERVICE",
            enable_ecs_managed_tags=True,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[*args.before, process, balancer],
                # Autoscaling's from then on: an update in the middle of the day must not scale five tasks down to one.
                ignore_changes=["desired_count"],
            ),
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


def verdict(
    settings: Settings,
    service: Service,
    release: pulumi.Output[str],
    *,
    workers: Sequence[Worker],
    beside: Sequence[pulumi.Resource],
) -> pulumi.Output[None]:
    """Resolves when the service's new revision is what serves traffic, and every worker runs its own.

    Fails the update when that does not come about. `beside` is what must have its new settings by then: autoscaling,
    which brings about a raised minimum.
    """
    revisions = [pulumi.Output.concat(worker.name, "=", worker.task_definition_arn) for worker in workers]
    command = OperatorCommand(
        verb="verify",
        settings=settings,
        options=[
            ("--task-definition", service.task_definition_arn),
            ("--release", release),
            ("--minimum", str(settings.web.minimum)),
            ("--timeout", str(settings.web.deployment_timeout_seconds)),
            *(("--worker", revision) for revision in revisions),
        ],
    )
    return command.at_every_update(depends_on=[service, *workers, *beside])
