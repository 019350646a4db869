"""MiniStack's metrics, read and written by threads of ours beside its own."""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from ministack.services import cloudwatch

from rehearsal.cloudwatch.alarm import Metric
from rehearsal.cloudwatch.statistics import Datum
from rehearsal.emulator.patching import replace, require

_lock = threading.Lock()


def put(namespace: str, name: str, dimensions: Mapping[str, str], at: float, unit: str, data: Sequence[Datum]) -> None:
    """Publish data of one moment (seconds since 1970) in the current account and region."""
    points = [
        {"Timestamp": at, "Unit": unit, "Dimensions": dict(dimensions), "Value": one.minimum, "Count": one.count}
        for one in data
        if one.one_value
    ]
    with _lock:
        cloudwatch._metric_bucket((namespace, name, cloudwatch._dims_key(dict(dimensions)))).extend(points)


def between(metric: Metric, start: float, end: float) -> list[Datum]:
    """What was published for exactly this metric in a period, in the current account and region."""
    key = (metric.namespace, metric.name, cloudwatch._dims_key(dict(metric.dimensions)))
    points: list[dict[str, Any]] = list(cloudwatch._metrics.get(key) or [])
    stats = (cloudwatch._point_stats(point) for point in points if start <= point["Timestamp"] < end)
    return [Datum(count=count, total=total, minimum=low, maximum=high) for count, total, low, high in stats]


def install() -> None:
    """Let no datum get lost that is published while MiniStack throws away old ones."""

    def evict() -> None:
        with _lock:
            original()

    require(cloudwatch, "_metric_bucket", "(key: tuple) -> list")
    require(cloudwatch, "_dims_key", "(dims: dict) -> str")
    require(cloudwatch, "_point_stats", "(pt)")
    original = replace(cloudwatch, "_evict_old_metrics", "()", evict)
