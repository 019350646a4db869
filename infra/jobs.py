"""What an update does once before the new release takes traffic: secrets seeded, database migrated."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_command import local

from infra.application import ApplicationEnvironment
from infra.image import Image
from infra.operator_command import OperatorCommand
from infra.process import Placement, Process, ProcessArgs
from infra.secrets import GIVEN, Secrets
from infra.settings import Settings
from infra.task_definition import task_definition


def seeding(settings: Settings, secrets: Secrets) -> local.Command:
    """A command that gives each secret a value if it has none; it never replaces one."""
    command = OperatorCommand(
        verb="seed",
        settings=settings,
        options=[
            ("--secret", pulumi.Output.concat("secret-key=", secrets.secret_key_arn)),
            ("--secret", pulumi.Output.concat("database-login=", secrets.database_login_arn)),
            *(
                ("--secret", pulumi.Output.concat(f"{GIVEN}{variable}=", arn))
                for variable, arn in secrets.given_arns.items()
            ),
        ],
    )
    return command.when_changed(
        f"{settings.name}-seed", triggers=list(secrets.arns), opts=pulumi.ResourceOptions(parent=secrets)
    )


@dataclass(frozen=True, kw_only=True)
class MigrationArgs:
    """`guarded` must have passed, and `before` be in place, before anything runs."""

    settings: Settings
    image: Image
    environment: ApplicationEnvironment
    placement: Placement
    guarded: pulumi.Output[None]
    before: Sequence[pulumi.Resource]


class Migration(pulumi.ComponentResource):
    """The database brought to the state the new release needs.

    Creates the process `...-migrate` (log group and roles), its task definition, and a command that runs it on ECS and
    waits for its exit code, again whenever the task definition changes - that is, for every new image. What depends on
    this component starts only when the migration has ended well.
    """

    task_definition_arn: pulumi.Output[str]

    def __init__(self, name: str, args: MigrationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:Migration", name, None, opts)
        environment, placement = args.environment, args.placement
        process = Process(
            f"{name}-migrate",
            ProcessArgs(
                settings=args.settings,
                image=args.image,
                process="migrate",
                cpu=256,
                memory_mib=512,
                command=args.settings.application.migrate_command,
                environment=environment.plain("localhost", https=False),
                secrets={**environment.secret(), **environment.master()},
                secret_arns=[*environment.secrets.arns, environment.database.master_secret_arn],
            ),
            pulumi.ResourceOptions(parent=self),
        )
        definition = task_definition(f"{name}-migrate", process.task, pulumi.ResourceOptions(parent=self))
        command = OperatorCommand(
            verb="migrate",
            settings=args.settings,
            options=[
                ("--task-definition", definition.arn),
                ("--subnets", pulumi.Output.all(*placement.subnet_ids).apply(",".join)),
                ("--security-groups", placement.security_group_id),
                ("--timeout", str(args.settings.web.deployment_timeout_seconds)),
            ],
        )
        command.when_changed(
            f"{name}-migrate",
            triggers=[args.image.release, definition.arn],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*args.before, process]),
            after=args.guarded,
        )
        self.task_definition_arn = definition.arn
        self.register_outputs({"task_definition_arn": definition.arn})
