"""What CloudWatch takes as a dashboard (API reference, "Dashboard Body Structure and Syntax"), as far as we use it.

PutDashboard accepts much that it then does not show: it only answers with messages, which nobody reads in an update.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_WIDGETS, MOST_METRICS, MOST_METRICS_IN_ALL, MOST_ALARMS = 500, 500, 2500, 100
LENGTH_OF_A_TIME = r"-P(T\d+[HMS]|\d+[DWM])"
STATISTIC = r"Sum|Average|Minimum|Maximum|SampleCount|p\d{1,2}(\.\d+)?|PR\([\d.]*:[\d.]*\)"
IDENTIFIER = r"[a-z][a-zA-Z0-9_]*"
COLOUR = r"#[0-9a-f]{6}"
# Names of the math functions, which are not ids.
FUNCTION = r"[A-Z_]+"
MARKS = ("value", "label", "color", "fill")

PROPERTIES: dict[str, dict[str, tuple[type, ...]]] = {
    "text": {"markdown": (str,)},
    "alarm": {"title": (str,), "alarms": (list,), "sortBy": (str,), "states": (list,)},
    "log": {"title": (str,), "region": (str,), "view": (str,), "query": (str,)},
    "metric": {
        "title": (str,),
        "region": (str,),
        "view": (str,),
        "metrics": (list,),
        "annotations": (dict,),
        "sparkline": (bool,),
        "start": (str,),
    },
}
REQUIRED = {
    "text": {"markdown"},
    "alarm": {"alarms"},
    "log": {"region", "query"},
    "metric": {"region", "metrics"},
}
RENDERING = {
    "label": str,
    "stat": str,
    "period": int,
    "id": str,
    "visible": bool,
    "expression": str,
}


def problems(body: dict[str, Any]) -> list[str]:
    """Everything CloudWatch would refuse, or not show."""
    widgets = body["widgets"]
    found = [f"unknown key {key}" for key in body.keys() - {"start", "periodOverride", "widgets"}]
    if not re.fullmatch(LENGTH_OF_A_TIME, body["start"]):
        found.append(f"start {body['start']}")
    if body["periodOverride"] not in ("auto", "inherit"):
        found.append(f"periodOverride {body['periodOverride']}")
    if len(widgets) > MOST_WIDGETS:
        found.append(f"{len(widgets)} widgets")
    if sum(len(widget["properties"].get("metrics", ())) for widget in widgets) > MOST_METRICS_IN_ALL:
        found.append("too many metrics in all")
    for number, widget in enumerate(widgets):
        found += [f"widget {number}, {widget['type']}: {problem}" for problem in _of_widget(widget)]
    return found + list(_overlaps(widgets))


def _of_widget(widget: dict[str, Any]) -> Iterator[str]:
    if widget.keys() != {"type", "x", "y", "width", "height", "properties"}:
        yield f"keys {sorted(widget)}"
    if not (0 <= widget["x"] <= 23 and widget["y"] >= 0 and 1 <= widget["height"] <= 1000):
        yield "no place on the grid"
    if not 1 <= widget["width"] <= 24 - widget["x"]:
        yield "wider than the grid"
    kind, properties = widget["type"], widget["properties"]
    known = PROPERTIES[kind]
    yield from (f"unknown property {name}" for name in properties.keys() - known.keys())
    yield from (f"no {name}" for name in REQUIRED[kind] - properties.keys())
    for name in known.keys() & properties.keys():
        if type(properties[name]) not in known[name]:
            yield f"{name} is {properties[name]!r}"
    yield from {"alarm": _of_alarms, "metric": _of_metrics, "log": _of_query, "text": _of_text}[kind](properties)


def _of_text(properties: dict[str, Any]) -> Iterator[str]:
    if not properties["markdown"]:
        yield "no text"


def _of_alarms(properties: dict[str, Any]) -> Iterator[str]:
    alarms = properties["alarms"]
    if not 1 <= len(alarms) <= MOST_ALARMS:
        yield f"{len(alarms)} alarms"
    yield from (
        f"alarm {arn!r}" for arn in alarms if not re.fullmatch(r"arn:aws:cloudwatch:[^:]+:\d{12}:alarm:.+", arn)
    )
    if properties["sortBy"] not in ("default", "stateUpdatedTimestamp", "timestamp"):
        yield f"sortBy {properties['sortBy']}"


def _of_query(properties: dict[str, Any]) -> Iterator[str]:
    if not re.match(r"SOURCE '/[^']+' \| \w+", properties["query"]):
        yield f"query {properties['query']}"
    if properties["view"] not in ("table", "timeSeries", "bar", "pie"):
        yield f"view {properties['view']}"


def _of_metrics(properties: dict[str, Any]) -> Iterator[str]:
    lines = properties["metrics"]
    if not 1 <= len(lines) <= MOST_METRICS:
        yield f"{len(lines)} metrics"
    if properties["view"] not in ("timeSeries", "singleValue", "gauge", "bar", "pie", "table"):
        yield f"view {properties['view']}"
    if "start" in properties and not re.fullmatch(LENGTH_OF_A_TIME, properties["start"]):
        yield f"start {properties['start']}"
    for line in lines:
        yield from _of_line(line)
    ids = [line[-1]["id"] for line in lines if "id" in line[-1]]
    yield from (f"id {name} is there twice" for name in set(ids) if ids.count(name) > 1)
    for text in (line[-1]["expression"] for line in lines if "expression" in line[-1]):
        used = {name for name in re.findall(r"[A-Za-z_]\w*", text) if not re.fullmatch(FUNCTION, name)}
        yield from (f"{text} uses {name}, which is not there" for name in used - set(ids))
    if not any(line[-1].get("visible", True) for line in lines):
        yield "nothing is visible"
    yield from _of_marks(properties.get("annotations", {}).get("horizontal", []))


def _of_marks(marks: list[dict[str, Any]]) -> Iterator[str]:
    for mark in marks:
        if type(mark["value"]) is not float or not mark["label"] or mark.keys() - {*MARKS}:
            yield f"annotation {mark}"
        if not re.fullmatch(COLOUR, mark.get("color", "#000000")):
            yield f"colour {mark['color']}"
        if mark.get("fill", "above") not in ("above", "below"):
            yield f"fill {mark['fill']}"


def _of_line(line: list[Any]) -> Iterator[str]:
    *metric, rendering = line
    yield from (
        f"{name} is {value!r}"
        for name, value in rendering.items()
        if type(value) is not RENDERING.get(name, type(None))
    )
    if not re.fullmatch(IDENTIFIER, rendering.get("id", "a")):
        yield f"id {rendering['id']}"
    if rendering.get("period", 60) % 60:
        yield f"period {rendering['period']}"
    if "expression" in rendering:
        if metric or "stat" in rendering:
            yield "an expression is no metric"
        return
    # Namespace and name, then dimensions in pairs.
    if len(metric) < 2 or len(metric) % 2 or not all(isinstance(part, str) and part for part in metric):
        yield f"metric {metric}"
    if not re.fullmatch(STATISTIC, rendering.get("stat", "")):
        yield f"stat {rendering.get('stat')}"


def _overlaps(widgets: list[dict[str, Any]]) -> Iterator[str]:
    taken: dict[tuple[int, int], int] = {}
    for number, widget in enumerate(widgets):
        for x in range(widget["x"], widget["x"] + widget["width"]):
            for y in range(widget["y"], widget["y"] + widget["height"]):
                if (x, y) in taken:
                    yield f"widgets {taken[x, y]} and {number} overlap"
                    return
                taken[x, y] = number
