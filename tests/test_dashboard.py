"""infra/observability/dashboard.py: what CloudWatch takes, and every alarm in its place."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pulumi
import pytest

from infra.observability.alarm import Section, Severity
from infra.observability.dashboard import DRAWN, TABLES, Dashboard, body
from infra.observability.saved_queries import EVENTS, saved_queries
from infra.observability.widgets import Canvas
from tests.dashboard_shape import problems
from tests.dashboards import STACKS, args_of, arn, graph, in_sections, settings_of
from tests.recorder import REGION, record

if TYPE_CHECKING:
    from infra.observability.alarm import AlarmRule, CompositeRule


@pytest.mark.parametrize("stack", STACKS)
def test_cloudwatch_takes_it_and_shows_all_of_it(stack: str) -> None:
    assert problems(body(args_of(stack))) == []


@pytest.mark.parametrize("stack", STACKS)
def test_users_come_first_and_the_watch_last(stack: str) -> None:
    sections = in_sections(stack)
    assert list(sections) == [section.value for section in Section if section.value in sections]
    titles = [widget["properties"].get("title", "").split(":")[0] for widget in sections["users"]]
    assert [title for title in titles if title in ("traffic", "errors", "response time in seconds")] == [
        "traffic",
        "errors",
        "response time in seconds",
    ]
    assert titles.index("traffic") < titles.index("availability"), "what is, before what was promised"


@pytest.mark.parametrize("stack", STACKS)
def test_every_alarm_has_its_place_once_in_its_own_section(stack: str) -> None:
    args, sections = args_of(stack), in_sections(stack)
    places = {
        alarm_arn: section
        for section, widgets in sections.items()
        for widget in widgets
        for alarm_arn in widget["properties"].get("alarms", [])
    }
    every: list[AlarmRule | CompositeRule] = [*args.rules, *args.composites]
    assert places == {arn(args.settings, rule.label): rule.told.section.value for rule in every}
    shown = sum(len(widget["properties"].get("alarms", [])) for widgets in sections.values() for widget in widgets)
    assert shown == len(every), "a second tile for one alarm is a second look at nothing"


@pytest.mark.parametrize("stack", STACKS)
def test_what_an_alarm_looks_at_is_drawn_with_its_threshold(stack: str) -> None:
    args = args_of(stack)
    parts = {label for rule in args.composites for label in rule.all_of}
    for rule in args.rules:
        if rule.label in parts or rule.told.severity is Severity.HEARTBEAT:
            continue
        assert is_drawn(stack, rule), f"{rule.label} is raised by something that the dashboard does not show"


def is_drawn(stack: str, rule: AlarmRule) -> bool:
    """Whether all the rule's metrics are in one graph with its threshold, shaded on the side that raises it."""
    canvas = Canvas(region=REGION, places=args_of(stack).places)
    wanted = {(*canvas.line(metric)[:-1], metric.statistic) for metric in rule.metrics}
    side = "above" if rule.comparison.startswith("Greater") else "below"
    mark = (rule.threshold, f"{rule.label} ({rule.told.severity})", side)
    graphs = [widget["properties"] for widget in in_sections(stack)[rule.told.section] if widget["type"] == "metric"]
    return any(
        mark in [(each["value"], each["label"], each.get("fill")) for each in graph["annotations"]["horizontal"]]
        and wanted <= {(*line[:-1], line[-1].get("stat")) for line in graph["metrics"]}
        for graph in graphs
        if "annotations" in graph
    )


def test_what_is_drawn_by_hand_is_no_name_of_yesterday() -> None:
    labels = {rule.label for rule in args_of("prod").rules}
    assert set(DRAWN) <= labels, "an alarm of another name would be drawn twice or not at all"
    queries = {query.name: query for query in saved_queries(settings_of("prod"))}
    for names in TABLES.values():
        assert all(queries[name].logs == (EVENTS,) for name in names), "others are paid for each time somebody looks"


def test_alarms_of_one_kind_share_a_graph() -> None:
    missing = graph("staging", "tasks missing")
    assert [line[-1]["label"] for line in missing["metrics"]] == [
        "tasks-missing-web",
        "tasks-missing-mail",
        "tasks-missing-search-index",
    ]


def test_an_expression_is_drawn_with_ids_of_its_own() -> None:
    drawn = graph("prod", "release errors")
    (rule,) = [rule for rule in args_of("prod").rules if rule.label == "release-errors"]
    assert drawn["metrics"][0][0]["expression"] == re.sub(r"\bm(\d)", r"r0m\1", rule.expression)
    assert [line[-1]["visible"] for line in drawn["metrics"][1:]] == [False] * len(rule.metrics)


def test_thresholds_hold_however_far_somebody_looks_back() -> None:
    assert body(args_of("prod"))["periodOverride"] == "inherit", "a sum over an hour is above any minute's threshold"
    rules = {rule.label: rule for rule in args_of("prod").rules}
    assert [line[-1]["period"] for line in graph("prod", "slow queries")["metrics"]] == [
        rules["slow-queries"].period_seconds
    ]


def test_metrics_are_told_apart_by_the_names_that_aws_gave() -> None:
    traffic = graph("prod", "traffic")["metrics"][0]
    assert traffic[2:-1] == ["LoadBalancer", "name-of-BALANCER", "TargetGroup", "name-of-TARGET_GROUP"]


def test_runbooks_are_links_where_the_stack_file_says_where_they_are() -> None:
    linked = text_with("https://example.com/runbooks/")
    assert "[target-errors](https://example.com/runbooks/target-errors.md), " in linked
    assert " target-errors, " in text_with("")


def text_with(runbook_url: str) -> str:
    args = args_of("prod")
    told = replace(args.settings.observability, runbook_url=runbook_url)
    made = body(replace(args, settings=replace(args.settings, observability=told)))
    return str(made["widgets"][0]["properties"]["markdown"])


@pytest.mark.parametrize("preview", [False, True])
def test_the_component_makes_one_dashboard_under_the_name_that_alarms_tell(*, preview: bool) -> None:
    args = args_of("prod")
    known = pulumi.Output.from_input

    def program() -> None:
        arns = {label: known(value) for label, value in args.alarm_arns.items()}
        Dashboard("pactum-prod", replace(args, alarm_arns=arns, places=dict(args.places)))

    recorder = record(program, stack="prod", preview=preview)
    assert recorder.error is None
    made = recorder.only("aws:cloudwatch/dashboard:Dashboard").inputs
    assert made["dashboardName"] == "pactum-prod", "a text of its own: an alarm names it before it is there"
    assert json.loads(made["dashboardBody"]) == body(args)
