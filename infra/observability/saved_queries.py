"""Logs Insights queries saved with the stack: in CloudWatch's console, and for `python -m ops logs query`."""

from dataclasses import dataclass
from inspect import cleandoc

import pulumi
from pulumi_aws import cloudwatch

from infra.settings import Settings

WEB, MIGRATE, SHELL, EVENTS = "web", "migrate", "shell", "events"
# Where a person, or `ops logs query --request-id`, puts the id of the request that is asked for.
PLACEHOLDER = "REQUEST_ID"
# The name of a log group ends with its process.
PROCESS = r"parse @log /(?<process>[^\/]+)$/"
STOPPED = '`detail-type` = "ECS Task State Change" and detail.lastStatus = "STOPPED"'


@dataclass(frozen=True, kw_only=True)
class SavedQuery:
    """A question to the logs. `logs` are the ends of its log groups' names: processes, and `events` for AWS's own."""

    name: str
    summary: str
    logs: tuple[str, ...]
    commands: str

    @property
    def text(self) -> str:
        """What CloudWatch is asked; `ops logs query --list` shows the comment beside the name."""
        return f"# {self.summary}\n{cleandoc(self.commands)}"


def saved_queries(settings: Settings) -> list[SavedQuery]:
    """All of them. A stack without jobs has no question about jobs."""
    workers = tuple(worker.name for worker in settings.processes.workers)
    jobs = tuple(job.name for job in settings.processes.jobs)
    asking = (WEB, *workers, *jobs, SHELL)
    return [*_of_requests(), *_of_processes(asking), *_of_releases(), *(_of_jobs(settings.name, jobs) if jobs else ())]


def _of_requests() -> list[SavedQuery]:
    return [
        SavedQuery(
            name="errors-by-path",
            summary="Answers of status 5xx by path, the most first, each with the id of its last request.",
            logs=(WEB,),
            commands="""
                filter logger = "deployment.request" and status >= 500
                | stats count(*) as answers, latest(request_id) as last_request_id by path, method, status
                | sort answers desc
                | limit 100
            """,
        ),
        SavedQuery(
            name="slowest-requests",
            summary="The slowest requests, each with its id.",
            logs=(WEB,),
            commands="""
                filter logger = "deployment.request"
                | sort duration_ms desc
                | limit 50
                | display @timestamp, duration_ms, method, path, status, request_id
            """,
        ),
        SavedQuery(
            name="slow-paths",
            summary="How long each path takes, the slowest first: 95th percentile and longest.",
            logs=(WEB,),
            commands="""
                filter logger = "deployment.request"
                | stats count(*) as requests, pct(duration_ms, 95) as p95_ms, max(duration_ms) as slowest_ms by path
                | sort p95_ms desc
                | limit 50
            """,
        ),
        SavedQuery(
            name="request",
            summary=f"One request from beginning to end; its id (X-Request-ID) takes the place of {PLACEHOLDER}.",
            logs=(WEB,),
            commands=f"""
                filter request_id = "{PLACEHOLDER}"
                | sort @timestamp asc
                | limit 1000
                | display @timestamp, level, logger, message, duration_ms, sql, exception
            """,
        ),
        SavedQuery(
            name="admin-logins",
            summary="Logins of staff, by user id, and logins that failed, the newest first.",
            logs=(WEB,),
            commands="""
                filter logger = "deployment.admin_login"
                | sort @timestamp desc
                | limit 200
                | display @timestamp, message, user_id, path, request_id
            """,
        ),
    ]


