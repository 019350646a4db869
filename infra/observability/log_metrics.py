"""What is counted in the logs: metrics of the stack's own namespace, for alarms and the dashboard to look at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_aws import cloudwatch

from infra.observability import names
from infra.observability.names import job_group, namespace
from infra.settings import Settings

_ECS_TASK = '$.detail-type = "ECS Task State Change"'
_EXIT_CODE = "$.detail.containers[0].exitCode"
# Why a line has or has not a zero for every other line of its log.
ZERO_OF_LINES = (
    "Logs are written to all the time: zeros show that the filter works, and end an alarm with the next period."
)
NO_ZERO_OF_EVENTS = "Events are rare: a zero would say no more than that another event came."
NO_ZERO_OF_DIMENSIONS = "CloudWatch Logs gives no default to a metric with dimensions."


@dataclass(frozen=True, kw_only=True)
class LogMetric:
    """One filter: every line of a log that its pattern means counts as one.

    Several filters may feed one metric. `dimensions` maps a dimension to the field that its value is read from; there
    are few values, for each is a metric of its own, and paid for.
    """

    label: str
    """The end of its resource's name: unique in its log."""
    metric: str
    pattern: str
    default: int | None
    """What a minute counts as in which the log got only lines that the pattern does not mean; None: as no data."""
    because: str
    """Why the default is what it is."""
    dimensions: Mapping[str, str] = field(default_factory=dict)


def process_metrics(process: str) -> list[LogMetric]:
    """What is counted in the log of one kind of process; app_image/deployment/json_logs.py writes the fields."""
    metrics = [
        _of_lines("error-lines", names.ERROR_LINES, '{ $.level = "ERROR" || $.level = "CRITICAL" }'),
        _of_lines(
            "exceptions",
            names.UNHANDLED_EXCEPTIONS,
            # What Django answered 500 for, what the server caught, and what a process says before it gives up. An
            # exception that the application has logged is one that it has handled.
            '{ ($.level = "ERROR" && $.exception = "*" && ($.logger = "django.request" || $.logger = "gunicorn.error"))'
            ' || $.level = "CRITICAL" }',
        ),
        # Python's own last words are no JSON: a command's, and those of a thread that died. Each of their lines is one
        # of the log, this the first. The exceptions that are in JSON say this too, beside the word `logger`.
        _of_lines("tracebacks", names.UNHANDLED_EXCEPTIONS, '"Traceback (most recent call last):" -logger'),
    ]
    # A migration may take its time over each statement; whom it holds up is slow in a log of its own.
    if process != "migrate":
        metrics.append(_of_lines("slow-queries", names.SLOW_QUERIES, '{ $.logger = "deployment.slow_query" }'))
    return metrics


def event_metrics(settings: Settings) -> list[LogMetric]:
    """What is counted in a stack's events; the fields are those of ECS and RDS."""
    # People leave a shell as they like, and a failed migration has failed the update that they wait for.
    jobs = " && ".join(
        ['$.detail.group = "family:*"']
        + [f'$.detail.group != "{job_group(settings, other)}"' for other in ("migrate", "shell")]
    )
    return [
        _of_events(
            "deployments-failed",
            names.DEPLOYMENTS_FAILED,
            '{ $.detail-type = "ECS Deployment State Change" && $.detail.eventName = "SERVICE_DEPLOYMENT_FAILED" }',
        ),
        # ECS stops the others itself: as it scales in, rolls a release out, or finds them unhealthy. Their containers
        # are in the task definition's order, and there is one.
        _of_events(
            "tasks-crashed",
            names.TASKS_CRASHED,
            f'{{ {_ECS_TASK} && $.detail.group = "service:*" && $.detail.stopCode = "EssentialContainerExited"'
            f" && {_EXIT_CODE} != 0 }}",
        ),
        LogMetric(
            label="jobs-failed",
            metric=names.JOBS_FAILED,
            # A task that could not start has no exit code.
            pattern=f"{{ {_ECS_TASK} && {jobs} && ({_EXIT_CODE} != 0 || {_EXIT_CODE} NOT EXISTS) }}",
            default=None,
            because=NO_ZERO_OF_DIMENSIONS,
            dimensions={names.GROUP: "$.detail.group"},
        ),
        # RDS tells of the beginning and of the end: two events are one failover.
        _of_events(
            "database-failovers",
            names.DATABASE_FAILOVERS,
            '{ $.source = "aws.rds" && $.detail.EventCategories[0] = "failover" }',
        ),
    ]


def _of_lines(label: str, metric: str, pattern: str) -> LogMetric:
    return LogMetric(label=label, metric=metric, pattern=pattern, default=0, because=ZERO_OF_LINES)


def _of_events(label: str, metric: str, pattern: str) -> LogMetric:
    return LogMetric(label=label, metric=metric, pattern=pattern, default=None, because=NO_ZERO_OF_EVENTS)


def count(
    name: str,
    settings: Settings,
    metrics: Sequence[LogMetric],
    log_group_name: pulumi.Output[str],
    opts: pulumi.ResourceOptions,
) -> None:
    """Create a metric filter for each metric of one log. What was written before it is not counted."""
    for each in metrics:
        cloudwatch.LogMetricFilter(
            f"{name}-{each.label}",
            log_group_name=log_group_name,
            pattern=each.pattern,
            metric_transformation=cloudwatch.LogMetricFilterMetricTransformationArgs(
                name=each.metric,
                namespace=namespace(settings),
                value="1",
                unit="Count",
                default_value=None if each.default is None else str(each.default),
                dimensions=each.dimensions or None,
            ),
            opts=opts,
        )
