"""What AWS says of a stack by itself: tasks that stopped, deployments, and what happens to the database."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import cloudwatch

from infra.access.documents import Document, allow, document
from infra.observability import log_metrics
from infra.observability.logs import log_group
from infra.settings import Settings

# Who writes what EventBridge delivers to a log (EventBridge User Guide, "CloudWatch Logs permissions").
WRITERS = {"Service": ["events.amazonaws.com", "delivery.logs.amazonaws.com"]}
Pattern = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class EventsArgs:
    """`cluster_arn` and `database_identifier` say whose events these are: others of the account are left alone."""

    settings: Settings
    cluster_arn: pulumi.Output[str]
    database_identifier: pulumi.Input[str]


class Events(pulumi.ComponentResource):
    """The events of a stack, kept as they come, one a line, and what is counted in them.

    Creates the log group `/PROJECT/STACK/events`, a rule of EventBridge with that log as its target for tasks, for
    deployments and for the database, the policy by which EventBridge may write there, and the metric filters. An
    account has ten such policies in a region (CloudWatch Logs, PutResourcePolicy), and a stack takes one of them.
    EventBridge delivers what ECS and RDS say as best it can, most of it within seconds, some of it twice.
    """

    log_group_name: pulumi.Output[str]

    def __init__(self, name: str, args: EventsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:Events", name, None, opts)
        child_opts, settings = pulumi.ResourceOptions(parent=self), args.settings
        group = log_group(f"{name}-events", settings, "events", child_opts)
        patterns = {
            "tasks": args.cluster_arn.apply(lambda arn: json.dumps(stopped_tasks(arn))),
            "deployments": args.cluster_arn.apply(lambda arn: json.dumps(deployments(arn))),
            "database": pulumi.Output.from_input(args.database_identifier).apply(
                lambda identifier: json.dumps(database_events(identifier))
            ),
        }
        rules = {
            label: cloudwatch.EventRule(f"{name}-{label}", event_pattern=pattern, opts=child_opts)
            for label, pattern in patterns.items()
        }
        delivery = cloudwatch.LogResourcePolicy(
            f"{name}-events",
            policy_name=f"{name}-events",
            policy_document=pulumi.Output.all(group.arn, *(rule.arn for rule in rules.values())).apply(
                lambda arns: json.dumps(delivery_policy(arns[0], arns[1:]))
            ),
            opts=child_opts,
        )
        log_metrics.count(f"{name}-events", settings, log_metrics.event_metrics(settings), group.name, child_opts)
        for label, rule in rules.items():
            cloudwatch.EventTarget(
                f"{name}-{label}",
                rule=rule.name,
                arn=group.arn,
                opts=pulumi.ResourceOptions(parent=self, depends_on=[delivery]),
            )
        self.log_group_name = group.name
        self.register_outputs({"log_group_name": self.log_group_name})


def stopped_tasks(cluster_arn: str) -> Pattern:
    """Tasks of the cluster that have stopped, whatever ended them."""
    return {
        "source": ["aws.ecs"],
        "detail-type": ["ECS Task State Change"],
        "detail": {"clusterArn": [cluster_arn], "lastStatus": ["STOPPED"]},
    }


def deployments(cluster_arn: str) -> Pattern:
    """What ECS says of the cluster's services: how deployments go, and what it cannot do.

    By the services' ARNs: an event about a deployment need not name its cluster.
    """
    return {
        "source": ["aws.ecs"],
        "detail-type": ["ECS Deployment State Change", "ECS Service Action"],
        "resources": [{"prefix": f"{cluster_arn.replace(':cluster/', ':service/')}/"}],
    }


def database_events(identifier: str) -> Pattern:
    """What RDS says of the one instance: failovers, maintenance, storage, recovery."""
    return {
        "source": ["aws.rds"],
        "detail-type": ["RDS DB Instance Event"],
        "detail": {"SourceIdentifier": [identifier]},
    }


def delivery_policy(log_group_arn: str, rule_arns: Sequence[str]) -> Document:
    """Only these rules write to this log. Who makes its streams does not say for which rule."""
    streams = allow("logs:CreateLogStream", f"{log_group_arn}:*")
    lines = allow("logs:PutLogEvents", f"{log_group_arn}:*:*", {"ArnEquals": {"aws:SourceArn": sorted(rule_arns)}})
    return document({**streams, "Principal": WRITERS}, {**lines, "Principal": WRITERS})
