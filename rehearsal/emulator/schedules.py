"""EventBridge Scheduler starts ECS tasks when its schedules are due.

MiniStack looks at schedules every ten seconds, reads cron without AWS's own marks and time zones, and has no ECS
target. The rules of expressions are the ones that a stack file is checked by.
"""

import json
import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import Any

from infra.schedule_expression import Rate, ScheduleError, parse, time_zone
from ministack.core.responses import request_scope
from ministack.services import ecs, scheduler, sqs

from rehearsal.emulator.patching import Extension, replace, require
from rehearsal.emulator.repeating import LoopFailedError, repeat

logger = logging.getLogger("rehearsal.schedules")

EXTENSION = Extension(
    name="scheduled tasks",
    rule=(
        "A schedule runs its ECS task when it is due: a rate at its creation and every interval after it, cron at the "
        "minutes of its time zone; a start that ECS refuses goes to the dead-letter queue"
    ),
    source="EventBridge Scheduler: Schedule types; Configuring a dead-letter queue; Using templated targets",
)
# A schedule that never ends, nor begins later, nor is deleted after its last run.
NOT_REHEARSED = {"StartDate": None, "EndDate": None, "ActionAfterCompletion": "NONE"}
TICK_SECONDS = 0.5
MINUTE_SECONDS = 60
Key = tuple[str, str, str]  # account, region, group and name of the schedule
Record = dict[str, Any]


class Schedules:
    """Starts what is due; of what became due while nobody looked, once."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        # By schedule: the number of the interval, or of the minute since 1970, that was looked at last.
        self._seen: dict[Key, int] = {}

    def run(self, closing: threading.Event, on_failure: Callable[[LoopFailedError], None]) -> None:
        """Look at the schedules until the emulator closes."""

        def step() -> None:
            closing.wait(TICK_SECONDS)
            if not closing.is_set():
                self.look()

        repeat("scheduled tasks", step, closing, on_failure)

    def look(self) -> None:
        """Start what is due now."""
        schedules = dict(scheduler._schedules._data)
        self._seen = {key: seen for key, seen in self._seen.items() if key in schedules}
        for key, schedule in schedules.items():
            if self._is_due(key, schedule) and schedule["State"] == "ENABLED":
                with request_scope(key[0], key[1]):
                    start(schedule)

    def _is_due(self, key: Key, schedule: Record) -> bool:
        rule, now = parse(schedule["ScheduleExpression"]), self._clock()
        if isinstance(rule, Rate):
            interval = int((now - schedule["CreationDate"]) // rule.interval.total_seconds())
            due = interval > self._seen.get(key, -1)
            self._seen[key] = interval
            return due
        minute = int(now // MINUTE_SECONDS)
        # The minute in which a schedule is made has begun before it.
        since = range(self._seen.get(key, minute) + 1, minute + 1)
        due = any(rule.is_due(_local(begun * MINUTE_SECONDS, schedule)) for begun in since)
        self._seen[key] = minute
        return due


def _local(moment: float, schedule: Record) -> datetime:
    zone: tzinfo = time_zone(schedule["ScheduleExpressionTimezone"])
    return datetime.fromtimestamp(moment, zone)


def start(schedule: Record) -> None:
    """Run the schedule's task; tell its dead-letter queue if ECS refuses."""
    status, _headers, body = ecs._run_task(run_task(schedule))
    answer = json.loads(body)
    if status == 200 and answer.get("tasks"):  # noqa: PLR2004
        logger.info("schedule %s has started %s", schedule["Name"], answer["tasks"][0]["taskArn"])
        return
    logger.warning("schedule %s could not start its task: %s", schedule["Name"], answer)
    _give_up(schedule, code=str(answer.get("__type", "")), message=str(answer.get("message", answer)))


def run_task(schedule: Record) -> Record:
    """What ECS's RunTask is asked for."""
    target = schedule["Target"]
    wanted = target["EcsParameters"]
    definition = wanted["TaskDefinitionArn"]
    given = [{name.lower(): text for name, text in tag.items()} for tag in wanted.get("Tags", [])]
    propagated = ecs._tags.get(definition, []) if wanted.get("PropagateTags") == "TASK_DEFINITION" else []
    return {
        "cluster": target["Arn"],
        "taskDefinition": definition,
        "count": wanted.get("TaskCount", 1),
        "launchType": wanted.get("LaunchType"),
        "platformVersion": wanted.get("PlatformVersion", ""),
        "networkConfiguration": _uncapitalised(wanted.get("NetworkConfiguration", {})),
        "group": wanted.get("Group") or f"family:{definition.rpartition('/')[2].partition(':')[0]}",
        "startedBy": f"chronos-schedule/{schedule['Name']}",
        "tags": [*propagated, *given],
    }


def _uncapitalised(value: Any) -> Any:
    if isinstance(value, dict):
        return {name[:1].lower() + name[1:]: _uncapitalised(item) for name, item in value.items()}
    return value


def _give_up(schedule: Record, *, code: str, message: str) -> None:
    """Put what was asked for into the dead-letter queue, with why; Scheduler tries again for a while before."""
    queue = schedule["Target"].get("DeadLetterConfig", {}).get("Arn")
    if not queue:
        return
    attributes = {
        "ERROR_CODE": code,
        "ERROR_MESSAGE": message,
        "SCHEDULE_ARN": schedule["Arn"],
        "TARGET_ARN": schedule["Target"]["Arn"],
    }
    sqs._act_send_message(
        {
            "QueueUrl": queue.rpartition(":")[2],
            "MessageBody": json.dumps(run_task(schedule)),
            "MessageAttributes": {
                name: {"DataType": "String", "StringValue": text} for name, text in attributes.items() if text
            },
        },
        "",
    )


def problem_of(body: Record) -> str:
    """What Scheduler would not take of a schedule, or the rehearsal would not run; empty if there is nothing."""
    try:
        parse(str(body.get("ScheduleExpression", "")))
        time_zone(str(body.get("ScheduleExpressionTimezone") or "UTC"))
    except ScheduleError as error:
        return f"Invalid Schedule Expression: it {error}."
    if not (body.get("Target") or {}).get("EcsParameters"):
        return "The rehearsal runs schedules of ECS tasks only."
    for name, default in NOT_REHEARSED.items():
        if (body.get(name) or default) != default:
            return f"The rehearsal does not know {name} {body[name]!r}: leave it out of the schedule."
    return ""


def install() -> None:
    """Take the schedules over from MiniStack, and refuse those that AWS would refuse."""

    def checked(original: Callable[..., Any]) -> Callable[..., Any]:
        def put(name: str, body: Record) -> Any:
            problem = problem_of(body)
            return scheduler._error(400, "ValidationException", problem) if problem else original(name, body)

        return put

    require(scheduler, "_error", "(status, code, message)")
    require(sqs, "_act_send_message", "(data: dict, qurl: str) -> dict")
    for name in ("_create_schedule", "_update_schedule"):
        replace(scheduler, name, "(name, body)", checked(require(scheduler, name, "(name, body)")))
    replace(scheduler, "_tick_schedules", "()", lambda: None)
