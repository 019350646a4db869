"""What happens to a stack in a minute, as the metrics that tell of it.

A minute is what each metric gets in it, by `key`: a number, several values with how often each was seen, or None for
no datum. What a minute does not name is as in `HEALTHY`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from rehearsal.cloudwatch.statistics import Datum, value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rehearsal.cloudwatch.alarm import Alarm, Metric
    from rehearsal.cloudwatch.recording import Recording

GIB = 1024**3
Seen = float | Mapping[float, float] | None
Minute = dict[str, Seen]
Happening = Callable[[int], Minute]

SERVED, APP_ERRORS, ANSWER_SECONDS, HEALTHY_TASKS = (
    f"ApplicationELB {name}"
    for name in ("RequestCount", "HTTPCode_Target_5XX_Count", "TargetResponseTime", "HealthyHostCount")
)
BALANCER_ERRORS, BROKEN_OFF, REFUSED, TIMED_OUT = (
    f"ApplicationELB HTTPCode_ELB_{status}_Count" for status in ("5XX", "502", "503", "504")
)


def traffic(
    requests: int, *, app_errors: int = 0, broken_off: int = 0, slow: int = 0, slowness: float = 1.0, jam: float = 3.0
) -> Minute:
    """A minute of requests that tasks get: so many answered 5xx, broken off (502), and so many that take `jam` seconds.

    A balancer publishes a count only where it counted something. `slowness` is how many times as long all others take.
    """
    answered = max(requests - broken_off, 0)
    quick = max(answered - slow, 0)
    # Of the others, nine in ten take 80 ms and most of the rest 400.
    shares = {0.08: quick - quick // 10, 0.4: quick // 10 - quick // 100, 0.9: quick // 100}
    seconds = {round(taken * slowness, 3): float(count) for taken, count in shares.items() if count}
    if slow:
        seconds[jam] = float(slow)
    return {
        SERVED: requests or None,
        APP_ERRORS: app_errors or None,
        BROKEN_OFF: broken_off or None,
        BALANCER_ERRORS: broken_off or None,
        ANSWER_SECONDS: seconds or None,
    }


def outage(requests: int) -> Minute:
    """A minute without tasks: the balancer answers 503, which it does not count among its requests."""
    nobody = traffic(0)
    return nobody | {
        REFUSED: requests or None,
        BALANCER_ERRORS: requests or None,
        HEALTHY_TASKS: None,
        "TasksMissing": 2,
        "ReadinessFailing": 1,
        "ECS CPUUtilization": None,
        "ECS MemoryUtilization": None,
    }


HEALTHY: Minute = traffic(600) | {
    REFUSED: None,
    TIMED_OUT: None,
    HEALTHY_TASKS: 2,
    "ECS CPUUtilization": 35,
    "ECS MemoryUtilization": 50,
    "RDS CPUUtilization": 20,
    "RDS DatabaseConnections": 12,
    "RDS FreeStorageSpace": 40 * GIB,
    "RDS FreeableMemory": 2 * GIB,
    "SQS ApproximateNumberOfMessagesVisible": None,
    "CertificateManager DaysToExpiry": 200,
    "Watched": 1,
    "ReadinessFailing": 0,
    "TasksMissing": 0,
    "SecondsSinceSuccess": 3600,
    "SecretAgeDays": 40,
    "TasksCrashed": None,
    "DeploymentsFailed": None,
    "DatabaseFailovers": None,
    "JobsFailed": None,
    "ErrorLines": 0,
    "UnhandledExceptions": 0,
    "SlowQueries": 0,
}
# As bad as it gets, all at once: what every alarm of the table is there for. Each request is slow, and fails.
BROKEN: Minute = traffic(600, app_errors=600, slow=600, jam=20.0) | {
    BALANCER_ERRORS: 600,
    HEALTHY_TASKS: 0,
    "ECS CPUUtilization": 100,
    "ECS MemoryUtilization": 99,
    "RDS CPUUtilization": 100,
    "RDS DatabaseConnections": 5000,
    "RDS FreeStorageSpace": GIB // 8,
    "RDS FreeableMemory": GIB // 64,
    "SQS ApproximateNumberOfMessagesVisible": 5,
    "CertificateManager DaysToExpiry": 3,
    "Watched": None,
    "ReadinessFailing": 1,
    "TasksMissing": 2,
    "SecondsSinceSuccess": 90 * 86400,
    "SecretAgeDays": 4000,
    "TasksCrashed": 5,
    "DeploymentsFailed": 1,
    "DatabaseFailovers": 1,
    "JobsFailed": 1,
    "ErrorLines": 100,
    "UnhandledExceptions": 10,
    "SlowQueries": 100,
}


def key(metric: Metric) -> str:
    """What a minute calls a metric: of AWS's own namespaces the service is named, too."""
    prefix, slash, service = metric.namespace.partition("/")
    return f"{service} {metric.name}" if prefix == "AWS" and slash else metric.name


@lru_cache(maxsize=4096)
def _datum(number: float, count: float) -> Datum:
    return value(number, count=count)


def _data(seen: Seen) -> Iterable[Datum]:
    if isinstance(seen, Mapping):
        return [_datum(number, count) for number, count in seen.items()]
    return () if seen is None else (_datum(float(seen), 1.0),)


def publish(recording: Recording, alarms: Iterable[Alarm], minutes: Iterable[tuple[int, Minute]]) -> None:
    """Publish what happens for all metrics that the alarms look at, or say which one no minute tells of."""
    identities = {
        (metric.namespace, metric.name, metric.dimensions): key(metric)
        for alarm in alarms
        for metric in alarm.metrics.values()
    }
    unknown = set(identities.values()) - HEALTHY.keys()
    assert not unknown, f"no scenario can be sure of alarms on {sorted(unknown)}: give world.py their healthy values"
    for minute, happening in minutes:
        for identity, name in identities.items():
            seen = happening[name] if name in happening else HEALTHY[name]
            if seen is not None:
                recording.put(identity, minute, *_data(seen))
