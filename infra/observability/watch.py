"""The watch: it looks at a stack once a minute, and counts what no AWS service counts by itself."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from os.path import commonprefix
from pathlib import Path

import pulumi
from pulumi_aws import cloudwatch, lambda_

from infra.access.watching import WATCH_ITEM
from infra.load_balancer import LoadBalancer
from infra.observability.events import Pattern, stopped_tasks
from infra.observability.logs import log_group
from infra.observability.metrics import services
from infra.observability.names import job_group, namespace
from infra.observability.watch_role import WatchRole, WatchRoleArgs
from infra.settings import Settings

OPS = Path(__file__).resolve().parents[2] / "ops"
HANDLER, RUNTIME, ARCHITECTURE = "ops.watch.handler.handle", "python3.13", "arm64"
# Measured: Python, boto3 and five clients take 51 MB. With so little memory comes little processor: the very first
# pass takes ten seconds, those after it one or two, and a readiness path that stays silent five more.
MEMORY_MIB, TIMEOUT_SECONDS = 128, 50
# What has failed is tried again after one minute, and after two more (Lambda, "asynchronous invocation").
FURTHER_ATTEMPTS, OLDEST_EVENT_SECONDS = 2, 3600


@dataclass(frozen=True, kw_only=True)
class WatchArgs:
    """What is looked at. `live` resolves after the verdict: a stack that is made for the first time is not all there.

    `secret_arns` are those whose values people have to change. `before` is what users find the stack by: a name that is
    asked for before it is there stays unknown for minutes after.
    """

    settings: Settings
    cluster_arn: pulumi.Output[str]
    balancer: LoadBalancer
    secret_arns: Sequence[pulumi.Output[str]]
    live: pulumi.Output[None]
    before: Sequence[pulumi.Resource]


class Watch(pulumi.ComponentResource):
    """A small function that publishes gauges in the stack's own namespace (docs/decisions/0016-the-watch.md).

    Creates its log group, its role, the function with the code of `ops/watch/`, a rule that starts it each minute and,
    for a stack with jobs, one that tells it of tasks of jobs that ended, each with the permission to do so. Leaves out
    a network (it reaches users' door as users do, and AWS's APIs), reserved concurrency (a young account has ten
    executions at a time, and cannot reserve any of them) and a queue for failed starts: alarms tell of a silent watch.
    """

    function_name: pulumi.Output[str]

    def __init__(self, name: str, args: WatchArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:Watch", name, None, opts)
        settings, label = args.settings, f"{name}-watch"
        self._child_opts = pulumi.ResourceOptions(parent=self)
        group = log_group(label, settings, "watch", self._child_opts)
        role = WatchRole(
            label,
            WatchRoleArgs(
                settings=settings,
                namespace=namespace(settings),
                log_group_arn=group.arn,
                services=services(settings),
                jobs=jobs(settings),
                secret_arns=args.secret_arns,
            ),
            self._child_opts,
        )
        self._function = self._make(label, args, role, group)
        lambda_.FunctionEventInvokeConfig(
            label,
            function_name=self._function.name,
            maximum_retry_attempts=FURTHER_ATTEMPTS,
            maximum_event_age_in_seconds=OLDEST_EVENT_SECONDS,
            opts=self._child_opts,
        )
        enabled = args.live.apply(lambda _: "ENABLED")
        minutes, ends = f"{label}-minutes", f"{label}-jobs"
        found = pulumi.ResourceOptions(parent=self, depends_on=args.before)
        self._started_by(
            minutes, cloudwatch.EventRule(minutes, schedule_expression="rate(1 minute)", state=enabled, opts=found)
        )
        if jobs(settings):
            pattern = args.cluster_arn.apply(lambda arn: json.dumps(ended_jobs(settings, arn)))
            self._started_by(ends, cloudwatch.EventRule(ends, event_pattern=pattern, opts=self._child_opts))
        self.function_name = self._function.name
        self.register_outputs({"function_name": self.function_name})

    def _make(self, label: str, args: WatchArgs, role: WatchRole, group: cloudwatch.LogGroup) -> lambda_.Function:
        return lambda_.Function(
            label,
            # `python -m ops watch` finds it by this name, and looks at what it looks at.
            name=label,
            description="Looks at the stack once a minute, and publishes what alarms look at.",
            code=code(),
            handler=HANDLER,
            runtime=RUNTIME,
            architectures=[ARCHITECTURE],
            memory_size=MEMORY_MIB,
            timeout=TIMEOUT_SECONDS,
            role=role.arn,
            environment=lambda_.FunctionEnvironmentArgs(variables=environment(args)),
            logging_config=logging_config(group.name),
            opts=self._child_opts,
        )

    def _started_by(self, name: str, rule: cloudwatch.EventRule) -> None:
        permission = lambda_.Permission(
            name,
            action="lambda:InvokeFunction",
            function=self._function.name,
            principal="events.amazonaws.com",
            source_arn=rule.arn,
            opts=self._child_opts,
        )
        cloudwatch.EventTarget(
            name,
            rule=rule.name,
            arn=self._function.arn,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[permission]),
        )


def jobs(settings: Settings) -> list[str]:
    """The jobs that have to succeed every now and then."""
    return [job.name for job in settings.processes.jobs]


def code() -> pulumi.AssetArchive:
    """The package as it is in the repository; Python's own copies of it are nobody's code."""
    files = [OPS / "__init__.py", *sorted((OPS / "watch").glob("*.py"))]
    return pulumi.AssetArchive({str(file.relative_to(OPS.parent)): pulumi.FileAsset(str(file)) for file in files})


def environment(args: WatchArgs) -> dict[str, pulumi.Input[str]]:
    """What `ops/watch/assignment.py` reads. Lambda takes 4 KB: ARNs of secrets are told by where they differ."""
    settings = args.settings
    return {
        "NAME": settings.name,
        "NAMESPACE": namespace(settings),
        "READINESS_URL": pulumi.Output.concat(args.balancer.url, settings.application.readiness_path),
        "BALANCER": args.balancer.dns_name,
        "SERVICES": ",".join(services(settings)),
        "JOBS": ",".join(jobs(settings)),
        "ITEM": WATCH_ITEM,
        "SECRETS_BY_NAME": pulumi.Output.all(*args.secret_arns).apply(shortened),
    }


def shortened(arns: Sequence[str]) -> str:
    """Texts, as what they have in common at their beginning, and the rest of each."""
    common = commonprefix(list(arns))  # noqa: RUF071 - of texts, not of paths
    return json.dumps([common, sorted(arn.removeprefix(common) for arn in arns)])


def logging_config(log_group_name: pulumi.Output[str]) -> lambda_.FunctionLoggingConfigArgs:
    """A log of ours, in which a pass without a problem leaves nothing: 43,200 of them are a month."""
    return lambda_.FunctionLoggingConfigArgs(
        log_format="JSON", log_group=log_group_name, application_log_level="INFO", system_log_level="WARN"
    )


def ended_jobs(settings: Settings, cluster_arn: str) -> Pattern:
    """Tasks of jobs that stopped, whoever started them."""
    stopped = stopped_tasks(cluster_arn)
    return {**stopped, "detail": {**stopped["detail"], "group": [job_group(settings, job) for job in jobs(settings)]}}