def _of_processes(asking: tuple[str, ...]) -> list[SavedQuery]:
    return [
        SavedQuery(
            name="errors",
            summary="Lines of level ERROR and CRITICAL of every process, the newest first.",
            logs=(*asking, MIGRATE),
            commands=f"""
                filter level in ["ERROR", "CRITICAL"]
                | {PROCESS}
                | sort @timestamp desc
                | limit 100
                | display @timestamp, process, logger, message, path, request_id, exception
            """,
        ),
        SavedQuery(
            name="slow-statements",
            summary="Database statements that took long, without their values, by what they cost together.",
            logs=asking,
            commands="""
                filter logger = "deployment.slow_query"
                | stats count(*) as times, sum(duration_ms) as total_ms, max(duration_ms) as slowest_ms,
                    latest(request_id) as last_request_id by sql
                | sort total_ms desc
                | limit 50
            """,
        ),
    ]


def _of_releases() -> list[SavedQuery]:
    return [
        SavedQuery(
            name="migrations",
            summary="What the migrations logged, the newest first.",
            logs=(MIGRATE,),
            commands="""
                fields coalesce(message, @message) as line
                | sort @timestamp desc
                | limit 200
                | display @timestamp, level, line, release
            """,
        ),
        SavedQuery(
            name="deployments",
            summary="What ECS says of its deployments and services, the newest first.",
            logs=(EVENTS,),
            commands=r"""
                filter `detail-type` in ["ECS Deployment State Change", "ECS Service Action"]
                | parse resources.0 /(?<service>[^\/]+)$/
                | fields detail.eventName as event, detail.reason as reason
                | sort @timestamp desc
                | limit 100
                | display @timestamp, service, event, reason
            """,
        ),
        SavedQuery(
            name="stopped-tasks",
            summary="Tasks that have ended, of every process, and why; the newest first.",
            logs=(EVENTS,),
            commands=f"""
                filter {STOPPED}
                | parse detail.group /:(?<process>.+)$/
                | fields detail.containers.0.exitCode as exit_code, detail.stopCode as code,
                    detail.stoppedReason as reason, detail.containers.0.reason as container_reason
                | sort @timestamp desc
                | limit 100
                | display @timestamp, process, exit_code, code, reason, container_reason
            """,
        ),
        SavedQuery(
            name="database-events",
            summary="What RDS says of the database: failovers, restarts, storage; the newest first.",
            logs=(EVENTS,),
            commands="""
                filter `detail-type` = "RDS DB Instance Event"
                | fields detail.EventCategories.0 as category, detail.Message as event
                | sort @timestamp desc
                | limit 100
                | display @timestamp, category, event
            """,
        ),
    ]


def _of_jobs(name: str, jobs: tuple[str, ...]) -> list[SavedQuery]:
    families = ", ".join(f'"family:{name}-{job}"' for job in jobs)
    return [
        SavedQuery(
            name="jobs",
            summary="Runs of the scheduled jobs and how each ended, the newest first.",
            logs=(EVENTS,),
            commands=f"""
                filter {STOPPED} and detail.group in [{families}]
                | parse detail.group /^family:{name}-(?<job>.+)$/
                | fields detail.containers.0.exitCode as exit_code, detail.startedAt as started,
                    detail.stoppedReason as reason, detail.containers.0.reason as container_reason
                | sort @timestamp desc
                | limit 200
                | display @timestamp, job, exit_code, started, reason, container_reason
            """,
        )
    ]


@dataclass(frozen=True, kw_only=True)
class SavedQueriesArgs:
    """`settings` say which processes there are."""

    settings: Settings


class SavedQueries(pulumi.ComponentResource):
    """Creates a query definition `PROJECT/STACK/NAME` for each; the slashes make folders in CloudWatch's console.

    Leaves out the log groups: each belongs to its process, and CloudWatch saves a query for groups to come as well.
    """

    def __init__(self, name: str, args: SavedQueriesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:SavedQueries", name, None, opts)
        stack = f"{args.settings.project}/{args.settings.stack}"
        for query in saved_queries(args.settings):
            cloudwatch.QueryDefinition(
                f"{name}-query-{query.name}",
                name=f"{stack}/{query.name}",
                query_string=query.text,
                log_group_names=[f"/{stack}/{log}" for log in query.logs],
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({})
