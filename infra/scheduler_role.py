"""What EventBridge Scheduler may do for a stack: start tasks of its jobs, and say which it could not start."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import iam

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
            assume_role_policy=args.group_arn.apply(lambda arn: json.dumps(trust_policy(settings.account_id, arn))),
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


def trust_policy(account_id: str, group_arn: str) -> dict[str, Any]:
    """Only schedules of this group may use the role; its ARN is what Scheduler names as the source."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "scheduler.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"aws:SourceAccount": account_id, "aws:SourceArn": group_arn}},
            }
        ],
    }


def scheduler_policy(
    cluster_arn: str, family_arns: Sequence[str], role_arns: Sequence[str], queue_arn: str
) -> dict[str, Any]:
    """Start any revision of these families in this cluster, as these roles: a rollback goes back to earlier ones."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "ecs:RunTask",
                "Resource": [f"{arn}:*" for arn in sorted(family_arns)],
                "Condition": {"ArnEquals": {"ecs:cluster": cluster_arn}},
            },
            {
                # RunTask refuses to tag what it starts without it, and tags are how a job's tasks are found.
                "Effect": "Allow",
                "Action": "ecs:TagResource",
                "Resource": f"{cluster_arn.replace(':cluster/', ':task/')}/*",
                "Condition": {"StringEquals": {"ecs:CreateAction": "RunTask"}},
            },
            {
                "Effect": "Allow",
                "Action": "iam:PassRole",
                "Resource": sorted(role_arns),
                "Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
            },
            {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue_arn},
        ],
    }
