"""What users were promised, as alarms: how fast the errors that the promise allows are being used up.

A burn rate of 1 uses up a month's budget in a month. A pair of windows tells (Google, The Site Reliability Workbook,
"Alerting on SLOs"): the long one that much of the budget is gone, the short one that it still goes on, so that the
alarm ends soon after its cause. Each window is a metric alarm of one datapoint: CloudWatch looks at it every minute,
and at the time up to then, however long its period (CloudWatch User Guide, "Alarm evaluation window").
"""

from dataclasses import dataclass

from infra.observability.alarm import AlarmRule, CompositeRule, Metric, Missing, Section, Severity, Told
from infra.observability.metrics import of_balancer, of_targets
from infra.settings import Settings

MINUTE, HOUR = 60, 3600
EVERYTHING_PERCENT = 100.0


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two windows in which the budget burns at a rate.

    An alarm that looks back for more than a day is evaluated once an hour, so a day is the longest.
    """

    name: str
    rate: float
    long_seconds: int
    short_seconds: int
    severity: Severity


# Of a month's budget, 2 % are gone after the hour, 5 % after the six, and 10 % after the day.
PAIRS = (
    Pair(name="fast", rate=14.4, long_seconds=HOUR, short_seconds=5 * MINUTE, severity=Severity.PAGE),
    Pair(name="medium", rate=6, long_seconds=6 * HOUR, short_seconds=30 * MINUTE, severity=Severity.PAGE),
    Pair(name="slow", rate=3, long_seconds=24 * HOUR, short_seconds=2 * HOUR, severity=Severity.TICKET),
)


@dataclass(frozen=True, kw_only=True)
class Objective:
    """A promise. `bad_percent` is the share of bad requests in a window, by metric math over `metrics`."""

    name: str
    percent: float
    broken: str
    look: str
    metrics: tuple[Metric, ...]
    bad_percent: str
    requests: str

    def expression(self, floor: int) -> str:
        """The share, or nothing where fewer than `floor` requests were made."""
        return f"IF({self.requests} >= {floor}, {self.bad_percent}, 0)"

    def threshold(self, rate: float) -> float:
        """The share at which the budget burns so fast. When all there is is less, all must be bad."""
        return min(round(rate * (EVERYTHING_PERCENT - self.percent), 6), EVERYTHING_PERCENT)


def objectives(settings: Settings) -> tuple[Objective, Objective]:
    """Availability and latency, as the stack file has them."""
    promised = settings.observability.objectives
    return (
        Objective(
            name="availability",
            percent=promised.availability_percent,
            broken=f"requests are answered by 5xx; {promised.availability_percent:g} % must not be",
            look="logs query errors-by-path",
            metrics=(
                of_targets("HTTPCode_Target_5XX_Count"),
                of_balancer("HTTPCode_ELB_502_Count"),
                of_balancer("HTTPCode_ELB_503_Count"),
                of_balancer("HTTPCode_ELB_504_Count"),
                of_balancer("RequestCount"),
            ),
            # The balancer counts as requests those it has a target for: 502 and 504 are in RequestCount, 503 are not.
            bad_percent="100 * (FILL(m0, 0) + FILL(m1, 0) + FILL(m2, 0) + FILL(m3, 0)) / (FILL(m4, 0) + FILL(m2, 0))",
            requests="FILL(m4, 0) + FILL(m2, 0)",
        ),
        Objective(
            name="latency",
            percent=promised.latency_percent,
            broken=f"requests take longer than {promised.latency_milliseconds} ms;"
            f" {promised.latency_percent:g} % must not",
            look="logs query slow-paths",
            metrics=(
                # The percentage of values up to this one.
                of_targets("TargetResponseTime", f"PR(:{promised.latency_milliseconds / 1000:g})"),
                of_targets("RequestCount"),
            ),
            # Requests that no task answered have no response time: none of them is slow, and availability counts them.
            bad_percent="100 - FILL(m0, 100)",
            requests="FILL(m1, 0)",
        ),
    )


def window_rules(settings: Settings) -> list[AlarmRule]:
    """An alarm for each window of each objective. Nobody is told of it: the pair is."""
    return [
        _window(settings, objective, pair, seconds)
        for objective in objectives(settings)
        for pair in PAIRS
        for seconds in (pair.long_seconds, pair.short_seconds)
    ]


def burn_rules(settings: Settings) -> list[CompositeRule]:
    """An alarm for each pair of windows of each objective."""
    return [
        CompositeRule(
            label=f"{objective.name}-burn-{pair.name}",
            told=_told(settings, objective, pair, pair.severity),
            all_of=(window_label(objective, pair.long_seconds), window_label(objective, pair.short_seconds)),
        )
        for objective in objectives(settings)
        for pair in PAIRS
    ]


def window_label(objective: Objective, seconds: int) -> str:
    """Such as availability-5m: every window belongs to one pair."""
    return f"{objective.name}-{f'{seconds // HOUR}h' if seconds >= HOUR else f'{seconds // MINUTE}m'}"


def requests_floor(settings: Settings, seconds: int) -> int:
    """Requests in a window, below which it says nothing."""
    return -(-settings.observability.objectives.requests_per_hour * seconds // HOUR)


def _window(settings: Settings, objective: Objective, pair: Pair, seconds: int) -> AlarmRule:
    return AlarmRule(
        label=window_label(objective, seconds),
        told=_told(settings, objective, pair, Severity.NOBODY),
        metrics=objective.metrics,
        expression=objective.expression(requests_floor(settings, seconds)),
        comparison="GreaterThanOrEqualToThreshold",
        threshold=objective.threshold(pair.rate),
        datapoints=1,
        periods=1,
        period_seconds=seconds,
        missing=Missing.FINE,
        because="A window in which nothing was counted had no requests, and nobody was let down.",
    )


def _told(settings: Settings, objective: Objective, pair: Pair, severity: Severity) -> Told:
    return Told(
        summary=f"Too many {objective.broken}. At this rate ({pair.rate:g} times what is allowed) a month's budget of"
        f" bad requests lasts {30 / pair.rate:.1f} days.",
        first_look=f"python -m ops {objective.look} --stack {settings.stack}",
        severity=severity,
        section=Section.USERS,
        runbook=f"{objective.name}-burn",
    )
