"""A process that runs all the time beside web and answers no requests: an entry of `pactum:workers`."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import ecs

from infra.background import Background
from infra.process_settings import WorkerSettings
from infra.task_definition import task_definition


@dataclass(frozen=True, kw_only=True)
class WorkerArgs:
    """`before` must be in place first: the migration."""

    worker: WorkerSettings
    background: Background
    before: Sequence[pulumi.Resource]


class Worker(pulumi.ComponentResource):
    """The tasks of one worker.

    Creates the process `...-NAME` (log group and roles), its task definition and the ECS service `NAME`, rolled within
    the same bounds as web. A release whose tasks cannot be started is rolled back by the circuit breaker; one whose
    tasks start and end again is found by the verdict. Leaves out a balancer, a health check (a task is well as long as
    it runs) and autoscaling: how many there are is configuration.
    """

    name: pulumi.Output[str]
    task_definition_arn: pulumi.Output[str]

    def __init__(self, name: str, args: WorkerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:Worker", f"{name}-{args.worker.name}", None, opts)
        child_opts, placement = pulumi.ResourceOptions(parent=self), args.background.placement
        times = args.background.settings.times
        process = args.background.process(args.worker, child_opts, stop_seconds=args.worker.stop_seconds)
        definition = task_definition(f"{name}-{args.worker.name}", process.task, child_opts)
        service = ecs.Service(
            f"{name}-{args.worker.name}",
            name=args.worker.name,
            cluster=placement.cluster_arn,
            task_definition=definition.arn,
            desired_count=args.worker.count,
            launch_type="FARGATE",
            platform_version="LATEST",
            network_configuration=placement.of_service(),
            deployment_minimum_healthy_percent=times.rollout_minimum_percent,
            deployment_maximum_percent=times.rollout_maximum_percent,
            deployment_circuit_breaker=ecs.ServiceDeploymentCircuitBreakerArgs(enable=True, rollback=True),
            # The verdict waits for all services at once, and says why when one of them fails.
            wait_for_steady_state=False,
            propagate_tags="SERVICE",
            enable_ecs_managed_tags=True,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*args.before, process]),
        )
        self.name, self.task_definition_arn = service.name, definition.arn
        self.register_outputs({"name": self.name, "task_definition_arn": self.task_definition_arn})
