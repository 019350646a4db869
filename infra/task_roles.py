"""What a task may do: its execution role fetches image, secrets and log stream; its own role may do next to nothing."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import iam

from infra.access.documents import Document, allow, document, each, service_trust
from infra.storage import media_policy


@dataclass(frozen=True, kw_only=True)
class TaskRolesArgs:
    """Exact ARNs: nothing outside them can be read or written. `exec_sessions`: a person may work in the task.

    `media_bucket_arn`: the application may keep uploads there. `permissions_boundary_arn` bounds both roles.
    """

    account_id: str
    repository_arn: str
    log_group_arn: pulumi.Output[str]
    secret_arns: Sequence[pulumi.Output[str]]
    permissions_boundary_arn: str = ""
    exec_sessions: bool = False
    media_bucket_arn: pulumi.Output[str] | None = None


class TaskRoles(pulumi.ComponentResource):
    """The two roles of one kind of task.

    Creates an execution role with an inline policy (pull this repository's images, write this log group's streams,
    read these secrets) and a task role without permissions: the application itself calls no AWS service. With
    `media_bucket_arn` the task role has an inline policy for that bucket, and with `exec_sessions` one that lets ECS
    Exec carry a person's session. No transcript of it is kept: the agent makes one with `script` and `cat`, which the
    image has not.
    """

    execution_role_arn: pulumi.Output[str]
    task_role_arn: pulumi.Output[str]

    def __init__(self, name: str, args: TaskRolesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:TaskRoles", name, None, opts)
        child_opts = pulumi.ResourceOptions(parent=self)
        trust, boundary = json.dumps(service_trust("ecs-tasks", args.account_id)), args.permissions_boundary_arn or None
        execution = iam.Role(
            f"{name}-execution", assume_role_policy=trust, permissions_boundary=boundary, opts=child_opts
        )
        iam.RolePolicy(
            f"{name}-execution",
            role=execution.id,
            policy=pulumi.Output.json_dumps(
                pulumi.Output.all(log_group_arn=args.log_group_arn, secret_arns=list(args.secret_arns)).apply(
                    lambda arns: execution_policy(args.repository_arn, arns["log_group_arn"], arns["secret_arns"])
                )
            ),
            opts=child_opts,
        )
        task = iam.Role(f"{name}-task", assume_role_policy=trust, permissions_boundary=boundary, opts=child_opts)
        if args.exec_sessions:
            policy = args.log_group_arn.apply(lambda arn: json.dumps(exec_policy(arn)))
            iam.RolePolicy(f"{name}-task", role=task.id, policy=policy, opts=child_opts)
        if args.media_bucket_arn:
            policy = args.media_bucket_arn.apply(lambda arn: json.dumps(media_policy(arn)))
            iam.RolePolicy(f"{name}-media", role=task.id, policy=policy, opts=child_opts)
        self.execution_role_arn, self.task_role_arn = execution.arn, task.arn
        self.register_outputs({"execution_role_arn": execution.arn, "task_role_arn": task.arn})


def exec_policy(log_group_arn: str) -> Document:
    """What the agent of ECS Exec needs: its channels, and the task's log group.

    ECS has the agent log to that group, and it refuses a session when it may not, also where nothing gets there.
    Channels and DescribeLogGroups know no resources ("Actions defined by" AWS Systems Manager, and CloudWatch Logs).
    """
    channels = each("ssmmessages", "CreateControlChannel", "CreateDataChannel", "OpenControlChannel", "OpenDataChannel")
    in_group = each("logs", "CreateLogStream", "DescribeLogStreams", "PutLogEvents")
    return document(allow([*channels, "logs:DescribeLogGroups"], "*"), allow(in_group, f"{log_group_arn}:*"))


def execution_policy(repository_arn: str, log_group_arn: str, secret_arns: Sequence[str]) -> Document:
    """What ECS does on a task's behalf before its first line runs."""
    return document(
        # GetAuthorizationToken knows no resources ("Actions defined by Amazon Elastic Container Registry").
        allow("ecr:GetAuthorizationToken", "*"),
        allow(each("ecr", "BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer"), repository_arn),
        allow(each("logs", "CreateLogStream", "PutLogEvents"), f"{log_group_arn}:*"),
        allow("secretsmanager:GetSecretValue", sorted(secret_arns)),
    )
