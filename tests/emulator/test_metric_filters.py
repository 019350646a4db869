"""Metric filters: which lines become data of which metric, and when."""

from collections.abc import Iterator
from typing import Any

import pytest
from ministack.services import cloudwatch, cloudwatch_logs
from rehearsal.cloudwatch.alarm import Metric
from rehearsal.cloudwatch.statistics import statistic
from rehearsal.emulator import metric_store
from rehearsal.emulator.metric_filters import MetricFilters, problem_of
from rehearsal.emulator.service_scheduler import Scheduler

from conftest import Clock

NOON = 1_000_020 - 1_000_020 % 60 + 60.0
GROUP = "/filtered"
ERROR = '{"level": "ERROR", "seconds": 2.5, "path": "/buy"}'
CALM = '{"level": "INFO"}'


@pytest.fixture
def clock(scheduler: Scheduler) -> Iterator[Clock]:
    """Ten seconds after noon of a long past day, with a log group."""
    assert scheduler is not None, "it has installed the extensions"
    cloudwatch_logs._create_log_group({"logGroupName": GROUP})
    yield Clock(NOON + 10)
    cloudwatch_logs.reset()
    cloudwatch.reset()


def put_filter(name: str = "errors", pattern: str = '{ $.level = "ERROR" }', **transformation: Any) -> None:
    """Make a filter that counts errors."""
    given = {"metricNamespace": "N", "metricName": "Errors", "metricValue": "1", **transformation}
    asked = {"logGroupName": GROUP, "filterName": name, "filterPattern": pattern, "metricTransformations": [given]}
    assert cloudwatch_logs._put_metric_filter(asked)[0] == 200


def put(filters: MetricFilters, at: float, *lines: str) -> None:
    """Put lines of one moment."""
    filters.take(GROUP, [{"timestamp": int(at * 1000), "message": line} for line in lines])


def read(minute: float, how: str = "Sum", **dimensions: str) -> float | None:
    """A statistic of the metric in a minute."""
    metric = Metric(namespace="N", name="Errors", dimensions=frozenset(dimensions.items()), period=60, statistic=how)
    return statistic(how, metric_store.between(metric, minute, minute + 60))


def test_lines_count_in_their_own_minute_once_it_is_over(clock: Clock) -> None:
    filters = MetricFilters(clock)
    put_filter()
    put(filters, clock.now, ERROR, CALM, ERROR)
    filters.look()
    assert read(NOON) is None, "the minute is not over"
    clock.now = NOON + 60
    put(filters, NOON + 59.9, ERROR)
    filters.look()
    assert read(NOON) == 3
    put(filters, NOON + 30, ERROR)
    filters.look()
    assert read(NOON) == 4, "a line that comes late counts in its own minute"
    clock.now = NOON + 120
    filters.look()
    assert read(NOON + 60) is None, "no line, no datum"


def test_what_was_written_before_a_filter_was_made_is_not_counted(clock: Clock) -> None:
    filters = MetricFilters(clock)
    put(filters, clock.now, ERROR)
    filters.look()
    put_filter()
    clock.now += 60
    filters.look()
    assert read(NOON) is None


def test_the_default_stands_for_a_minute_whose_lines_mean_nothing(clock: Clock) -> None:
    filters = MetricFilters(clock)
    put_filter(defaultValue=0.0)
    put(filters, NOON, CALM, CALM)
    put(filters, NOON + 60, CALM, ERROR)
    clock.now = NOON + 180
    filters.look()
    assert (read(NOON), read(NOON, "SampleCount")) == (0, 1), "a zero, by which an alarm returns to OK"
    assert (read(NOON + 60), read(NOON + 60, "SampleCount")) == (1, 1)
    assert read(NOON + 120) is None, "nothing was written"


def test_values_units_and_dimensions_are_read_from_the_line(clock: Clock) -> None:
    filters = MetricFilters(clock)
    put_filter(metricValue="$.seconds", unit="Seconds", dimensions={"Path": "$.path"})
    slow = ERROR.replace("2.5", "4")
    put(
        filters,
        NOON,
        ERROR,
        slow,
        '{"level": "ERROR", "seconds": 9}',
        '{"level": "ERROR", "path": "/", "seconds": "x"}',
    )
    clock.now = NOON + 60
    filters.look()
    assert read(NOON, "Maximum", Path="/buy") == 4
    assert read(NOON, "Sum", Path="/buy") == 6.5
    assert read(NOON) is None, "a line without the dimension is no datum of it"
    assert read(NOON, "SampleCount", Path="/") is None, "x is no number"
    ((_, points),) = cloudwatch._metrics.items()
    assert {point["Unit"] for point in points} == {"Seconds"}


def test_several_filters_feed_one_metric(clock: Clock) -> None:
    filters = MetricFilters(clock)
    put_filter("errors")
    put_filter("tracebacks", pattern='"Traceback"')
    put(filters, NOON, ERROR, "Traceback (most recent call last):")
    clock.now = NOON + 60
    filters.look()
    assert read(NOON) == 2


def test_lines_of_another_group_are_left_alone(clock: Clock) -> None:
    filters = MetricFilters(clock)
    put_filter()
    filters.take("/others", [{"timestamp": NOON * 1000, "message": ERROR}])
    clock.now = NOON + 60
    filters.look()
    assert read(NOON) is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"filterPattern": "{ $.level = "}, "Invalid metric filter pattern"),
        ({"metricTransformations": [{"metricValue": "$."}]}, "no selector"),
        ({"metricTransformations": [{"metricValue": "1", "dimensions": {"Path": "path"}}]}, "no selector"),
        (
            {"metricTransformations": [{"metricValue": "1", "dimensions": {"Path": "$.path"}, "defaultValue": 0.0}]},
            "mutually exclusive",
        ),
        (
            {"metricTransformations": [{"metricValue": "1", "dimensions": dict.fromkeys("abcd", "$.path")}]},
            "more than 3 dimensions",
        ),
    ],
)
def test_a_filter_that_would_never_count_is_refused(change: dict[str, Any], words: str) -> None:
    good: dict[str, Any] = {"filterPattern": "ERROR", "metricTransformations": [{"metricValue": "1"}]}
    assert problem_of(good) == ""
    assert words in problem_of(good | change)
