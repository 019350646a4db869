"""What a balancer reports to CloudWatch of the requests that it answered: one datapoint a minute of each metric."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ministack.core.responses import request_scope

from rehearsal.cloudwatch.statistics import Datum, value
from rehearsal.emulator import metric_store
from rehearsal.emulator.patching import Extension
from rehearsal.emulator.repeating import LoopFailedError, look_again

EXTENSION = Extension(
    name="balancer metrics",
    rule=(
        "RequestCount, TargetResponseTime, HTTPCode_Target_nXX_Count and HTTPCode_ELB_nXX_Count (502, 503 and 504 also "
        "by themselves), per balancer and per target group, in 60-second intervals; nothing where nothing was counted"
    ),
    source="CloudWatch metrics for your Application Load Balancer",
)
NAMESPACE = "AWS/ApplicationELB"
MINUTE = 60
# Of the balancer's own answers these have a metric each.
OWN_METRIC = (500, 502, 503, 504)
Tenant = tuple[str, str]  # account, region
Name = tuple[Tenant, str, tuple[tuple[str, str], ...]]  # whose, metric, dimensions


@dataclass
class Answer:
    """One request and what became of it. `target_seconds` is None when no target answered it."""

    tenant: Tenant
    balancer: str
    target_group: str = ""
    status: int = 0
    target_seconds: float | None = None


def dimensions(answer: Answer) -> Iterator[tuple[tuple[str, str], ...]]:
    """The dimensions under which an answer counts: the balancer's, and its target group's where one was chosen."""
    balancer = ("LoadBalancer", answer.balancer.split(":loadbalancer/", 1)[-1])
    yield (balancer,)
    if answer.target_group:
        yield (balancer, ("TargetGroup", answer.target_group.rsplit(":", 1)[-1]))


def counted(answer: Answer) -> Iterator[str]:
    """The metrics that an answer adds one to."""
    if answer.target_group:
        yield "RequestCount"
    hundreds = answer.status // 100
    if answer.target_seconds is not None:
        yield f"HTTPCode_Target_{hundreds}XX_Count"
        return
    yield f"HTTPCode_ELB_{hundreds}XX_Count"
    if answer.status in OWN_METRIC:
        yield f"HTTPCode_ELB_{answer.status}_Count"


class BalancerMetrics:
    """Counts answers, and publishes each minute's counts `delay_seconds` after its end. Safe for threads."""

    def __init__(self, delay_seconds: float = 0.0, clock: Callable[[], float] = time.time) -> None:
        self._delay_seconds = delay_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: dict[int, Counter[Name]] = {}
        # Response times in whole milliseconds: as few values as a percentile needs.
        self._times: dict[int, dict[Name, Counter[float]]] = {}

    def count(self, answer: Answer) -> None:
        """Add one answer to the minute that it was given in."""
        minute = int(self._clock() // MINUTE) * MINUTE
        with self._lock:
            counts, times = self._counts.setdefault(minute, Counter()), self._times.setdefault(minute, {})
            for dimension in dimensions(answer):
                for metric in counted(answer):
                    # The balancer's own answers are no metric of a target group.
                    if len(dimension) == 1 or not metric.startswith("HTTPCode_ELB"):
                        counts[answer.tenant, metric, dimension] += 1
                if answer.target_seconds is not None:
                    name = (answer.tenant, "TargetResponseTime", dimension)
                    times.setdefault(name, Counter())[round(answer.target_seconds, 3)] += 1

    def run(self, closing: threading.Event, on_failure: Callable[[LoopFailedError], None]) -> None:
        """Publish until the emulator closes."""
        look_again("publishing of metrics", self.publish, closing, on_failure)

    def publish(self) -> None:
        """Publish the minutes that are over, and whose delay is, under the time of their beginning."""
        now = self._clock()
        with self._lock:
            over = [minute for minute in self._counts if minute + MINUTE + self._delay_seconds <= now]
            ready = [(minute, self._counts.pop(minute), self._times.pop(minute)) for minute in over]
        for minute, counts, times in ready:
            for name, number in counts.items():
                _put(name, minute, "Count", [value(number)])
            for name, seconds in times.items():
                _put(name, minute, "Seconds", [value(number, count) for number, count in seconds.items()])


def _put(name: Name, minute: int, unit: str, data: list[Datum]) -> None:
    tenant, metric, dimension = name
    with request_scope(*tenant):
        metric_store.put(NAMESPACE, metric, dict(dimension), minute, unit, data)
