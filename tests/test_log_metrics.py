"""infra/observability/log_metrics.py: which lines and which events are counted, and as what."""

from __future__ import annotations

import importlib
import json
import logging
import sys
from typing import TYPE_CHECKING, Any

import pytest

from infra.observability import names
from infra.observability.log_metrics import LogMetric, event_metrics, process_metrics
from infra.settings import load
from rehearsal.cloudwatch.filter_pattern import LONGEST_PATTERN, matches, value
from tests.aws_events import NAME, deployment, of_database, service_action, stopped_task
from tests.deployed import deployed
from tests.recorder import DIGEST, ROOT, Recorder, configure, record

if TYPE_CHECKING:
    from types import ModuleType

    from infra.settings import Settings

FILTER = "aws:cloudwatch/logMetricFilter:LogMetricFilter"
MOST_FILTERS = 100  # of a log group (CloudWatch Logs, PutMetricFilter)


def json_logs() -> ModuleType:
    """The application's own formatter: its package is the image's, and not on the path here."""
    image = str(ROOT / "app_image")
    sys.path.insert(0, image)
    try:
        return importlib.import_module("deployment.json_logs")
    finally:
        sys.path.remove(image)


FORMATTER = json_logs().LineFormatter("sha256:release")


def line(logger: str, level: int, message: str, *, raised: bool = False, **extra: object) -> str:
    """One line as the application writes it."""
    error = None
    if raised:
        try:
            int("the reason\nin two lines")
        except ValueError:
            error = sys.exc_info()
    record_ = logging.LogRecord(logger, level, "views.py", 1, message, (), error)
    record_.__dict__.update(extra)
    return str(FORMATTER.format(record_))


def staging() -> Settings:
    configure("staging", imageDigest=DIGEST)
    found: list[Settings] = []
    recorder = record(lambda: found.append(load()))
    assert recorder.error is None, recorder.error
    return found[0]


SETTINGS = staging()
EVENT_METRICS = event_metrics(SETTINGS)


def counted(message: str, metrics: list[LogMetric]) -> list[str]:
    """The metrics that a line counts for, one mention for each filter."""
    return sorted(each.metric for each in metrics if matches(each.pattern, message))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (
            line("django.request", logging.ERROR, "Internal Server Error: /", raised=True),
            ["ErrorLines", "UnhandledExceptions"],
        ),
        (
            line("gunicorn.error", logging.ERROR, "Error handling request /", raised=True),
            ["ErrorLines", "UnhandledExceptions"],
        ),
        (
            line("deployment.wsgi", logging.CRITICAL, "The project cannot start.", raised=True),
            ["ErrorLines", "UnhandledExceptions"],
        ),
        (line("deployment.environment", logging.CRITICAL, "No SECRET_KEY"), ["ErrorLines", "UnhandledExceptions"]),
        (line("agreements.views", logging.ERROR, "The mail was not sent", raised=True), ["ErrorLines"]),
        (line("django.request", logging.ERROR, "Service Unavailable: /"), ["ErrorLines"]),
        (line("django.request", logging.WARNING, "Not Found: /", raised=True), []),
        (line("deployment.slow_query", logging.WARNING, "slow statement", duration_ms=1500.1), ["SlowQueries"]),
        (line("deployment.request", logging.INFO, "GET /ERROR 500", status=500, duration_ms=12.5), []),
        (line("agreements.views", logging.INFO, "ERROR CRITICAL deployment.slow_query"), []),
        ("Traceback (most recent call last):", ["UnhandledExceptions"]),
        ('  File "/app/manage.py", line 27, in <module>', []),
        ("ValueError: the reason", []),
        ("", []),
    ],
)
def test_a_line_of_the_application_counts_for_what_it_is(written: str, expected: list[str]) -> None:
    assert counted(written, process_metrics("web")) == expected


def test_an_exception_is_counted_once_whether_or_not_it_is_in_json() -> None:
    written = line("django.request", logging.ERROR, "Internal Server Error: /", raised=True)
    assert "Traceback (most recent call last):" in json.loads(written)["exception"]
    assert counted(written, process_metrics("web")).count("UnhandledExceptions") == 1


