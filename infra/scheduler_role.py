"""What EventBridge Scheduler may do for a stack: start tasks of its jobs, and say which it could not start."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import iam

from infra.access.documents import Document, allow, document, service_trust
from infra.settings import Settings


@dataclass(frozen=True, kw_only=True)
class SchedulerRoleArgs:
    """`families` are the jobs' task definitions, `role_arns` the roles of their tasks, and no others."""

    settings: Settings
    group_arn: pulumi.Output[str]
    cluster_arn: pulumi.Output[str]
    families: Sequence[str]
    role_arns: Sequence[pulumi.Output[str]]
    queue_arn: pulumi.Output[str]


class SchedulerRole(pulumi.ComponentResource):
    """Creates the one role that all schedules of a stack use, with an inline policy."""

    arn: pulumi.Output[str]

    def __init__(self, name: str, args: SchedulerRoleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:SchedulerRole", name, None, opts)
        child_opts, settings = pulumi.ResourceOptions(parent=self), args.settings
        role = iam.Role(
            f"{name}-scheduler",
            # Schedules name their group as the source.
            assume_role_policy=args.group_arn.apply(
                lambda arn: json.dumps(service_trust("scheduler", settings.account_id, arn))
            ),
            permissions_boundary=settings.permissions_boundary_arn or None,
            opts=child_opts,
        )
        family_arns = [
            f"arn:aws:ecs:{settings.region}:{settings.account_id}:task-definition/{family}" for family in args.families
        ]
        iam.RolePolicy(
            f"{name}-scheduler",
            role=role.id,
            policy=pulumi.Output.all(args.cluster_arn, args.queue_arn, *args.role_arns).apply(
                lambda arns: json.dumps(scheduler_policy(arns[0], family_arns, arns[2:], arns[1]))
            ),
            opts=child_opts,
        )
        self.arn = role.arn
        self.register_outputs({"arn": self.arn})


def scheduler_policy(
    cluster_arn: str, family_arns: Sequence[str], role_arns: Sequence[str], queue_arn: str
) -> Document:
    """Start any revision of these families in this cluster, as these roles: a rollback goes back to earlier ones."""
    return document(
        allow("ecs:RunTask", [f"{arn}:*" for arn in sorted(family_arns)], {"ArnEquals": {"ecs:cluster": cluster_arn}}),
        # RunTask refuses to tag what it starts without it, and tags are how a job's tasks are found.
        allow(
            "ecs:TagResource",
            f"{cluster_arn.replace(':cluster/', ':task/')}/*",
            {"StringEquals": {"ecs:CreateAction": "RunTask"}},
        ),
        allow("iam:PassRole", sorted(role_arns), {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}),
        allow("sqs:SendMessage", queue_arn),
    )
