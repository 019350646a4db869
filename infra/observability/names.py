"""What the stack's own metrics are called: between those that publish them and those that look at them."""

from infra.settings import Settings

# Published by the watch, once a minute.
WATCHED = "Watched"
READINESS_FAILING = "ReadinessFailing"
TASKS_MISSING = "TasksMissing"
SECONDS_SINCE_SUCCESS = "SecondsSinceSuccess"
SECRET_AGE_DAYS = "SecretAgeDays"  # noqa: S105 - a metric's name
# Counted in what ECS and RDS say of themselves.
DEPLOYMENTS_FAILED = "DeploymentsFailed"
TASKS_CRASHED = "TasksCrashed"
JOBS_FAILED = "JobsFailed"
DATABASE_FAILOVERS = "DatabaseFailovers"
# Counted in the logs of the application's processes.
ERROR_LINES = "ErrorLines"
UNHANDLED_EXCEPTIONS = "UnhandledExceptions"
SLOW_QUERIES = "SlowQueries"
# Dimensions: a service of ECS, a job of the stack file, a task's group as ECS writes it.
SERVICE, JOB, GROUP = "Service", "Job", "Group"


def namespace(settings: Settings) -> str:
    """The stack's own namespace of metrics, such as pactum/staging."""
    return f"{settings.project}/{settings.stack}"


def dashboard(settings: Settings) -> str:
    """The name of the stack's dashboard."""
    return settings.name


def job_group(settings: Settings, job: str) -> str:
    """What ECS gives a job's task as its group when nobody says one: the family of its task definition."""
    return f"family:{settings.name}-{job}"
