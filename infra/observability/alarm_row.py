"""The words that the table of alarms is written in."""

from typing import NamedTuple

from infra.observability.alarm import MINUTE_SECONDS, AlarmRule, Metric, Missing, Section, Severity, Told
from infra.observability.alarm_texts import TEXTS
from infra.settings import Settings


class Gap(NamedTuple):
    """What a period without data counts as, and why."""

    missing: Missing
    because: str


class When(NamedTuple):
    """Raised when `many` of the last `of` periods compare so with the threshold."""

    comparison: str
    threshold: float
    many: int = 1
    of: int = 1
    each_seconds: int = MINUTE_SECONDS


def at_least(threshold: float, many: int = 1, of: int = 1, each_seconds: int = MINUTE_SECONDS) -> When:
    return When("GreaterThanOrEqualToThreshold", threshold, many, of, each_seconds)


def above(threshold: float, many: int = 1, of: int = 1, each_seconds: int = MINUTE_SECONDS) -> When:
    return When("GreaterThanThreshold", threshold, many, of, each_seconds)


def below(threshold: float, many: int = 1, of: int = 1, each_seconds: int = MINUTE_SECONDS) -> When:
    return When("LessThanThreshold", threshold, many, of, each_seconds)


class Row(NamedTuple):
    """One alarm. `kind` is its runbook and, with the service or job it is about, its label."""

    kind: str
    severity: Severity
    section: Section
    metrics: Metric | tuple[Metric, ...]
    when: When
    gap: Gap
    about: str = ""
    expression: str = ""
    rolls_back: bool = False


def as_rule(settings: Settings, row: Row) -> AlarmRule:
    """A row with what people are told of it, as everybody else reads it."""
    summary, first_look = TEXTS[row.kind]
    about = {"of": row.about, "stack": settings.stack, "name": settings.name}
    told = Told(
        summary=summary.format(**about),
        first_look=first_look.format(**about),
        severity=row.severity,
        section=row.section,
        runbook=row.kind,
    )
    return AlarmRule(
        label=f"{row.kind}-{row.about}" if row.about else row.kind,
        told=told,
        metrics=(row.metrics,) if isinstance(row.metrics, Metric) else row.metrics,
        comparison=row.when.comparison,
        threshold=float(row.when.threshold),
        datapoints=row.when.many,
        periods=row.when.of,
        missing=row.gap.missing,
        because=row.gap.because,
        period_seconds=row.when.each_seconds,
        expression=row.expression,
        rolls_back=row.rolls_back,
    )
