"""infra/observability/budget.py: the arithmetic of the budget that a dashboard shows, evaluated as CloudWatch does."""

from __future__ import annotations

from typing import Any

from infra.observability.objectives import objectives
from tests.dashboards import graph, settings_of


def test_the_budget_is_that_of_a_month_whatever_the_dashboard_shows() -> None:
    budget = graph("prod", "availability: percent of 30 days' error budget left")
    assert (budget["view"], budget["start"]) == ("singleValue", "-P30D"), "the last value of the series is what is left"
    assert {line[-1]["period"] for line in budget["metrics"]} == {3600}
    assert graph("prod", "availability: percent of bad requests")["start"] == "-P7D"


class Series(dict[int, float]):
    """A time series of metric math: a missing value counts as 0 in arithmetic, what is divided by 0 is dropped."""

    def _with(self, other: Any, operation: Any) -> Series:
        other = other if isinstance(other, Series) else Series.fromkeys(self, other)
        times = self.keys() | other.keys()
        return Series({at: operation(self.get(at, 0.0), other.get(at, 0.0)) for at in sorted(times)})

    def __add__(self, other: Any) -> Series:
        return self._with(other, lambda one, two: one + two)

    def __mul__(self, other: Any) -> Series:
        return self._with(other, lambda one, two: one * two)

    def __rmul__(self, other: Any) -> Series:
        return self._with(other, lambda one, two: one * two)

    def __rsub__(self, other: Any) -> Series:
        return self._with(other, lambda one, two: two - one)

    def __truediv__(self, other: Any) -> Series:
        found = self._with(other, lambda one, two: one / two if two else None)
        return Series({at: value for at, value in found.items() if value is not None})


HOURS = range(720)
FUNCTIONS = {
    "FILL": lambda series, value: Series({at: series.get(at, value) for at in HOURS}),
    "SUM": lambda series: sum(series.values()),
    "RUNNING_SUM": lambda series: Series({at: sum(series[each] for each in HOURS if each <= at) for at in series}),
}


def left(objective: str, *metrics: dict[int, float]) -> Series:
    """The budget that a widget shows as left, evaluated over a month's hours."""
    lines = graph("prod", f"{objective}: percent of 30 days' error budget left")["metrics"]
    known: dict[str, Any] = {f"m{number}": Series(values) for number, values in enumerate(metrics)}
    for line in lines:
        if "expression" in line[-1]:
            known[line[-1]["id"]] = eval(line[-1]["expression"], dict(FUNCTIONS), known)  # noqa: S307 - our own text
    (visible,) = [line[-1]["id"] for line in lines if line[-1].get("visible", True)]
    return Series(known[visible])


def every_hour(value: float) -> dict[int, float]:
    return dict.fromkeys(HOURS, value)


def test_a_month_without_errors_leaves_the_whole_budget() -> None:
    assert set(left("availability", {}, {}, {}, {}, every_hour(1000)).values()) == {100.0}
    assert set(left("latency", every_hour(100), every_hour(1000)).values()) == {100.0}


def test_what_was_allowed_leaves_nothing_and_more_is_below_zero() -> None:
    """720,000 requests, of which 0.1 % may be answered by 5xx, and 1 % may be slow."""
    promised = [objective.percent for objective in objectives(settings_of("prod"))]
    assert promised == [99.9, 99.0], "the figures below"
    spent = left("availability", {100: 360.0}, {}, {400: 360.0}, {}, {**every_hour(1000), 400: 640.0})
    assert [round(spent[at], 4) for at in (99, 100, 399)] == [100.0, 50.0, 50.0], "half of it went in one hour"
    assert round(spent[719], 1) == 0.0, "a 503 is not in RequestCount"
    assert round(left("availability", {5: 1440.0}, {}, {}, {}, every_hour(1000))[719], 4) == -100.0
    assert round(left("latency", every_hour(99), every_hour(1000))[719], 4) == 0.0


def test_hours_without_requests_cost_nothing() -> None:
    quiet = {at: 1000.0 for at in HOURS if at % 24 > 6}
    assert set(left("availability", {}, {}, {}, {}, quiet).values()) == {100.0}
    assert set(left("latency", dict.fromkeys(quiet, 100.0), quiet).values()) == {100.0}


def test_the_hourly_share_is_drawn_beside_what_is_allowed() -> None:
    marks = graph("prod", "availability: percent of bad requests")["annotations"]["horizontal"]
    assert {mark["label"]: mark["value"] for mark in marks} == {
        "allowed": 0.1,
        "14.4 times (page)": 1.44,
        "6 times (page)": 0.6,
        "3 times (ticket)": 0.3,
    }
