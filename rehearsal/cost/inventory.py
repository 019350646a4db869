"""What of a stack is paid for by being there: counted in what the program registers, in a preview that asks nobody."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi.runtime

from rehearsal import program
from rehearsal.configuration import Configuration
from rehearsal.docker_client import DockerClient
from rehearsal.engine import Engine, plain
from rehearsal.place import PROJECT_ROOT, Place
from rehearsal.realisers.tools import Tools
from rehearsal.state import State

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
COMPOSITE = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
DASHBOARD = "aws:cloudwatch/dashboard:Dashboard"
FILTER = "aws:cloudwatch/logMetricFilter:LogMetricFilter"
FUNCTION = "aws:lambda/function:Function"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
# Metrics of AWS's own services cost nothing.
FREE = "AWS/"
TIMEOUT_SECONDS = 60

Properties = dict[str, Any]
MetricKey = tuple[str, str, frozenset[tuple[str, str]]]


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """Numbers of things; an alarm's metrics are those that it looks at."""

    single_alarms: int
    math_alarms: int
    math_metrics: int
    composites: int
    custom_metrics: int
    dashboards: int
    functions: int
    function_memory_mib: int
    function_architecture: str
    web_retention_days: int
    mail_subscriptions: int


@dataclass
class _Registering(Engine):
    """Takes whatever the program registers, of types that are not rehearsed too, and makes none of it."""

    registered: list[tuple[str, Properties]] = field(default_factory=list)

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        inputs = plain(args.inputs)
        self.registered.append((args.typ, inputs))
        return "", inputs


def take(configuration: Configuration) -> Inventory:
    """Run the program once and count. RehearsalError for what it refuses."""
    # A preview asks neither of them anything.
    place = Place(root=PROJECT_ROOT, gateway_port=1, front_port=2)
    tools = Tools(
        place=place, docker=DockerClient(executable="docker"), directory=PROJECT_ROOT, command_timeout_seconds=1
    )
    engine = _Registering(tools=tools, state=State(), preview=True)
    program.run(configuration, engine, timeout_seconds=TIMEOUT_SECONDS)
    return count(engine.registered)


def count(resources: list[tuple[str, Properties]]) -> Inventory:
    """The numbers of what was registered, by type and inputs."""

    def of(type_: str) -> list[Properties]:
        return [inputs for kind, inputs in resources if kind == type_]

    looked_at = [list(_metrics(alarm)) for alarm in of(ALARM)]
    math = [metrics for metrics, alarm in zip(looked_at, of(ALARM), strict=True) if _is_math(alarm)]
    functions = of(FUNCTION)
    (web,) = [group for group in of(LOG_GROUP) if str(group.get("name", "")).endswith("/web")]
    return Inventory(
        single_alarms=len(looked_at) - len(math),
        math_alarms=len(math),
        math_metrics=sum(map(len, math)),
        composites=len(of(COMPOSITE)),
        custom_metrics=len(_custom({key for metrics in looked_at for key in metrics}, of(FILTER))),
        dashboards=len(of(DASHBOARD)),
        functions=len(functions),
        function_memory_mib=max((int(each["memorySize"]) for each in functions), default=0),
        function_architecture=functions[0]["architectures"][0] if functions else "arm64",
        web_retention_days=int(web["retentionInDays"]),
        mail_subscriptions=sum(each["protocol"] == "email" for each in of(SUBSCRIPTION)),
    )


def _is_math(alarm: Properties) -> bool:
    return any("expression" in query for query in alarm.get("metricQueries") or ())


def _metrics(alarm: Properties) -> Iterator[MetricKey]:
    if alarm.get("metricName"):
        yield _key(alarm)
    for query in alarm.get("metricQueries") or ():
        if metric := query.get("metric"):
            yield _key(metric)


def _key(metric: Mapping[str, Any]) -> MetricKey:
    dimensions = frozenset((name, str(value)) for name, value in (metric.get("dimensions") or {}).items())
    return metric["namespace"], metric["metricName"], dimensions


def _custom(looked_at: set[MetricKey], filters: list[Properties]) -> set[MetricKey]:
    """Those that alarms look at, and those that are counted in logs; several filters may feed one.

    A filter whose metric has dimensions makes one for each value: those are in the alarms.
    """
    found = {key for key in looked_at if not key[0].startswith(FREE)}
    for each in filters:
        made = each["metricTransformation"]
        if not made.get("dimensions"):
            found.add((made["namespace"], made["name"], frozenset()))
    return found
