"""Metric filters: what is written to a log becomes metric data, minute by minute. MiniStack only keeps the filters."""

import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import cloudwatch_logs, ecs

from rehearsal.cloudwatch.filter_pattern import matches, value
from rehearsal.cloudwatch.json_pattern import FilterPatternError
from rehearsal.cloudwatch.statistics import value as datum
from rehearsal.emulator import metric_store
from rehearsal.emulator.patching import Extension, replace
from rehearsal.emulator.repeating import LoopFailedError, look_again

logger = logging.getLogger("rehearsal.filters")

EXTENSION = Extension(
    name="metric filters",
    rule=(
        "Each line put to a log group after its filter was made, and meant by the filter's pattern, is a datum of the "
        "filter's metric in the line's own minute, with its value, unit and dimensions; the default value stands for a "
        "minute whose lines the pattern did not mean"
    ),
    source="Creating metrics from log events using filters; MetricTransformation",
)
MINUTE = 60
MOST_DIMENSIONS = 3
MILLISECONDS = 1000
Record = dict[str, Any]
Tenant = tuple[str, str]  # account, region
# Whose, namespace, metric, dimensions, unit.
Name = tuple[Tenant, str, str, tuple[tuple[str, str], ...], str]


class MetricFilters:
    """Takes lines as they are put, reads them a little later, and publishes each minute once it is over."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._put: queue.SimpleQueue[tuple[Tenant, str, list[Record]]] = queue.SimpleQueue()
        # By minute: how often each value was seen, and what stands for a metric that none was seen of.
        self._values: dict[int, dict[Name, Counter[float]]] = {}
        self._defaults: dict[int, dict[Name, float]] = {}

    def take(self, group: str, events: list[Record]) -> None:
        """Note lines for later: whoever writes a log does not wait for its filters."""
        self._put.put(((get_account_id(), get_region()), group, events))

    def run(self, closing: threading.Event, on_failure: Callable[[LoopFailedError], None]) -> None:
        """Read and publish until the emulator closes."""
        look_again("metric filters", self.look, closing, on_failure)

    def look(self) -> None:
        """Read what was put by now, and publish the minutes that are over."""
        now = self._clock()
        filters: dict[tuple[Tenant, str], list[Record]] = {}
        while not self._put.empty():
            tenant, group, events = self._put.get()
            if (tenant, group) not in filters:
                with request_scope(*tenant):
                    filters[tenant, group] = filters_of(group)
            for each in filters[tenant, group]:
                for event in events:
                    self._read(tenant, each, event, now)
        for minute in [minute for minute in self._values if minute + MINUTE <= now]:
            self._publish(minute, self._values.pop(minute), self._defaults.pop(minute, {}))

    def _read(self, tenant: Tenant, each: Record, event: Record, now: float) -> None:
        at = event.get("timestamp", now * MILLISECONDS) / MILLISECONDS
        message, minute = event["message"], int(at // MINUTE) * MINUTE
        meant = matches(each["filterPattern"], message)
        for transformation in each["metricTransformations"]:
            if meant:
                for name, number in data(tenant, transformation, message):
                    self._values.setdefault(minute, {}).setdefault(name, Counter())[number] += 1
            elif transformation.get("defaultValue") is not None:
                name = metric_name(tenant, transformation, {})
                self._values.setdefault(minute, {}).setdefault(name, Counter())
                self._defaults.setdefault(minute, {})[name] = float(transformation["defaultValue"])

    def _publish(self, minute: int, values: dict[Name, Counter[float]], defaults: dict[Name, float]) -> None:
        for name, counts in values.items():
            tenant, namespace, metric, dimensions, unit = name
            seen = counts or Counter({defaults[name]: 1})
            with request_scope(*tenant):
                published = [datum(number, times) for number, times in seen.items()]
                metric_store.put(namespace, metric, dict(dimensions), minute, unit, published)


def filters_of(group: str) -> list[Record]:
    """The metric filters of a log group of the current account and region."""
    return [each for each in cloudwatch_logs._metric_filters.values() if each["logGroupName"] == group]


def data(tenant: Tenant, transformation: Record, message: str) -> Iterator[tuple[Name, float]]:
    """The datum that a line is, or none: its value must be a number, and it must have what the dimensions name."""
    given = str(transformation["metricValue"])
    text = value(given, message) if given.startswith("$") else given
    chosen = {key: value(selector, message) for key, selector in (transformation.get("dimensions") or {}).items()}
    dimensions = {key: found for key, found in chosen.items() if found}
    if text is None or len(dimensions) < len(chosen):
        return
    try:
        yield metric_name(tenant, transformation, dimensions), float(text)
    except ValueError:
        logger.info("%r is no number, so no datum of %s", text, transformation["metricName"])


def metric_name(tenant: Tenant, transformation: Record, dimensions: dict[str, str]) -> Name:
    """The metric that a transformation feeds."""
    unit = transformation.get("unit") or "None"
    namespace, metric = transformation["metricNamespace"], transformation["metricName"]
    return tenant, namespace, metric, tuple(sorted(dimensions.items())), unit


def problem_of(wanted: Record) -> str:
    """What CloudWatch Logs would not take of a filter, or the rehearsal would not understand; empty for nothing."""
    try:
        matches(wanted.get("filterPattern", ""), "")
        for transformation in wanted.get("metricTransformations", []):
            dimensions = transformation.get("dimensions") or {}
            if dimensions and transformation.get("defaultValue") is not None:
                return "Invalid metric transformation: dimensions and default value are mutually exclusive properties."
            if len(dimensions) > MOST_DIMENSIONS:
                return f"Invalid metric transformation: it has more than {MOST_DIMENSIONS} dimensions."
            for selector in (*dimensions.values(), transformation["metricValue"]):
                if selector in dimensions.values() or str(selector).startswith("$"):
                    value(selector, "{}")
    except FilterPatternError as error:
        return f"Invalid metric filter pattern: {error}."
    return ""


def install(filters: MetricFilters) -> None:
    """See every line that is put, and refuse a filter that would never count."""

    def put_events(asked: Record) -> Any:
        answer = put(asked)
        if answer[0] == 200 and asked.get("logEvents"):  # noqa: PLR2004
            filters.take(asked["logGroupName"], asked["logEvents"])
        return answer

    def put_filter(asked: Record) -> Any:
        if problem := problem_of(asked):
            return ecs.error_response_json("InvalidParameterException", problem, 400)
        return make(asked)

    put = replace(cloudwatch_logs, "_put_log_events", "(data)", put_events)
    make = replace(cloudwatch_logs, "_put_metric_filter", "(data)", put_filter)
