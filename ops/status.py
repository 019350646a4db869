"""`python -m ops status`: one screen on what serves users now, and what stands in the way of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from ops import tasks
from ops.balancer import ask_readiness
from ops.clock import stamp
from ops.command import Command, Context
from ops.deployment import Rollout, State, read_rollout
from ops.errors import EXIT_FAILED, EXIT_OK, OpsError, explain
from ops.release_memory import Memory
from ops.release_record import LIVE
from ops.serving import expect
from ops.status_beside import jobs_beside, said_beside, workers_beside
from ops.tasks import without_values

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from mypy_boto3_ecs.type_defs import ServiceTypeDef

    from ops.release_record import Record, Release

_EVENTS_SHOWN = 3
_HTTP_OK = 200
_WIDTH = 13

T = TypeVar("T")


def _run(context: Context, _options: argparse.Namespace) -> int:
    service = tasks.live_service(context.aws.ecs, context.stack)
    definition_arn = service["taskDefinition"]
    rollout = read_rollout(service, definition_arn)
    problems: list[str] = []
    unknown: dict[str, str] = {}
    record = _or_unknown(unknown, "release memory", lambda: Memory(context).read())
    serving = _serving(context, service, rollout, record)
    # While something is in flight they are on their way, each at its own time.
    awaited = None if record and record.in_flight else serving["release"]
    answer: dict[str, Any] = {
        "serving": serving,
        "service": _counts(service, problems),
        "rollout": _rollout(rollout, problems),
        "targets": _or_unknown(unknown, "targets", lambda: _targets(context, service, problems)),
        "readiness": _readiness(context, service, rollout, problems),
        "workers": _or_unknown(unknown, "workers", lambda: workers_beside(context, awaited, problems)),
        "jobs": _or_unknown(unknown, "jobs", lambda: jobs_beside(context, awaited, problems)),
        "alarms": _or_unknown(unknown, "alarms", lambda: _alarms(context)),
        "hold": record.hold.as_json() if record and record.hold else None,
        "denials": len(record.denials) if record else None,
        "in_flight": record.in_flight.as_json() if record and record.in_flight else None,
        "last_release": _last_release(record),
        "events": [
            {"at": stamp(item["createdAt"]), "message": without_values(item.get("message", ""))}
            for item in service.get("events", [])[:_EVENTS_SHOWN]
        ],
        "unknown": unknown,
        "problems": problems,
    }
    context.answer.update(answer)
    if not context.json:
        for line in _screen(answer, record):
            context.transcript.step(line)
    return EXIT_FAILED if problems else EXIT_OK


def _or_unknown(unknown: dict[str, str], what: str, ask: Callable[[], T]) -> T | None:
    """Ask, and where that cannot be told, say so on the screen rather than showing nothing at all."""
    try:
        return ask()
    except (OpsError, ClientError, BotoCoreError) as error:
        unknown[what] = str(error if isinstance(error, OpsError) else explain(error)).splitlines()[0]
        return None


def _serving(context: Context, service: ServiceTypeDef, rollout: Rollout, record: Record | None) -> dict[str, Any]:
    """Tell what users get: what is rolled out, or while that is under way what was completed before and still runs."""
    before = (
        item.get("taskDefinition", "")
        for item in service.get("deployments", [])
        if item.get("status") != "PRIMARY" and item.get("rolloutState") == "COMPLETED" and item.get("runningCount")
    )
    arn = rollout.now_serving if rollout.state is State.COMPLETED else next(before, rollout.now_serving)
    definition = tasks.find_task_definition(context.aws.ecs, arn)
    container = context.stack.container(context.stack.service)
    digest = tasks.environment_of(definition, container).get("RELEASE", "")
    release = record and (record.of_task_definition(arn) or record.newest(digest))
    return {
        "release": digest,
        "task_definition": arn,
        "commit": release.commit if release else "",
        "since": release.ended_at if release else "",
        "who": release.who if release else "",
    }


def _counts(service: ServiceTypeDef, problems: list[str]) -> dict[str, int]:
    counts = {
        "desired": service.get("desiredCount", 0),
        "running": service.get("runningCount", 0),
        "pending": service.get("pendingCount", 0),
    }
    if not counts["running"]:
        problems.append("no task runs")
    return counts


def _rollout(rollout: Rollout, problems: list[str]) -> dict[str, Any]:
    if rollout.state is State.FAILED:
        problems.append(f"the rollout failed: {rollout.reason or 'ECS gives no reason'}")
    state = {State.COMPLETED: "complete", State.FAILED: "failed"}.get(rollout.state, "in progress")
    return {
        "state": state,
        "task_definition": rollout.now_serving,
        "running": rollout.running,
        "desired": rollout.desired,
        "reason": rollout.reason,
    }


def _targets(context: Context, service: ServiceTypeDef, problems: list[str]) -> dict[str, Any]:
    groups = [item["targetGroupArn"] for item in service.get("loadBalancers", []) if item.get("targetGroupArn")]
    found = [
        target.get("TargetHealth", {})
        for group in groups
        for target in context.aws.elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    ]
    healthy = sum(item.get("State") == "healthy" for item in found)
    if not healthy:
        problems.append("the load balancer has no healthy target")
    others = [
        " ".join(filter(None, (item.get("State"), item.get("Reason"), item.get("Description"))))
        for item in found
        if item.get("State") != "healthy"
    ]
    return {"healthy": healthy, "all": len(found), "others": others}


def _readiness(context: Context, service: ServiceTypeDef, rollout: Rollout, problems: list[str]) -> dict[str, Any]:
    definition = tasks.find_task_definition(context.aws.ecs, service["taskDefinition"])
    try:
        expected = expect(context, service, definition)
    except OpsError as error:
        problems.append("the readiness path could not be asked")
        return {"status": None, "release": None, "detail": str(error)}
    path = expected.balancer.readiness_path
    answer = ask_readiness(expected.balancer)
    if answer.status != _HTTP_OK:
        problems.append(f"{path} is not ready: {answer.detail}")
    elif rollout.state is State.COMPLETED and answer.release != expected.release:
        problems.append(f"{path} answers with {answer.release or 'no release'}, not with what is rolled out")
    return {"status": answer.status, "release": answer.release, "detail": answer.detail}


def _alarms(context: Context) -> list[str]:
    pages = context.aws.cloudwatch.get_paginator("describe_alarms").paginate(
        AlarmNamePrefix=f"{context.stack.cluster}-", StateValue="ALARM", AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    raised = (alarm for page in pages for alarm in (*page["MetricAlarms"], *page["CompositeAlarms"]))
    names = [alarm.get("AlarmName", "") for alarm in raised]
    # Once an hour it is raised, to be heard from.
    return [name for name in names if not name.startswith(f"{context.stack.cluster}-heartbeat")]


def _last_release(record: Record | None) -> dict[str, Any] | None:
    newest: Release | None = record.releases[0] if record and record.releases else None
    if newest is None:
        return None
    return {name: getattr(newest, name) for name in ("digest", "commit", "who", "began_at", "verdict", "cause")}


def _screen(answer: dict[str, Any], record: Record | None) -> list[str]:
    """Lay the answer out for a person."""
    unknown = answer["unknown"]
    serving, counts, rollout = answer["serving"], answer["service"], answer["rollout"]
    name = serving["task_definition"].rsplit("/", 1)[-1]
    about = [
        f"commit {serving['commit']}" if serving["commit"] else "",
        f"by {serving['who']}" if serving["who"] else "",
    ]
    since = f"since {serving['since']}" if serving["since"] else ""
    rows = [
        ("serving", f"{serving['release'] or 'an unnamed release'}"),
        ("", ", ".join(filter(None, (name, *about, since)))),
        ("tasks", f"{counts['desired']} wanted, {counts['running']} running, {counts['pending']} pending"),
        ("targets", _said_targets(answer["targets"], unknown)),
        ("rollout", _said_rollout(rollout)),
        ("readiness", answer["readiness"]["detail"]),
        *said_beside(answer),
        ("alarms", unknown.get("alarms") or ", ".join(answer["alarms"]) or "none raised"),
        *_said_memory(answer, record),
        *((("events" if not number else ""), f"{item['at']} {item['message']}")
          for number, item in enumerate(answer["events"])),
        *((("PROBLEM" if not number else ""), problem) for number, problem in enumerate(answer["problems"])),
    ]  # fmt: skip
    return [f"{title:<{_WIDTH}}{text}" for title, text in rows]


def _said_targets(targets: dict[str, Any] | None, unknown: dict[str, str]) -> str:
    if targets is None:
        return unknown["targets"]
    others = f" ({'; '.join(targets['others'])})" if targets["others"] else ""
    return f"{targets['healthy']} of {targets['all']} healthy{others}"


def _said_rollout(rollout: dict[str, Any]) -> str:
    if rollout["state"] == "complete":
        return "complete"
    name = rollout["task_definition"].rsplit("/", 1)[-1]
    return f"{rollout['state']}: {name}, {rollout['running']} of {rollout['desired']} tasks run: {rollout['reason']}"


def _said_memory(answer: dict[str, Any], record: Record | None) -> list[tuple[str, str]]:
    if record is None:
        return [("memory", answer["unknown"]["release memory"])]
    last = answer["last_release"]
    rows = [
        ("last update", f"{last['verdict']}: {last['digest']}" + (f": {last['cause']}" if last["cause"] else ""))
        if last and (last["digest"], last["verdict"]) != (answer["serving"]["release"], LIVE)
        else None,
        ("hold", f"held by {record.hold}") if record.hold else None,
        ("denied", f"{len(record.denials)} release(s), which `ops releases` lists") if record.denials else None,
        ("in flight", str(record.in_flight or "nothing")),
    ]
    return [row for row in rows if row]


COMMAND = Command(
    name="status",
    summary="show what serves users now",
    description="Show the release that serves, the service's tasks and targets, the rollout, what its readiness path\n"
    "answers, workers and scheduled jobs, raised alarms, a hold, denials, what is in flight, and ECS's last events.\n"
    "Exit code 1 when users are not served as they should be: no task or healthy target, not ready, another release\n"
    "than what is rolled out, a failed rollout; a worker that does not run; while nothing is in flight, a worker or a\n"
    "job on another release than web's.",
    add_options=lambda _parser: None,
    run=_run,
    changes=False,
)
