"""What an update does once before the new release takes traffic: secrets seeded, database migrated."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_command import local

from infra.operator_command import OperatorCommand
from infra.secrets import Secrets
from infra.settings import Settings
from infra.task_definition import TaskDefinitionArgs, task_definition


def seeding(settings: Settings, secrets: Secrets) -> local.Command:
    """A command that gives each secret a value if it has none; it never replaces one."""
    command = OperatorCommand(
        verb="seed",
        settings=settings,
        options=[
            ("--secret", pulumi.Output.concat("secret-key=", secrets.secret_key_arn)),
            ("--secret", pulumi.Output.concat("database-login=", secrets.database_login_arn)),
        ],
    )
    return command.when_changed(
        f"{settings.name}-seed", triggers=list(secrets.arns), opts=pulumi.ResourceOptions(parent=secrets)
    )


@dataclass(frozen=True, kw_only=True)
class MigrationArgs:
    """`task` is what runs; `subnet_ids` and `security_group_id` are where; `before` must be in place first."""

    settings: Settings
    task: TaskDefinitionArgs
    subnet_ids: list[pulumi.Output[str]]
    security_group_id: pulumi.Output[str]
    before: Sequence[pulumi.Resource]


class Migration(pulumi.ComponentResource):
    """The database brought to the state the new release needs.

    Creates the task definition `...-migrate` and a command that runs it on ECS and waits for its exit code, again
    whenever the task definition changes - that is, for every new image. What depends on this component starts only when
    the migration has ended well.
    """

    task_definition_arn: pulumi.Output[str]

    def __init__(self, name: str, args: MigrationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:Migration", name, None, opts)
        definition = task_definition(f"{name}-migrate", args.task, pulumi.ResourceOptions(parent=self))
        command = OperatorCommand(
            verb="migrate",
            settings=args.settings,
            options=[
                ("--task-definition", definition.arn),
                ("--subnets", pulumi.Output.all(*args.subnet_ids).apply(",".join)),
                ("--security-groups", args.security_group_id),
                ("--timeout", str(args.settings.web.deployment_timeout_seconds)),
            ],
        )
        command.when_changed(
            f"{name}-migrate",
            triggers=[definition.arn],
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(args.before)),
        )
        self.task_definition_arn = definition.arn
        self.register_outputs({"task_definition_arn": definition.arn})
