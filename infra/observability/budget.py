"""The error budget on the dashboard: what of a month's allowed bad requests is left, and how fast it is used up."""

from collections.abc import Iterator

from infra.observability.objectives import EVERYTHING_PERCENT, HOUR, PAIRS, Objective, objectives
from infra.observability.widgets import COLOURS, COLUMNS, Canvas, Line, Widget
from infra.settings import Settings

MONTH, WEEK = "-P30D", "-P7D"


def budget_widgets(canvas: Canvas, settings: Settings) -> Iterator[Widget]:
    """For each objective its budget that is left, and the share of bad requests by the hour."""
    for objective in objectives(settings):
        yield canvas.graph(
            f"{objective.name}: percent of 30 days' error budget left ({objective.percent:g} % promised)",
            [*_left(objective), *_metrics(canvas, objective)],
            width=COLUMNS // 4,
            view="singleValue",
            sparkline=True,
            start=MONTH,
        )
        yield canvas.graph(
            f"{objective.name}: percent of bad requests by the hour, 7 days",
            [
                [{"expression": objective.bad_percent, "id": "bad", "label": objective.name, "period": HOUR}],
                *_metrics(canvas, objective),
            ],
            width=COLUMNS // 4,
            start=WEEK,
            annotations={"horizontal": _paces(objective)},
        )


def _left(objective: Objective) -> list[Line]:
    """By the hour, for a percentile has no meaning for a month; hours without requests have no share, and cost nothing.

    SUM of one series is a number, RUNNING_SUM is a series (CloudWatch User Guide, "Using metric math"): the last value
    is what is left now. Below 0 the promise is broken.
    """
    allowed = round(1 - objective.percent / EVERYTHING_PERCENT, 6)
    steps = {
        "share": objective.bad_percent,
        "asked": objective.requests,
        "bad": "FILL(share, 0) * asked / 100",
        "left": f"100 * (1 - RUNNING_SUM(bad) / (SUM(asked) * {allowed:g}))",
    }
    return [
        [{"expression": text, "id": name, "label": name, "visible": name == "left", "period": HOUR}]
        for name, text in steps.items()
    ]


def _metrics(canvas: Canvas, objective: Objective) -> list[Line]:
    return [
        canvas.line(metric, id=f"m{number}", visible=False, period=HOUR)
        for number, metric in enumerate(objective.metrics)
    ]


def _paces(objective: Objective) -> list[dict[str, object]]:
    """The share that is allowed, and those at which an alarm of an hour or more looks."""
    promised = {"value": round(EVERYTHING_PERCENT - objective.percent, 6), "label": "allowed"}
    return [promised] + [
        {
            "value": objective.threshold(pair.rate),
            "label": f"{pair.rate:g} times ({pair.severity})",
            "color": COLOURS[pair.severity],
        }
        for pair in PAIRS
    ]
