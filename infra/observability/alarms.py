"""Who is told when users see errors or slowness."""

from dataclasses import dataclass

import pulumi
from pulumi_aws import cloudwatch, sns

from infra.load_balancer import LoadBalancer
from infra.settings import ObservabilitySettings

TARGET, BALANCER = "target", "balancer"
NAMESPACE = "AWS/ApplicationELB"
PERIOD_SECONDS = 60
# With little traffic one error is a large share of it.
FEWEST_ERRORS = 5


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric of the load balancer, by the minute. `scope` says whose: the targets' answers, or the balancer's own."""

    name: str
    scope: str
    statistic: str


@dataclass(frozen=True, kw_only=True)
class AlarmRule:
    """When an alarm is raised: `datapoints` of the last `periods` minutes breach the threshold.

    Several metrics are added up, each counting as nothing in a minute in which it has no data.
    """

    label: str
    description: str
    metrics: tuple[Metric, ...]
    comparison: str
    threshold: float
    datapoints: int
    periods: int
    share_of: Metric | None = None
    """What the sum is a part of: then the threshold is in percent, and below `least` the share counts as nothing."""
    least: int = 0
    rolls_back: bool = False
    """Whether it ends a deployment that is under way, for which ECS returns to the release before; nobody is told."""

    @property
    def queried(self) -> tuple[Metric, ...]:
        return (*self.metrics, self.share_of) if self.share_of else self.metrics

    @property
    def expression(self) -> str:
        total = " + ".join(f"FILL(m{number}, 0)" for number in range(len(self.metrics)))
        if self.share_of is None:
            return total
        # Not filled: as long as what it is a part of has not been counted, there is no share.
        return f"IF({total} >= {self.least}, 100 * ({total}) / m{len(self.metrics)}, 0)"


def alarm_rules(settings: ObservabilitySettings) -> list[AlarmRule]:
    """The first pair, on what users see, and what a release may not do to them."""
    from_targets = Metric(name="HTTPCode_Target_5XX_Count", scope=TARGET, statistic="Sum")
    return [
        AlarmRule(
            label="errors",
            description="Users see errors: answers of status 5xx by the minute, the application's and the balancer's.",
            # The balancer answers itself (503, 502, 504) when no target does: a total outage is in its metric only.
            metrics=(from_targets, Metric(name="HTTPCode_ELB_5XX_Count", scope=BALANCER, statistic="Sum")),
            comparison="GreaterThanOrEqualToThreshold",
            threshold=float(settings.error_count),
            # The newest minutes may read zero until their numbers come.
            datapoints=2,
            periods=5,
        ),
        AlarmRule(
            label="slowness",
            description="Users wait: the 95th percentile of the response time in seconds, by the minute.",
            metrics=(Metric(name="TargetResponseTime", scope=TARGET, statistic="p95"),),
            comparison="GreaterThanThreshold",
            threshold=settings.slow_milliseconds / 1000,
            datapoints=3,
            periods=5,
        ),
        AlarmRule(
            label="release-errors",
            description="Users see errors: the share of 5xx in a minute, in percent; ECS rolls a release back for it.",
            # Not 503: that is what strangers are answered before the very first tasks are there, and where new tasks do
            # not get healthy the circuit breaker acts. Targets that break off or stay silent are 502 and 504.
            metrics=(
                from_targets,
                Metric(name="HTTPCode_ELB_502_Count", scope=BALANCER, statistic="Sum"),
                Metric(name="HTTPCode_ELB_504_Count", scope=BALANCER, statistic="Sum"),
            ),
            share_of=Metric(name="RequestCount", scope=TARGET, statistic="Sum"),
            least=FEWEST_ERRORS,
            comparison="GreaterThanOrEqualToThreshold",
            threshold=float(settings.rollback_error_percent),
            # One bad minute is enough while a release is rolled out. It may be counted minutes later: FILL makes a zero
            # of the newest minute until the numbers of the balancer come: an alarm on that one alone is never raised.
            datapoints=1,
            periods=3,
            rolls_back=True,
        ),
    ]


@dataclass(frozen=True, kw_only=True)
class AlarmsArgs:
    """`balancer` is the one whose answers are counted."""

    settings: ObservabilitySettings
    balancer: LoadBalancer


class Alarms(pulumi.ComponentResource):
    """The alarms on what users see, and the topic they are sent to.

    Creates an SNS topic, an e-mail subscription when an address is configured (AWS asks the address to confirm it),
    and an alarm for each rule. ECS watches those that roll back while it rolls a release out. Missing data is fine to
    them: without requests there is neither an error nor a slow answer. Leaves out what requests cannot show, such as a
    service without tasks that nobody asks for anything.
    """

    topic_arn: pulumi.Output[str]
    rollback_alarm_names: list[pulumi.Output[str]]

    def __init__(self, name: str, args: AlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:Alarms", name, None, opts)
        child_opts = pulumi.ResourceOptions(parent=self)
        # Not encrypted with the AWS managed key: CloudWatch alarms cannot publish to a topic that is.
        topic = sns.Topic(f"{name}-alarms", opts=child_opts)
        if args.settings.alarm_email:
            sns.TopicSubscription(
                f"{name}-email", topic=topic.arn, protocol="email", endpoint=args.settings.alarm_email, opts=child_opts
            )
        self.rollback_alarm_names = []
        for rule in alarm_rules(args.settings):
            alarm = cloudwatch.MetricAlarm(
                f"{name}-{rule.label}",
                alarm_description=rule.description,
                metric_queries=metric_queries(rule, args),
                comparison_operator=rule.comparison,
                threshold=rule.threshold,
                datapoints_to_alarm=rule.datapoints,
                evaluation_periods=rule.periods,
                treat_missing_data="notBreaching",
                # The verdict tells of a rollback; the same errors are told of by the alarm that people tuned for it.
                alarm_actions=[] if rule.rolls_back else [topic.arn],
                ok_actions=[] if rule.rolls_back else [topic.arn],
                opts=child_opts,
            )
            if rule.rolls_back:
                self.rollback_alarm_names.append(alarm.name)
        self.topic_arn = topic.arn
        self.register_outputs({"topic_arn": self.topic_arn})


def metric_queries(rule: AlarmRule, args: AlarmsArgs) -> list[cloudwatch.MetricAlarmMetricQueryArgs]:
    """A rule's metrics, and their sum where there are several."""
    dimensions: dict[str, dict[str, pulumi.Input[str]]] = {
        BALANCER: {"LoadBalancer": args.balancer.arn_suffix},
        TARGET: {"LoadBalancer": args.balancer.arn_suffix, "TargetGroup": args.balancer.target_group_arn_suffix},
    }
    single = len(rule.queried) == 1
    queries = [
        cloudwatch.MetricAlarmMetricQueryArgs(
            id=f"m{number}",
            return_data=single,
            metric=cloudwatch.MetricAlarmMetricQueryMetricArgs(
                namespace=NAMESPACE,
                metric_name=metric.name,
                dimensions=dimensions[metric.scope],
                stat=metric.statistic,
                period=PERIOD_SECONDS,
            ),
        )
        for number, metric in enumerate(rule.queried)
    ]
    if not single:
        queries.append(
            cloudwatch.MetricAlarmMetricQueryArgs(
                id="sum", expression=rule.expression, label=rule.label, return_data=True
            )
        )
    return queries
