"""Alarms as CloudWatch has them: the table's rows, and those that ECS watches while it rolls a release out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import cloudwatch

from infra.observability.alarm import AlarmRule, CompositeRule, Severity
from infra.observability.alarm_table import alarm_rules, composite_rules
from infra.observability.description import description
from infra.observability.metrics import Places, dimensions
from infra.observability.notifications import Notifications
from infra.settings import Settings


@dataclass(frozen=True, kw_only=True)
class RollbackAlarmsArgs:
    """`places` names the balancer and its target group: an alarm on the service itself would be made after it."""

    settings: Settings
    places: Places


class RollbackAlarms(pulumi.ComponentResource):
    """The alarms for which ECS ends a deployment, before there is a service.

    Creates an alarm for each row of the table that rolls back. Nobody is told: the verdict tells of a rollback, and of
    the same errors the alarm that people tuned for it.
    """

    alarm_names: list[pulumi.Output[str]]
    arns: dict[str, pulumi.Output[str]]

    def __init__(self, name: str, args: RollbackAlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:RollbackAlarms", name, None, opts)
        alarms = {
            rule.label: metric_alarm(name, rule, args, pulumi.ResourceOptions(parent=self))
            for rule in alarm_rules(args.settings)
            if rule.rolls_back
        }
        self.alarm_names = [alarm.name for alarm in alarms.values()]
        self.arns = {label: alarm.arn for label, alarm in alarms.items()}
        self.register_outputs({"alarm_names": self.alarm_names})


@dataclass(frozen=True, kw_only=True)
class AlarmsArgs:
    """`live` resolves after the verdict: a stack that never answered anybody is looked at by whoever makes it."""

    settings: Settings
    places: Places
    notifications: Notifications
    live: pulumi.Output[None]


class Alarms(pulumi.ComponentResource):
    """All other alarms of a stack, and who is told.

    Creates an alarm for each row of the table, and one for each pair of windows of an objective, which tells in the
    place of the two. Who was told of a problem is told of its end.
    """

    arns: dict[str, pulumi.Output[str]]

    def __init__(self, name: str, args: AlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:Alarms", name, None, opts)
        child_opts, settings = pulumi.ResourceOptions(parent=self), args.settings
        enabled = args.live.apply(lambda _: True)
        told = args.notifications
        topics = {
            Severity.PAGE: [told.pages_arn],
            Severity.TICKET: [told.tickets_arn],
            Severity.HEARTBEAT: [told.heartbeat_arn],
            Severity.NOBODY: [],
        }
        alarms = {
            rule.label: metric_alarm(name, rule, args, child_opts, topics=topics[rule.told.severity], enabled=enabled)
            for rule in alarm_rules(settings)
            if not rule.rolls_back
        }
        composites = {
            rule.label: cloudwatch.CompositeAlarm(
                f"{name}-{rule.label}",
                alarm_name=f"{name}-{rule.label}",
                alarm_description=description(rule, settings),
                alarm_rule=all_of(rule, alarms),
                actions_enabled=enabled,
                alarm_actions=topics[rule.told.severity],
                ok_actions=topics[rule.told.severity],
                opts=child_opts,
            )
            for rule in composite_rules(settings)
        }
        self.arns = {label: alarm.arn for label, alarm in alarms.items()}
        self.arns |= {label: alarm.arn for label, alarm in composites.items()}
        self.register_outputs({})


def metric_alarm(
    name: str,
    rule: AlarmRule,
    args: RollbackAlarmsArgs | AlarmsArgs,
    opts: pulumi.ResourceOptions,
    *,
    topics: Sequence[pulumi.Output[str]] = (),
    enabled: pulumi.Input[bool] = True,
) -> cloudwatch.MetricAlarm:
    """A row of the table as CloudWatch has it; `topics` are told of its beginning and its end."""
    return cloudwatch.MetricAlarm(
        f"{name}-{rule.label}",
        alarm_description=description(rule, args.settings),
        metric_queries=metric_queries(rule, args.places),
        comparison_operator=rule.comparison,
        threshold=rule.threshold,
        datapoints_to_alarm=rule.datapoints,
        evaluation_periods=rule.periods,
        treat_missing_data=rule.missing.value,
        actions_enabled=enabled,
        alarm_actions=list(topics),
        ok_actions=list(topics),
        opts=opts,
    )


def metric_queries(rule: AlarmRule, places: Places) -> list[cloudwatch.MetricAlarmMetricQueryArgs]:
    """A rule's metrics, and what is computed of them where it has an expression."""
    queries = [
        cloudwatch.MetricAlarmMetricQueryArgs(
            id=f"m{number}",
            return_data=not rule.expression,
            metric=cloudwatch.MetricAlarmMetricQueryMetricArgs(
                namespace=metric.namespace,
                metric_name=metric.name,
                dimensions=dimensions(metric, places),
                stat=metric.statistic,
                period=rule.period_seconds,
            ),
        )
        for number, metric in enumerate(rule.metrics)
    ]
    if rule.expression:
        queries.append(
            cloudwatch.MetricAlarmMetricQueryArgs(
                id="computed", expression=rule.expression, label=rule.label, return_data=True
            )
        )
    return queries


def all_of(rule: CompositeRule, alarms: Mapping[str, cloudwatch.MetricAlarm]) -> pulumi.Output[str]:
    """The expression of an alarm that is raised while all of these are."""
    names = pulumi.Output.all(*(alarms[label].name for label in rule.all_of))
    return names.apply(lambda found: " AND ".join(f'ALARM("{each}")' for each in found))
