"""The dashboard of a stack: users first, then what serves them, down to the watch itself."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from inspect import cleandoc
from typing import Any

import pulumi
from pulumi_aws import cloudwatch

from infra.observability import names
from infra.observability.alarm import MINUTE_SECONDS, AlarmRule, CompositeRule, Metric, Section, Severity
from infra.observability.budget import budget_widgets
from infra.observability.metrics import WEB, Places, of_balancer, of_database, of_targets, of_web
from infra.observability.saved_queries import EVENTS, saved_queries
from infra.observability.widgets import Canvas, Line, Widget, alarm_tiles, heading, laid_out, limits
from infra.settings import Settings

ABOUT = {
    Section.USERS: "What users get.",
    Section.SERVICE: "The tasks that answer them, and workers.",
    Section.DATABASE: "PostgreSQL.",
    Section.JOBS: "Processes that run by the clock.",
    Section.DEPLOYMENTS: "Releases, and what ECS says of them.",
    Section.WATCH: "What looks at all this, and what runs out one day.",
}
# Alarms whose numbers are drawn by hand, among others that belong with them.
ERRORS, SLOWNESS, OUTAGE = ("target-errors", "balancer-errors"), ("slow-p95", "slow-p99"), ("no-healthy-target",)
DRAWN = (*ERRORS, *SLOWNESS, *OUTAGE)
# Logs Insights asks these of the log of events, which is small. The application's own logs are paid for by what is
# read, each time that somebody opens the dashboard: their queries are run by hand.
TABLES = {
    Section.DATABASE: ("database-events",),
    Section.DEPLOYMENTS: ("deployments", "stopped-tasks"),
}


@dataclass(frozen=True, kw_only=True)
class DashboardArgs:
    """`rules` and `composites` are the alarms of the stack, `alarm_arns` theirs by label."""

    settings: Settings
    rules: Sequence[AlarmRule]
    composites: Sequence[CompositeRule]
    alarm_arns: Mapping[str, pulumi.Input[str]]
    places: Places


class Dashboard(pulumi.ComponentResource):
    """Creates the one dashboard of a stack, under the stack's name, which alarms tell."""

    name: pulumi.Output[str]

    def __init__(self, name: str, args: DashboardArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:Dashboard", name, None, opts)
        made = cloudwatch.Dashboard(
            name,
            dashboard_name=names.dashboard(args.settings),
            dashboard_body=_text(args),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.name = made.dashboard_name
        self.register_outputs({"name": self.name})


def _text(args: DashboardArgs) -> pulumi.Output[str]:
    """The body as JSON, once all names are known: `json_dumps` would wait for each of its thousand values by itself."""
    labels, places = list(args.alarm_arns), list(args.places)

    def text(known: Sequence[str]) -> str:
        arns, in_aws = known[: len(labels)], known[len(labels) :]
        told = replace(
            args, alarm_arns=dict(zip(labels, arns, strict=True)), places=dict(zip(places, in_aws, strict=True))
        )
        return json.dumps(body(told))

    return pulumi.Output.all(*args.alarm_arns.values(), *args.places.values()).apply(text)


def body(args: DashboardArgs) -> dict[str, Any]:
    """What CloudWatch shows. Periods stay what they are when somebody looks at weeks: thresholds hold for them only."""
    canvas = Canvas(region=args.settings.region, places=args.places)
    widgets = [widget for section in Section for widget in _section(canvas, args, section)]
    return {"start": "-PT12H", "periodOverride": "inherit", "widgets": laid_out(widgets)}


def _section(canvas: Canvas, args: DashboardArgs, section: Section) -> Iterator[Widget]:
    rules = [rule for rule in args.rules if rule.told.section is section]
    composites = [rule for rule in args.composites if rule.told.section is section]
    if not rules and not composites:
        return
    settings = args.settings
    every: list[AlarmRule | CompositeRule] = [*composites, *rules]
    yield heading(f"## {settings.name}: {section}\n{ABOUT[section]} {_runbooks(settings, every)}")
    # Alarms that composites are made of say nothing by themselves.
    parts = {label for rule in args.composites for label in rule.all_of}
    yield alarm_tiles("Alarms", [args.alarm_arns[rule.label] for rule in every if rule.label not in parts])
    yield from _drawn(canvas, args, section)
    yield from _by_rule(canvas, [rule for rule in rules if rule.label not in parts])
    for query in saved_queries(settings):
        if query.name in TABLES.get(section, ()):
            log_group = f"/{settings.project}/{settings.stack}/{EVENTS}"
            yield canvas.log_table(query.summary, log_group, " ".join(cleandoc(query.commands).split("\n")))
    if windows := [rule.label for rule in rules if rule.label in parts]:
        yield alarm_tiles("Windows of the burn rates (nobody is told)", [args.alarm_arns[label] for label in windows])


def _runbooks(settings: Settings, rules: Sequence[AlarmRule | CompositeRule]) -> str:
    runbooks = dict.fromkeys(rule.told.runbook for rule in rules)
    address = settings.observability.runbook_url
    said = [f"[{runbook}]({address}{runbook}.md)" if address else runbook for runbook in runbooks]
    return f"Runbooks: {', '.join(said)}."


def _by_rule(canvas: Canvas, rules: Sequence[AlarmRule]) -> Iterator[Widget]:
    """A graph for each kind of alarm that is not drawn by hand: what it looks at, and its threshold."""
    kinds: dict[str, list[AlarmRule]] = {}
    for rule in rules:
        if rule.label not in DRAWN and rule.told.severity is not Severity.HEARTBEAT:
            kinds.setdefault(rule.told.runbook, []).append(rule)
    for runbook, alike in kinds.items():
        lines = [line for number, rule in enumerate(alike) for line in canvas.of_rule(rule, number)]
        yield canvas.graph(runbook.replace("-", " "), lines, annotations=limits(alike))


def _drawn(canvas: Canvas, args: DashboardArgs, section: Section) -> Iterator[Widget]:
    if section is Section.USERS:
        yield from _users(canvas, args)
        yield from budget_widgets(canvas, args.settings)
    elif section is Section.SERVICE:
        yield _tasks(canvas, args)
    elif section is Section.DATABASE:
        times = [(of_database(name, "Average"), name) for name in ("ReadLatency", "WriteLatency")]
        yield canvas.graph("time of a read and of a write, in seconds", _lines(canvas, times))


def _users(canvas: Canvas, args: DashboardArgs) -> Iterator[Widget]:
    asked = [(of_targets("RequestCount"), "requests"), (of_targets("HTTPCode_Target_4XX_Count"), "answered by 4xx")]
    yield canvas.graph("traffic: requests a minute", _lines(canvas, asked))
    bad = [(of_targets("HTTPCode_Target_5XX_Count"), "application")]
    bad += [(of_balancer(f"HTTPCode_ELB_{status}_Count"), f"balancer, {status}") for status in ("5XX", 502, 503, 504)]
    yield canvas.graph("errors: answers of 5xx a minute", _lines(canvas, bad), annotations=limits(_of(args, ERRORS)))
    times = [(of_targets("TargetResponseTime", each), each) for each in ("p50", "p95", "p99")]
    yield canvas.graph("response time in seconds", _lines(canvas, times), annotations=limits(_of(args, SLOWNESS)))


def _tasks(canvas: Canvas, args: DashboardArgs) -> Widget:
    web = args.settings.web
    counted = [
        (of_targets("HealthyHostCount", "Minimum"), "healthy"),
        (of_targets("UnHealthyHostCount", "Maximum"), "not healthy"),
        # Each task reports its CPU once a minute: as many samples as tasks.
        (of_web(args.settings, "CPUUtilization", "SampleCount"), "running"),
    ]
    bounds = {"webMinimum": float(web.minimum), "webMaximum": float(web.maximum)}
    return canvas.graph(f"tasks of {WEB}", _lines(canvas, counted), annotations=limits(_of(args, OUTAGE), bounds))


def _of(args: DashboardArgs, labels: Sequence[str]) -> list[AlarmRule]:
    return [rule for rule in args.rules if rule.label in labels]


def _lines(canvas: Canvas, metrics: Sequence[tuple[Metric, str]]) -> list[Line]:
    return [canvas.line(metric, label=label, period=MINUTE_SECONDS) for metric, label in metrics]
