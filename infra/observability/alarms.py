"""Who is told when users see errors or slowness."""

from dataclasses import dataclass

import pulumi
from pulumi_aws import cloudwatch, sns

from infra.settings import ObservabilitySettings


@dataclass(frozen=True, kw_only=True)
class AlarmRule:
    """When an alarm is raised: `datapoints` of the last `periods` minutes breach the threshold.

    One of `statistic` (such as Sum) and `percentile` (such as p95) says how a minute's values become one.
    """

    label: str
    description: str
    metric_name: str
    statistic: str | None = None
    percentile: str | None = None
    comparison: str
    threshold: float
    datapoints: int
    periods: int


def alarm_rules(settings: ObservabilitySettings) -> list[AlarmRule]:
    """The first pair, on what users see at the balancer's targets."""
    return [
        AlarmRule(
            label="errors",
            description="Users see errors: answers of status 5xx, counted by the minute.",
            metric_name="HTTPCode_Target_5XX_Count",
            statistic="Sum",
            comparison="GreaterThanOrEqualToThreshold",
            threshold=float(settings.error_count),
            datapoints=2,
            periods=3,
        ),
        AlarmRule(
            label="slowness",
            description="Users wait: the 95th percentile of the response time in seconds, by the minute.",
            metric_name="TargetResponseTime",
            percentile="p95",
            comparison="GreaterThanThreshold",
            threshold=settings.slow_milliseconds / 1000,
            datapoints=3,
            periods=5,
        ),
    ]


@dataclass(frozen=True, kw_only=True)
class AlarmsArgs:
    """The balancer and target group as CloudWatch's dimensions name them."""

    settings: ObservabilitySettings
    balancer_arn_suffix: pulumi.Output[str]
    target_group_arn_suffix: pulumi.Output[str]


class Alarms(pulumi.ComponentResource):
    """The alarms on what users see, and the topic they are sent to.

    Creates an SNS topic, an e-mail subscription when an address is configured (AWS asks the address to confirm it),
    and an alarm for each rule. Missing data is fine to them: without requests there is neither an error nor a slow
    answer. Leaves out what requests cannot show, such as a service without tasks.
    """

    topic_arn: pulumi.Output[str]

    def __init__(self, name: str, args: AlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:Alarms", name, None, opts)
        child_opts = pulumi.ResourceOptions(parent=self)
        # Not encrypted with the AWS managed key: CloudWatch alarms cannot publish to a topic that is.
        topic = sns.Topic(f"{name}-alarms", opts=child_opts)
        if args.settings.alarm_email:
            sns.TopicSubscription(
                f"{name}-email", topic=topic.arn, protocol="email", endpoint=args.settings.alarm_email, opts=child_opts
            )
        for rule in alarm_rules(args.settings):
            cloudwatch.MetricAlarm(
                f"{name}-{rule.label}",
                alarm_description=rule.description,
                namespace="AWS/ApplicationELB",
                metric_name=rule.metric_name,
                dimensions={"LoadBalancer": args.balancer_arn_suffix, "TargetGroup": args.target_group_arn_suffix},
                statistic=rule.statistic,
                extended_statistic=rule.percentile,
                period=60,
                comparison_operator=rule.comparison,
                threshold=rule.threshold,
                datapoints_to_alarm=rule.datapoints,
                evaluation_periods=rule.periods,
                treat_missing_data="notBreaching",
                alarm_actions=[topic.arn],
                ok_actions=[topic.arn],
                opts=child_opts,
            )
        self.topic_arn = topic.arn
        self.register_outputs({"topic_arn": self.topic_arn})
