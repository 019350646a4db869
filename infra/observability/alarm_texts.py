"""What people are told of each kind of alarm: what it means to whom, and the command to begin with.

`{of}` is the service or the job that an alarm of several is about, `{stack}` and `{name}` are the stack's.
"""

STACK = "--stack {stack}"
STATUS = f"python -m ops status {STACK}"
LOG_OF_JOB = f"python -m ops logs --process {{of}} --since 1d {STACK}"
LOG_OF_WATCH = f"python -m ops logs --process watch --since 1h {STACK}"
CERTIFICATES = "aws acm list-certificates --query 'CertificateSummaryList[].[DomainName,NotAfter,RenewalEligibility]'"
SECRETS = (
    "aws secretsmanager list-secrets --filters Key=tag-value,Values={stack}"
    " --query 'SecretList[].[Name,LastChangedDate]'"
)


def _query(name: str, since: str = "") -> str:
    """Look an hour back, as a page is read; `since` is for what is read the next morning, or is told a day later."""
    return f"python -m ops logs query {name} {f'--since {since} ' if since else ''}{STACK}"


# By runbook: what it means, and where to look first.
TEXTS: dict[str, tuple[str, str]] = {
    "target-errors": ("Users see errors: the application answers 5xx.", _query("errors-by-path")),
    "balancer-errors": ("Users see errors: the load balancer answers 5xx, because no task answers it.", STATUS),
    "slow-p95": ("Users wait: one request in twenty takes longer than it may.", _query("slow-paths")),
    "slow-p99": (
        "Some users wait long: one request in a hundred takes more than three times what it may.",
        _query("slow-paths", "1d"),
    ),
    "not-ready": ("The application says of itself that it cannot work: its readiness path fails.", STATUS),
    "release-errors": (
        "Users see errors: the share of 5xx in a minute, in percent. ECS rolls a release back for it.",
        _query("errors-by-path"),
    ),
    "no-healthy-target": ("Nobody is answered: no web task is healthy.", STATUS),
    "tasks-missing": ("{of} runs with fewer tasks than it should.", _query("stopped-tasks")),
    "crash-looping": ("Tasks end by themselves, again and again.", _query("stopped-tasks")),
    "service-cpu": ("Web tasks have had no CPU to spare for ten minutes; more of them did not help.", STATUS),
    "service-memory": ("A web task is about to be ended for its memory.", STATUS),
    "exceptions": ("A request or a process ended in an exception that nobody handled.", _query("errors", "1d")),
    "error-lines": ("The application logs many errors.", _query("errors", "1d")),
    "database-cpu": ("The database has had no CPU to spare for ten minutes.", _query("slow-statements", "1d")),
    "database-storage": ("The database's disk is nearly full, and RDS adds no storage.", _query("database-events")),
    "database-memory": ("The database has hardly any memory left.", _query("slow-statements", "1d")),
    "database-connections": ("The database is about to refuse connections.", STATUS),
    "database-failover": ("The database moved to its standby; connections broke.", _query("database-events", "1d")),
    "slow-queries": ("Many database statements take longer than they may.", _query("slow-statements", "1d")),
    "job-failed": ("A run of the job {of} failed.", LOG_OF_JOB),
    "job-overdue": ("The job {of} has not ended well for longer than it may.", _query("jobs", "2d")),
    "jobs-not-started": ("Jobs could not be started; why is in the messages of the queue.", _query("jobs", "2d")),
    "deployment-failed": ("A deployment failed, and ECS returned to the release before.", _query("deployments", "1d")),
    "certificate-expiry": (
        "The certificate ends within a month and was not renewed: browsers will refuse the site.",
        CERTIFICATES,
    ),
    "secret-age": ("A secret has not been changed for longer than it may.", SECRETS),
    "watch-silent": (
        "The watch, which measures what AWS does not, has stopped or cannot read all of it: other alarms are blind.",
        LOG_OF_WATCH,
    ),
    "heartbeat": ("A sign of life, once an hour: alarms of this stack reach people.", STATUS),
}
