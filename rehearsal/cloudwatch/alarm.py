"""A metric alarm as PutMetricAlarm describes it: its rule, the metrics it looks at, and its state at a moment."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rehearsal.cloudwatch import metric_math
from rehearsal.cloudwatch.evaluation import COMPARISONS, MISSING_DATA, Outcome, Rule, evaluate
from rehearsal.cloudwatch.metric_math import MathError, Series
from rehearsal.cloudwatch.statistics import Datum, is_known, statistic

MINUTE, HOUR, DAY = 60, 3600, 86400
HIGH_RESOLUTION_STEP = 10  # seconds between evaluations of an alarm whose period is shorter than a minute
SHORT_PERIODS = (10, 20, 30)
LONGEST_LOOK = 7 * DAY  # with periods of an hour or more; with shorter ones a day


class CannotEvaluateError(ValueError):
    """An alarm of a kind that is not covered here; the message says which part."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One metric, identified as CloudWatch does, and how an alarm reads it. The period is in seconds."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]
    period: int
    statistic: str


# What was published for a metric from one moment (inclusive) to another, in seconds since 1970.
Source = Callable[[Metric, float, float], Sequence[Datum]]


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """An alarm's rule on one expression over its metrics by id; `expressions` may use each other."""

    rule: Rule
    metrics: Mapping[str, Metric]
    expressions: Mapping[str, str]
    returned: str
    period: int

    @property
    def step(self) -> int:
        """Seconds between two evaluations: an alarm that looks at more than a day is evaluated by the hour."""
        if self.period * self.rule.periods > DAY:
            return HOUR
        return MINUTE if self.period >= MINUTE else HIGH_RESOLUTION_STEP

    @property
    def is_pointwise(self) -> bool:
        """Whether its value for a period depends on that period's data only."""
        return all(metric_math.is_pointwise(expression) for expression in self.expressions.values())

    def window_end(self, now: float) -> int:
        """End of the latest whole window at a moment: windows slide by a minute, whatever the period."""
        return math.floor(now / self.step) * self.step

    def evaluate(self, end: int, source: Source) -> Outcome:
        """Evaluate it on the datapoints of the periods that end at `end` and before."""
        times = [end - self.period * back for back in range(self.rule.range, 0, -1)]
        found = self.values(times, source)
        return evaluate(self.rule, [found.get(time) for time in times])

    def values(self, times: Sequence[int], source: Source) -> Series:
        """What it compares with its threshold, for the periods that begin at `times`."""
        series = {name: _series(metric, times, source) for name, metric in self.metrics.items()}
        return _resolve(self.returned, self.expressions, series, times)


def _series(metric: Metric, times: Sequence[int], source: Source) -> Series:
    read = ((time, statistic(metric.statistic, source(metric, time, time + metric.period))) for time in times)
    return {time: number for time, number in read if number is not None}


def _resolve(
    name: str, expressions: Mapping[str, str], series: dict[str, Series], times: Sequence[int], depth: int = 0
) -> Series:
    if name in series:
        return series[name]
    if depth > len(expressions):
        raise MathError(f"the expression {name!r} uses itself")
    known: dict[str, metric_math.Value] = {**series}
    for other in metric_math.names(expressions[name]) & expressions.keys():
        known[other] = _resolve(other, expressions, series, times, depth + 1)
    return metric_math.evaluate(expressions[name], known, times)


def read(description: Mapping[str, Any]) -> Alarm:
    """Read an alarm from the fields of PutMetricAlarm. Raises CannotEvaluateError for what is not covered."""
    comparison, missing = description.get("ComparisonOperator"), description.get("TreatMissingData") or "missing"
    if comparison not in COMPARISONS or missing not in MISSING_DATA:
        raise CannotEvaluateError(f"comparison {comparison!r} with missing data {missing!r} is not covered")
    periods = int(description.get("EvaluationPeriods") or 1)
    rule = Rule(
        periods=periods,
        datapoints=int(description.get("DatapointsToAlarm") or periods),
        comparison=comparison,
        threshold=float(description.get("Threshold") or 0),
        missing=missing,
    )
    queries = description.get("Metrics") or [_as_query(description)]
    metrics = {query["Id"]: _metric(query["MetricStat"]) for query in queries if query.get("MetricStat")}
    expressions = {query["Id"]: query["Expression"] for query in queries if query.get("Expression")}
    returned = [query["Id"] for query in queries if query.get("ReturnData", True)]
    periods_of_metrics = {metric.period for metric in metrics.values()}
    if len(returned) != 1 or len(periods_of_metrics) != 1:
        raise CannotEvaluateError("an alarm needs one query that returns data, and one period for all its metrics")
    _check_times(period := periods_of_metrics.pop(), periods)
    alarm = Alarm(rule=rule, metrics=metrics, expressions=expressions, returned=returned[0], period=period)
    try:
        alarm.evaluate(0, lambda *_: [])
    except MathError as error:
        raise CannotEvaluateError(str(error)) from error
    return alarm


def _check_times(period: int, periods: int) -> None:
    """CloudWatch's limits, which PutMetricAlarm refuses to exceed."""
    if period not in SHORT_PERIODS and (period < MINUTE or period % MINUTE):
        raise CannotEvaluateError(f"a period is 10, 20 or 30 seconds or whole minutes, not {period} seconds")
    longest = LONGEST_LOOK if period >= HOUR else DAY
    if period * periods > longest:
        raise CannotEvaluateError(f"{periods} periods of {period} seconds are longer than {longest} seconds")


def _as_query(description: Mapping[str, Any]) -> dict[str, Any]:
    metric = {key: description.get(key) for key in ("Namespace", "MetricName", "Dimensions")}
    chosen = description.get("ExtendedStatistic") or description.get("Statistic")
    return {"Id": "m1", "MetricStat": {"Metric": metric, "Period": description.get("Period"), "Stat": chosen}}


def _metric(found: Mapping[str, Any]) -> Metric:
    if not is_known(str(found.get("Stat"))):
        raise CannotEvaluateError(f"the statistic {found.get('Stat')!r} is not covered")
    return Metric(
        namespace=str(found["Metric"].get("Namespace")),
        name=str(found["Metric"].get("MetricName")),
        dimensions=frozenset((one["Name"], one["Value"]) for one in found["Metric"].get("Dimensions") or []),
        period=int(found.get("Period") or MINUTE),
        statistic=str(found["Stat"]),
    )
