"""The pieces of a dashboard, as CloudWatch's "Dashboard Body Structure and Syntax" has them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import pulumi

from infra.observability.alarm import AlarmRule, Metric, Severity
from infra.observability.metrics import Places, dimensions

Widget = dict[str, Any]
Line = list[Any]

COLUMNS = 24
TABLE_COLUMNS = 16
HEADING_ROWS, GRAPH_ROWS = 2, 6
# An alarm's tile is four columns wide and two rows high; the widget's title takes one row more.
TILE_COLUMNS, TILE_ROWS, TITLE_ROWS = 4, 2, 1
RED, ORANGE, GREY = "#d62728", "#ff7f0e", "#7f7f7f"
COLOURS = {Severity.PAGE: RED, Severity.TICKET: ORANGE}
METRIC_ID = re.compile(r"\bm(\d+)\b")


@dataclass(frozen=True, kw_only=True)
class Canvas:
    """What all widgets of a dashboard share: the region, and the names that only AWS knows."""

    region: str
    places: Places

    def line(self, metric: Metric, **rendering: Any) -> Line:  # noqa: ANN401 - any JSON value
        """A metric as a graph takes it, read by its own statistic."""
        named = [part for pair in sorted(dimensions(metric, self.places).items(), key=itemgetter(0)) for part in pair]
        return [metric.namespace, metric.name, *named, {"stat": metric.statistic, **rendering}]

    def of_rule(self, rule: AlarmRule, number: int) -> list[Line]:
        """What an alarm looks at, in its own periods; `number` keeps its ids apart from those of others."""
        period = {"period": rule.period_seconds}
        if not rule.expression:
            return [self.line(metric, label=rule.label, **period) for metric in rule.metrics]
        prefix = f"r{number}m"
        return [
            [{"expression": METRIC_ID.sub(rf"{prefix}\1", rule.expression), "id": f"r{number}", "label": rule.label}],
            *(
                self.line(metric, id=f"{prefix}{index}", visible=False, **period)
                for index, metric in enumerate(rule.metrics)
            ),
        ]

    def graph(self, title: str, lines: Sequence[Line], *, width: int = 8, **properties: Any) -> Widget:  # noqa: ANN401
        """A metric widget; `properties` go beside its lines."""
        shown = {"title": title, "region": self.region, "view": "timeSeries", "metrics": list(lines), **properties}
        return {"type": "metric", "width": width, "height": GRAPH_ROWS, "properties": shown}

    def log_table(self, title: str, log_group: str, query: str) -> Widget:
        """What a Logs Insights query finds, asked anew each time the dashboard is opened."""
        properties = {
            "title": title,
            "region": self.region,
            "view": "table",
            "query": f"SOURCE '{log_group}' | {query}",
        }
        return {"type": "log", "width": TABLE_COLUMNS, "height": GRAPH_ROWS, "properties": properties}


def limits(rules: Iterable[AlarmRule], bounds: Mapping[str, float] | None = None) -> dict[str, Any]:
    """The thresholds of alarms as lines across a graph, shaded on the side that raises them, and other `bounds`."""
    lines = [
        {
            "value": rule.threshold,
            "label": f"{rule.label} ({rule.told.severity})",
            "color": COLOURS.get(rule.told.severity, GREY),
            "fill": "above" if rule.comparison.startswith("Greater") else "below",
        }
        for rule in rules
    ]
    return {"horizontal": lines + [{"value": value, "label": label} for label, value in (bounds or {}).items()]}


def heading(markdown: str) -> Widget:
    """Text over the whole width."""
    return {"type": "text", "width": COLUMNS, "height": HEADING_ROWS, "properties": {"markdown": markdown}}


def alarm_tiles(title: str, alarm_arns: Sequence[pulumi.Input[str]]) -> Widget:
    """The state of alarms, those that are raised first."""
    rows = -(-len(alarm_arns) // (COLUMNS // TILE_COLUMNS))
    properties = {"title": title, "alarms": list(alarm_arns), "sortBy": "stateUpdatedTimestamp"}
    return {"type": "alarm", "width": COLUMNS, "height": TITLE_ROWS + rows * TILE_ROWS, "properties": properties}


def laid_out(widgets: Iterable[Widget]) -> list[Widget]:
    """The widgets with their places: from left to right, and on a new row where one does not fit any more."""
    placed: list[Widget] = []
    x = y = row_height = 0
    for widget in widgets:
        if x + widget["width"] > COLUMNS:
            x, y, row_height = 0, y + row_height, 0
        placed.append({"x": x, "y": y, **widget})
        x, row_height = x + widget["width"], max(row_height, widget["height"])
    return placed
