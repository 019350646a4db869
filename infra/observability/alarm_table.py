"""Every alarm of a stack, a line each: what it looks at, when it is raised, who is told, and what missing data means.

What people are told is in alarm_texts.py, and the objectives' alarms come from objectives.py.
"""

from infra.aws_rules import rds_memory_gib
from infra.observability import names
from infra.observability.alarm import (
    MINUTE_SECONDS,
    AlarmRule,
    CompositeRule,
    Metric,
    Missing,
    Place,
    Section,
    Severity,
)
from infra.observability.alarm_row import Gap, Row, above, as_rule, at_least, below
from infra.observability.metrics import WEB, of_balancer, of_database, of_targets, of_web, own, services
from infra.observability.objectives import HOUR, burn_rules, window_rules
from infra.serving import connection_budget
from infra.settings import Settings

PAGE, TICKET = Severity.PAGE, Severity.TICKET
USERS, SERVICE, DATABASE, JOBS = Section.USERS, Section.SERVICE, Section.DATABASE, Section.JOBS
FIVE_MINUTES, TEN_MINUTES, DAY = 5 * MINUTE_SECONDS, 10 * MINUTE_SECONDS, 24 * HOUR
GIB = 1024**3
# With little traffic one error is a large share of it.
FEWEST_ERRORS = 5
FULL_PERCENT = 90
# ECS gives a release up after three tasks that failed, with one or two more on their way; that is a ticket.
CRASHES = 5
# RDS adds storage when less than a tenth of it is free for five minutes, and not again for six hours. Of what the
# database began with, a tenth is never left for longer, unless RDS did not add any, or may not.
FREE_STORAGE_SHARE = 0.1
# PostgreSQL leaves most to the system's cache, which counts as free.
FREE_MEMORY_SHARE = 0.05
# ACM renews 60 days before the end.
CERTIFICATE_DAYS = 30
HEARTBEAT_MINUTES = 10


QUIET = Gap(Missing.FINE, "Without requests there is neither an error nor a slow answer.")
NOTHING = Gap(Missing.FINE, "What is counted in logs and events has no data while there is nothing to count.")
OUTAGE = Gap(Missing.BREACHING, "A target group without tasks has no data at all: that is the outage.")
NO_TASKS = Gap(Missing.AS_BEFORE, "Without tasks nothing is measured, and other alarms tell of that.")
NO_DATABASE = Gap(Missing.AS_BEFORE, "A database that restarts is not measured, and not well for that.")
NO_WATCH = Gap(Missing.AS_BEFORE, "A watch that does not look knows nothing new; watch-silent tells of that.")
EMPTY = Gap(Missing.FINE, "SQS does not count a queue that has long been empty.")
ENDED = Gap(Missing.AS_BEFORE, "ACM stops counting when a certificate has ended, which is no reason to be calm.")
SILENT = Gap(Missing.BREACHING, "That there is no data is what is looked for.")
NO_SIGN = Gap(Missing.FINE, "A sign of life that comes without the watch would be none.")


def alarm_rules(settings: Settings) -> list[AlarmRule]:
    """All metric alarms of a stack, those that tell nobody included."""
    rows = [*_users(settings), *_service(settings), *_database(settings), *_jobs(settings), *_others(settings)]
    return [*(as_rule(settings, row) for row in rows), *window_rules(settings)]


def composite_rules(settings: Settings) -> list[CompositeRule]:
    """All alarms on alarms: the burn rates of the two objectives."""
    return burn_rules(settings)