def test_a_migrations_slow_statements_are_expected() -> None:
    assert {each.metric for each in process_metrics("migrate")} == {"ErrorLines", "UnhandledExceptions"}
    assert "SlowQueries" in {each.metric for each in process_metrics("mail")}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (stopped_task("service:web", "EssentialContainerExited", 1), ["TasksCrashed"]),
        (stopped_task("service:mail", "EssentialContainerExited", 137), ["TasksCrashed"]),
        (stopped_task("service:web", "EssentialContainerExited", 0), []),
        (stopped_task("service:web", "ServiceSchedulerInitiated", 143), []),
        (stopped_task("service:web", "TaskFailedToStart", None), []),
        (stopped_task(f"family:{NAME}-clear-sessions", "EssentialContainerExited", 1), ["JobsFailed"]),
        (stopped_task(f"family:{NAME}-clear-sessions", "EssentialContainerExited", 0), []),
        (stopped_task(f"family:{NAME}-clear-sessions", "TaskFailedToStart", None), ["JobsFailed"]),
        (stopped_task(f"family:{NAME}-clear-sessions", "UserInitiated", 143), ["JobsFailed"]),
        (stopped_task(f"family:{NAME}-migrate", "EssentialContainerExited", 1), []),
        (stopped_task(f"family:{NAME}-shell", "UserInitiated", 137), []),
        (deployment("SERVICE_DEPLOYMENT_FAILED"), ["DeploymentsFailed"]),
        (deployment("SERVICE_DEPLOYMENT_COMPLETED"), []),
        (deployment("SERVICE_DEPLOYMENT_IN_PROGRESS"), []),
        (service_action("SERVICE_STEADY_STATE"), []),
        (of_database("RDS-EVENT-0013", "failover", "A Multi-AZ failover has started."), ["DatabaseFailovers"]),
        (of_database("RDS-EVENT-0049", "failover", "A Multi-AZ failover has completed."), ["DatabaseFailovers"]),
        (of_database("RDS-EVENT-0001", "backup", "Backing up DB instance"), []),
    ],
)
def test_an_event_counts_for_what_it_is(event: dict[str, Any], expected: list[str]) -> None:
    assert counted(json.dumps(event), EVENT_METRICS) == expected


def test_a_failed_jobs_dimension_is_its_group_as_the_alarm_names_it() -> None:
    (failed,) = (each for each in EVENT_METRICS if each.metric == names.JOBS_FAILED)
    event = json.dumps(stopped_task(names.job_group(SETTINGS, "clear-sessions"), "EssentialContainerExited", 1))
    assert {name: value(selector, event) for name, selector in failed.dimensions.items()} == {
        names.GROUP: f"family:{NAME}-clear-sessions"
    }


def test_every_filter_is_one_that_cloudwatch_logs_takes() -> None:
    for metrics in (process_metrics("web"), EVENT_METRICS):
        assert len({each.label for each in metrics}) == len(metrics), "they are told apart by it"
        for each in metrics:
            assert len(each.pattern) <= LONGEST_PATTERN
            assert each.default is None or not each.dimensions, "CloudWatch Logs takes one or the other"
            assert each.because.endswith(".")


def whole(stack: str = "prod") -> Recorder:
    jobs = {"clear-sessions": {"command": ["python", "manage.py", "clearsessions"], "schedule": "rate(1 day)"}}
    workers = {"mail": {"command": ["python", "manage.py", "mail"]}}
    recorder = deployed(stack, workers=workers, jobs=jobs)
    assert recorder.error is None, recorder.error
    return recorder


def test_every_process_but_the_shell_is_counted_in_the_stacks_own_namespace() -> None:
    filters: dict[str, set[str]] = {}
    for each in whole().of_type(FILTER):
        transformation = each.inputs["metricTransformation"]
        assert transformation["namespace"] == "pactum/prod"
        assert (transformation["value"], transformation["unit"]) == ("1", "Count")
        filters.setdefault(each.inputs["logGroupName"], set()).add(transformation["name"])
    lines = {"ErrorLines", "UnhandledExceptions", "SlowQueries"}
    assert {group: metrics for group, metrics in filters.items() if not group.endswith("/events")} == {
        "/pactum/prod/web": lines,
        "/pactum/prod/mail": lines,
        "/pactum/prod/clear-sessions": lines,
        "/pactum/prod/migrate": lines - {"SlowQueries"},
    }, "nobody is woken by what somebody types into a shell"


def test_filters_are_registered_as_the_table_says() -> None:
    recorder = whole()
    failed = recorder.only(FILTER, "pactum-prod-events-jobs-failed").inputs["metricTransformation"]
    assert failed["dimensions"] == {names.GROUP: "$.detail.group"}, "each job has an alarm of its own"
    assert "defaultValue" not in failed, "CloudWatch Logs refuses one beside dimensions"
    made = recorder.only(FILTER, "pactum-prod-web-error-lines").inputs
    assert made["pattern"] == process_metrics("web")[0].pattern
    assert made["metricTransformation"]["defaultValue"] == "0", "between errors there are zeros, and not nothing"
    assert "dimensions" not in made["metricTransformation"]
