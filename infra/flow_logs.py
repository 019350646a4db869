"""Who talked to whom in the network, and what was turned away: for the day somebody asks."""

import json
from dataclasses import dataclass

import pulumi
from pulumi_aws import cloudwatch, ec2, iam

from infra.access.documents import Document, allow, document, each, service_trust


@dataclass(frozen=True, kw_only=True)
class FlowLogsArgs:
    """What is watched, and how long the records are kept."""

    vpc_id: pulumi.Output[str]
    account_id: str
    region: str
    retention_days: int
    permissions_boundary_arn: str = ""


class FlowLogs(pulumi.ComponentResource):
    """The flow log of a whole VPC: one record for each connection in ten minutes, accepted or rejected, no contents.

    Creates a log group, the role by which EC2 writes to it, with an inline policy for that group alone, and the flow
    log. Leaves out fields beyond AWS's standard ones, and a copy in S3.
    """

    def __init__(self, name: str, args: FlowLogsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:FlowLogs", name, None, opts)
        child_opts = pulumi.ResourceOptions(parent=self)
        # Whoever turns flow logs off has not said that what was recorded may go; with its own ending, a name is free.
        kept = pulumi.ResourceOptions(parent=self, retain_on_delete=True)
        group = cloudwatch.LogGroup(name, retention_in_days=args.retention_days, opts=kept)
        role = iam.Role(
            name,
            assume_role_policy=json.dumps(trust_policy(args.account_id, args.region)),
            permissions_boundary=args.permissions_boundary_arn or None,
            opts=child_opts,
        )
        permission = iam.RolePolicy(
            name,
            role=role.id,
            policy=group.arn.apply(lambda arn: json.dumps(delivery_policy(arn))),
            opts=child_opts,
        )
        ec2.FlowLog(
            name,
            vpc_id=args.vpc_id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=group.arn,
            iam_role_arn=role.arn,
            tags={"Name": name},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[permission]),
        )
        self.register_outputs({})


def trust_policy(account_id: str, region: str) -> Document:
    """Only flow logs of this account and region may use the role."""
    return service_trust("vpc-flow-logs", account_id, f"arn:aws:ec2:{region}:{account_id}:vpc-flow-log/*")


def delivery_policy(log_group_arn: str) -> Document:
    """Write streams of this group; the group itself is there already."""
    return document(allow(each("logs", "CreateLogStream", "DescribeLogStreams", "PutLogEvents"), f"{log_group_arn}:*"))