def _users(settings: Settings) -> list[Row]:
    told = settings.observability
    errors, slow_seconds = told.error_count, told.slow_milliseconds / 1000
    failing = own(settings, names.READINESS_FAILING, "Minimum")
    return [
        # The newest minutes may have no number until it comes: two of five.
        Row("target-errors", PAGE, USERS, of_targets("HTTPCode_Target_5XX_Count"), at_least(errors, 2, 5), QUIET),
        Row("balancer-errors", PAGE, USERS, of_balancer("HTTPCode_ELB_5XX_Count"), at_least(errors, 2, 5), QUIET),
        Row("slow-p95", PAGE, USERS, of_targets("TargetResponseTime", "p95"), above(slow_seconds, 3, 5), QUIET),
        Row("slow-p99", TICKET, USERS, of_targets("TargetResponseTime", "p99"), above(3 * slow_seconds, 3, 5), QUIET),
        # One look a minute. A failover of the database may take two of them, and users see it.
        Row("not-ready", PAGE, USERS, failing, at_least(1, 2, 2), NO_WATCH),
        _release_errors(told.rollback_error_percent),
    ]


def _release_errors(percent: int) -> Row:
    """The share of 5xx in a minute, in percent, each metric counting as nothing in a minute in which it has no data.

    Not 503: that is what strangers are answered before the very first tasks are there, and where new tasks do not get
    healthy the circuit breaker acts. Targets that break off or stay silent are 502 and 504.
    """
    errors = (
        of_targets("HTTPCode_Target_5XX_Count"),
        of_balancer("HTTPCode_ELB_502_Count"),
        of_balancer("HTTPCode_ELB_504_Count"),
    )
    total = " + ".join(f"FILL(m{number}, 0)" for number in range(len(errors)))
    return Row(
        "release-errors",
        Severity.NOBODY,
        USERS,
        (*errors, of_targets("RequestCount")),
        # One bad minute is enough while a release is rolled out. It may be counted minutes later: FILL makes a zero of
        # the newest minute until the numbers of the balancer come: an alarm on that one alone is never raised.
        at_least(percent, 1, 3),
        QUIET,
        # Requests are not filled: as long as they have not been counted, there is no share.
        expression=f"IF({total} >= {FEWEST_ERRORS}, 100 * ({total}) / m{len(errors)}, 0)",
        rolls_back=True,
    )


def _service(settings: Settings) -> list[Row]:
    cpu, memory = of_web(settings, "CPUUtilization", "Average"), of_web(settings, "MemoryUtilization", "Maximum")
    exceptions, lines = own(settings, names.UNHANDLED_EXCEPTIONS), own(settings, names.ERROR_LINES)
    return [
        Row("no-healthy-target", PAGE, SERVICE, of_targets("HealthyHostCount", "Minimum"), below(1, 2, 2), OUTAGE),
        # A task that autoscaling asks for is missing until it has started: five minutes are more than that. A worker's
        # number stays what it is, and nobody asks it anything: this alone tells that there is none.
        *(
            Row(
                "tasks-missing",
                PAGE,
                SERVICE,
                own(settings, names.TASKS_MISSING, "Minimum", **{names.SERVICE: service}),
                at_least(1, 5, 5) if service == WEB else at_least(1, 3, 3),
                NO_WATCH,
                about=service,
            )
            for service in services(settings)
        ),
        Row(
            "crash-looping",
            PAGE,
            SERVICE,
            own(settings, names.TASKS_CRASHED),
            at_least(CRASHES, each_seconds=TEN_MINUTES),
            NOTHING,
        ),
        Row("service-cpu", TICKET, SERVICE, cpu, at_least(FULL_PERCENT, 10, 15), NO_TASKS),
        Row("service-memory", TICKET, SERVICE, memory, at_least(FULL_PERCENT, 5, 5), NO_TASKS),
        Row("exceptions", TICKET, SERVICE, exceptions, at_least(1, each_seconds=FIVE_MINUTES), NOTHING),
        Row("error-lines", TICKET, SERVICE, lines, at_least(10, each_seconds=FIVE_MINUTES), NOTHING),
    ]


