"""What an alarm is: the metrics it looks at, when it is raised, who is told, and where they find what to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

MINUTE_SECONDS = 60


class Place(StrEnum):
    """What only AWS knows the name of; a metric's dimension has it in place of a value."""

    BALANCER = "balancer"
    TARGET_GROUP = "target group"
    DATABASE = "database"
    CERTIFICATE = "certificate"
    JOBS_QUEUE = "queue of jobs that were not started"


class Severity(StrEnum):
    """Who is told: somebody now, somebody in the next days, or nobody, because another alarm or ECS looks at it."""

    PAGE = "page"
    TICKET = "ticket"
    HEARTBEAT = "heartbeat"
    NOBODY = "nobody"


class Section(StrEnum):
    """Where on the dashboard an alarm stands, in the dashboard's order."""

    USERS = "users"
    SERVICE = "service"
    DATABASE = "database"
    JOBS = "jobs"
    DEPLOYMENTS = "deployments"
    WATCH = "watch"


class Missing(StrEnum):
    """What a period without data counts as, in CloudWatch's words."""

    BREACHING = "breaching"
    FINE = "notBreaching"
    AS_BEFORE = "ignore"


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric and how it is read. `statistic` is CloudWatch's: Sum, Average, Minimum, Maximum, SampleCount, p95..."""

    namespace: str
    name: str
    statistic: str
    dimensions: Mapping[str, str | Place]


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a message of an alarm says besides its name, state, time and numbers, which CloudWatch puts in by itself."""

    summary: str
    """What it means to whom, in one sentence."""
    first_look: str
    """The command that shows more."""
    severity: Severity
    section: Section
    runbook: str
    """Its file in docs/runbooks, without `.md`; alarms of one kind share it."""


@dataclass(frozen=True, kw_only=True)
class AlarmRule:
    """A metric alarm: raised when `datapoints` of the last `periods` breach the threshold.

    With an `expression` (metric math) the metrics are m0, m1... in it, and it alone is looked at.
    """

    label: str
    """The end of its name, and of its resource's: unique in a stack."""
    told: Told
    metrics: tuple[Metric, ...]
    comparison: str
    threshold: float
    datapoints: int
    periods: int
    missing: Missing
    because: str
    """Why missing data counts as it does."""
    period_seconds: int = MINUTE_SECONDS
    expression: str = ""
    rolls_back: bool = False
    """Whether it ends a deployment that is under way, for which ECS returns to the release before."""


@dataclass(frozen=True, kw_only=True)
class CompositeRule:
    """An alarm on alarms: raised while all of these metric alarms, named by their labels, are."""

    label: str
    told: Told
    all_of: tuple[str, ...]
