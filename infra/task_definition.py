"""One process of the application as an ECS task definition: hardened, logged, with secrets by reference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import ecs

from infra.task_roles import TaskRoles
from infra.times_settings import HEALTH_INTERVAL_SECONDS, HEALTH_TIMEOUT_SECONDS, UNHEALTHY_THRESHOLD

# Seconds between SIGTERM and SIGKILL, for what has no users waiting.
STOP_TIMEOUT_SECONDS = 30
# Numeric, as readonlyRootFilesystem and file modes are; the image creates it.
CONTAINER_USER = "10001:10001"


@dataclass(frozen=True, kw_only=True)
class TaskDefinitionArgs:
    """`environment` holds plain settings, `secrets` maps a variable to the ARN, or ARN and JSON key, of its value.

    `health_command` tells whether a container is well; its failures do not count for `start_seconds`.
    `for_people`: a person works in it through ECS Exec, whose agent needs to write to the root filesystem, and a
    process that reaps what it leaves; nothing that serves users runs so.
    """

    process: str
    image: pulumi.Output[str]
    cpu: int
    memory_mib: int
    cpu_architecture: str
    region: str
    log_group_name: pulumi.Output[str]
    roles: TaskRoles
    environment: Mapping[str, pulumi.Input[str]]
    secrets: Mapping[str, pulumi.Input[str]]
    command: Sequence[str] = ()
    port: int | None = None
    health_command: Sequence[str] = ()
    start_seconds: int = 0
    stop_timeout_seconds: int = STOP_TIMEOUT_SECONDS
    for_people: bool = False


def task_definition(family: str, args: TaskDefinitionArgs, opts: pulumi.ResourceOptions) -> ecs.TaskDefinition:
    """Create the task definition `family`. Earlier revisions stay ACTIVE, so that a release can be returned to."""
    return ecs.TaskDefinition(
        family,
        family=family,
        cpu=str(args.cpu),
        memory=str(args.memory_mib),
        network_mode="awsvpc",
        requires_compatibilities=["FARGATE"],
        runtime_platform=ecs.TaskDefinitionRuntimePlatformArgs(
            operating_system_family="LINUX", cpu_architecture=args.cpu_architecture
        ),
        execution_role_arn=args.roles.execution_role_arn,
        task_role_arn=args.roles.task_role_arn,
        # Fargate gives an ephemeral volume the mode of the image's path only where the image declares it (VOLUME /tmp).
        volumes=[ecs.TaskDefinitionVolumeArgs(name="tmp")],
        container_definitions=pulumi.Output.json_dumps([container_definition(args)]),
        skip_destroy=True,
        opts=opts,
    )


def container_definition(args: TaskDefinitionArgs) -> dict[str, Any]:
    """The container of a task in the ECS API's words, in the form in which ECS answers it.

    Sorted, and with the empty lists and defaults that ECS adds written out: the provider compares this text with ECS's
    answer at every refresh, and a difference replaces the task definition, which migrates and rolls for nothing.
    """
    definition: dict[str, Any] = {
        "name": args.process,
        "image": args.image,
        "essential": True,
        "user": CONTAINER_USER,
        "readonlyRootFilesystem": not args.for_people,
        "linuxParameters": {"capabilities": {"add": [], "drop": [] if args.for_people else ["ALL"]}},
        "mountPoints": [{"sourceVolume": "tmp", "containerPath": "/tmp", "readOnly": False}],  # noqa: S108 - the volume
        "stopTimeout": args.stop_timeout_seconds,
        "cpu": 0,
        "portMappings": [],
        "systemControls": [],
        "volumesFrom": [],
        "environment": [{"name": key, "value": args.environment[key]} for key in sorted(args.environment)],
        "secrets": [{"name": key, "valueFrom": args.secrets[key]} for key in sorted(args.secrets)],
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": args.log_group_name,
                "awslogs-region": args.region,
                "awslogs-stream-prefix": args.process,
            },
        },
    }
    if args.for_people:
        definition["linuxParameters"]["initProcessEnabled"] = True
    if args.command:
        definition["command"] = list(args.command)
    if args.port:
        definition["portMappings"] = [{"containerPort": args.port, "hostPort": args.port, "protocol": "tcp"}]
    if args.health_command:
        definition["healthCheck"] = {
            "command": ["CMD", *args.health_command],
            "interval": HEALTH_INTERVAL_SECONDS,
            "timeout": HEALTH_TIMEOUT_SECONDS,
            "retries": UNHEALTHY_THRESHOLD,
            "startPeriod": args.start_seconds,
        }
    return definition


def json_key(secret_arn: pulumi.Output[str], key: str) -> pulumi.Output[str]:
    """The `valueFrom` of one key of a secret that holds JSON."""
    return pulumi.Output.concat(secret_arn, ":", key, "::")