def _database(settings: Settings) -> list[Row]:
    instance, queries = settings.database, own(settings, names.SLOW_QUERIES)
    cpu, connections = of_database("CPUUtilization", "Average"), of_database("DatabaseConnections", "Maximum")
    storage, memory = of_database("FreeStorageSpace", "Minimum"), of_database("FreeableMemory", "Minimum")
    least_storage = FREE_STORAGE_SHARE * instance.storage_gib * GIB
    least_memory = FREE_MEMORY_SHARE * rds_memory_gib(instance.instance_class) * GIB
    most_connections = FULL_PERCENT * connection_budget(instance.instance_class) // 100
    moved = own(settings, names.DATABASE_FAILOVERS)
    return [
        Row("database-cpu", TICKET, DATABASE, cpu, at_least(FULL_PERCENT, 10, 15), NO_DATABASE),
        Row("database-storage", PAGE, DATABASE, storage, below(least_storage, 3, 3, FIVE_MINUTES), NO_DATABASE),
        Row("database-memory", TICKET, DATABASE, memory, below(least_memory, 3, 3, FIVE_MINUTES), NO_DATABASE),
        Row("database-connections", PAGE, DATABASE, connections, above(most_connections, 3, 5), NO_DATABASE),
        Row("database-failover", TICKET, DATABASE, moved, at_least(1), NOTHING),
        Row("slow-queries", TICKET, DATABASE, queries, at_least(20, 2, 3, FIVE_MINUTES), NOTHING),
    ]


def _jobs(settings: Settings) -> list[Row]:
    rows = []
    for job in settings.processes.jobs:
        failed = own(settings, names.JOBS_FAILED, **{names.GROUP: names.job_group(settings, job.name)})
        since = own(settings, names.SECONDS_SINCE_SUCCESS, "Maximum", **{names.JOB: job.name})
        limit_seconds = job.overdue_minutes * MINUTE_SECONDS
        rows += [
            Row("job-failed", TICKET, JOBS, failed, at_least(1, each_seconds=FIVE_MINUTES), NOTHING, about=job.name),
            Row("job-overdue", PAGE, JOBS, since, above(limit_seconds, 3, 3), NO_WATCH, about=job.name),
        ]
    queue = {"QueueName": Place.JOBS_QUEUE}
    waiting = Metric(
        namespace="AWS/SQS", name="ApproximateNumberOfMessagesVisible", statistic="Maximum", dimensions=queue
    )
    # SQS counts by the minute while there are messages; in a queue that was empty for long, fifteen minutes late.
    not_started = Row("jobs-not-started", TICKET, JOBS, waiting, at_least(1, each_seconds=FIVE_MINUTES), EMPTY)
    return [*rows, not_started] if rows else []


def _others(settings: Settings) -> list[Row]:
    failed, watched = own(settings, names.DEPLOYMENTS_FAILED), own(settings, names.WATCHED)
    age, most_days = own(settings, names.SECRET_AGE_DAYS, "Maximum"), settings.observability.secret_maximum_age_days
    certificate = Metric(
        namespace="AWS/CertificateManager",
        name="DaysToExpiry",
        statistic="Minimum",
        dimensions={"CertificateArn": Place.CERTIFICATE},
    )
    rows = [
        Row("deployment-failed", TICKET, Section.DEPLOYMENTS, failed, at_least(1), NOTHING),
        Row("secret-age", TICKET, Section.WATCH, age, above(most_days, each_seconds=HOUR), NO_WATCH),
        Row("watch-silent", PAGE, Section.WATCH, watched, below(1, 5, 5), SILENT),
        Row(
            "heartbeat",
            Severity.HEARTBEAT,
            Section.WATCH,
            (watched,),
            at_least(1, 1, 3),
            NO_SIGN,
            expression=f"IF(MINUTE(m0) < {HEARTBEAT_MINUTES}, m0, 0)",
        ),
    ]
    if settings.edge.https:
        left = below(CERTIFICATE_DAYS, each_seconds=DAY)
        rows.append(Row("certificate-expiry", TICKET, Section.WATCH, certificate, left, ENDED))
    return rows
