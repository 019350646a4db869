"""The dashboard of a stack, as the tests look at it."""

from __future__ import annotations

from functools import cache
from typing import Any

from infra.observability.alarm import Place
from infra.observability.alarm_table import alarm_rules, composite_rules
from infra.observability.dashboard import DashboardArgs, body
from infra.settings import Settings, load
from tests.recorder import ACCOUNT, REGION, configure, record

STACKS = ["staging", "prod"]
WORKERS = {"mail": {"command": ["python"]}, "search-index": {"command": ["python"]}}


@cache
def settings_of(stack: str) -> Settings:
    """With two workers, so that alarms of one kind are several."""
    configure(stack, workers=WORKERS)
    loaded: list[Settings] = []
    recorder = record(lambda: loaded.append(load()), stack=stack)
    assert recorder.error is None
    return loaded[0]


def args_of(stack: str) -> DashboardArgs:
    settings = settings_of(stack)
    rules, composites = alarm_rules(settings), composite_rules(settings)
    labels = [rule.label for rule in rules] + [rule.label for rule in composites]
    return DashboardArgs(
        settings=settings,
        rules=rules,
        composites=composites,
        alarm_arns={label: arn(settings, label) for label in labels},
        places={place: f"name-of-{place.name}" for place in Place},
    )


def arn(settings: Settings, label: str) -> str:
    return f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{settings.name}-{label}-0a1b2c3"


def in_sections(stack: str) -> dict[str, list[dict[str, Any]]]:
    """The widgets below each heading, by the section it names."""
    found: dict[str, list[dict[str, Any]]] = {}
    for widget in body(args_of(stack))["widgets"]:
        if widget["type"] == "text":
            found[widget["properties"]["markdown"].partition("\n")[0].rpartition(": ")[2]] = []
        list(found.values())[-1].append(widget)
    return found


def graph(stack: str, title: str) -> dict[str, Any]:
    (found,) = [
        widget["properties"]
        for widget in body(args_of(stack))["widgets"]
        if widget["properties"].get("title", "").startswith(title)
    ]
    return dict(found)
