"""One kind of process the image can run as, with its log and its roles: web, migrate, shell, each worker and job."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import ecs

from infra.image import Image
from infra.observability import log_metrics
from infra.observability.logs import log_group
from infra.settings import Settings
from infra.task_definition import STOP_TIMEOUT_SECONDS, TaskDefinitionArgs
from infra.task_roles import TaskRoles, TaskRolesArgs


@dataclass(frozen=True, kw_only=True)
class ProcessArgs:
    """`secret_arns` are the secrets the process is given; `secrets` says which variable holds which of their values.

    `of_stack_file`: it goes when its entry goes; its log does not (docs/decisions/0012).
    """

    settings: Settings
    image: Image
    process: str
    cpu: int
    memory_mib: int
    environment: Mapping[str, pulumi.Input[str]]
    secrets: Mapping[str, pulumi.Input[str]]
    secret_arns: Sequence[pulumi.Output[str]]
    command: Sequence[str] = ()
    port: int | None = None
    health_command: Sequence[str] = ()
    stop_timeout_seconds: int = STOP_TIMEOUT_SECONDS
    for_people: bool = False
    of_stack_file: bool = False
    media_bucket_arn: pulumi.Output[str] | None = None


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where tasks run: the cluster, and where their network interfaces are put."""

    cluster_arn: pulumi.Output[str]
    subnet_ids: list[pulumi.Output[str]]
    security_group_id: pulumi.Output[str]

    def of_service(self) -> ecs.ServiceNetworkConfigurationArgs:
        """The same, as ECS takes it for a service: never with a public address."""
        return ecs.ServiceNetworkConfigurationArgs(
            subnets=self.subnet_ids, security_groups=[self.security_group_id], assign_public_ip=False
        )


class Process(pulumi.ComponentResource):
    """What a process needs before a task of it can start.

    Creates its log group, what is counted in it, and its two roles.
    """

    task: TaskDefinitionArgs

    def __init__(self, name: str, args: ProcessArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:Process", name, None, opts)
        child_opts = pulumi.ResourceOptions(parent=self)
        settings = args.settings
        group = log_group(name, settings, args.process, child_opts, outlives=args.of_stack_file)
        # What people type into a shell fails as it likes.
        if not args.for_people:
            log_metrics.count(name, settings, log_metrics.process_metrics(args.process), group.name, child_opts)
        roles = TaskRoles(
            name,
            TaskRolesArgs(
                account_id=settings.account_id,
                repository_arn=settings.image.repository_arn,
                log_group_arn=group.arn,
                secret_arns=args.secret_arns,
                permissions_boundary_arn=settings.permissions_boundary_arn,
                exec_sessions=args.for_people,
                media_bucket_arn=args.media_bucket_arn,
            ),
            child_opts,
        )
        self.task = TaskDefinitionArgs(
            process=args.process,
            image=args.image.reference,
            cpu=args.cpu,
            memory_mib=args.memory_mib,
            cpu_architecture=settings.image.cpu_architecture,
            region=settings.region,
            log_group_name=group.name,
            roles=roles,
            environment=args.environment,
            secrets=args.secrets,
            command=args.command,
            port=args.port,
            health_command=args.health_command,
            start_seconds=settings.times.health_grace_seconds,
            stop_timeout_seconds=args.stop_timeout_seconds,
            for_people=args.for_people,
        )
        self.register_outputs({"log_group_name": group.name})
