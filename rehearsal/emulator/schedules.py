"""EventBridge Scheduler starts ECS tasks and invokes functions when its schedules are due.

MiniStack looks at schedules every ten seconds, reads cron without AWS's own marks and time zones, has no ECS target
and asks no role. The rules of expressions are the ones that a stack file is checked by.
"""

import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from infra.schedule_expression import ScheduleError, parse, time_zone
from ministack.core.responses import request_scope
from ministack.services import ecs, scheduler, sqs

from rehearsal.emulator import event_targets, task_permissions
from rehearsal.emulator.due import Due
from rehearsal.emulator.patching import Extension, replace, require
from rehearsal.emulator.repeating import LoopFailedError, look_again

logger = logging.getLogger("rehearsal.schedules")

EXTENSION = Extension(
    name="schedules",
    rule=(
        "A schedule runs its ECS task, or invokes its function as its role, when it is due: a rate at its creation and "
        "every interval after it, cron at the minutes of its time zone; what is refused goes to the dead-letter queue"
    ),
    source="EventBridge Scheduler: Schedule types; Configuring a dead-letter queue; Using templated targets",
)
# A schedule that never ends, nor begins later, nor is deleted after its last run.
NOT_REHEARSED = {"StartDate": None, "EndDate": None, "ActionAfterCompletion": "NONE"}
SERVICE = "scheduler.amazonaws.com"
FUNCTION = "arn:aws:lambda:"
# Words in a payload in whose place Scheduler puts what it knows of the run.
KEYWORDS = "<aws.scheduler."
Record = dict[str, Any]


class Schedules:
    """Starts what is due; of what became due while nobody looked, once."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._due = Due(clock)

    def run(self, closing: threading.Event, on_failure: Callable[[LoopFailedError], None]) -> None:
        """Look at the schedules until the emulator closes."""
        look_again("scheduled tasks", self.look, closing, on_failure)

    def look(self) -> None:
        """Start what is due now."""
        schedules = dict(scheduler._schedules._data)
        self._due.keep(schedules)
        for key, schedule in schedules.items():
            zone = schedule["ScheduleExpressionTimezone"]
            due = self._due.now(key, schedule["ScheduleExpression"], since=schedule["CreationDate"], zone=zone)
            if due and schedule["State"] == "ENABLED":
                with request_scope(key[0], key[1]):
                    start(schedule)


def start(schedule: Record) -> None:
    """Run the schedule's task, or its function; tell its dead-letter queue if that is refused."""
    if schedule["Target"]["Arn"].startswith(FUNCTION):
        _invoke(schedule)
        return
    wanted = run_task(schedule)
    status, _headers, body = ecs._run_task(wanted)
    answer = json.loads(body)
    if status == 200 and answer.get("tasks"):  # noqa: PLR2004
        logger.info("schedule %s has started %s", schedule["Name"], answer["tasks"][0]["taskArn"])
        return
    code, message = str(answer.get("__type", "")), str(answer.get("message", answer))
    _give_up(schedule, json.dumps(wanted), code=code, message=message)


def _invoke(schedule: Record) -> None:
    """Invoke the schedule's function as its role."""
    target = schedule["Target"]
    group = schedule["Arn"].rpartition("/")[0].replace(":schedule/", ":schedule-group/")
    role = task_permissions.Role(target["RoleArn"], schedule["Name"])
    payload = target.get("Input") or json.dumps(_notification(schedule))
    if not role.trusts(SERVICE, {"aws:sourceaccount": ecs.get_account_id(), "aws:sourcearn": group}):
        refused = f"The execution role {role.arn} does not let Scheduler assume it for {group}."
    else:
        refused = role.refusal("lambda:InvokeFunction", target["Arn"])
    if refused:
        _give_up(schedule, payload, code="AccessDeniedException", message=refused)
    elif not event_targets.invoke(target["Arn"], payload):
        _give_up(schedule, payload, code="ResourceNotFoundException", message=f"Function not found: {target['Arn']}")


def _notification(schedule: Record) -> Record:
    """What a function is told that is given no payload."""
    return {
        "version": "0",
        "id": ecs.new_uuid(),
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": ecs.get_account_id(),
        "time": ecs._iso(),
        "region": ecs.get_region(),
        "resources": [schedule["Arn"]],
        "detail": "{}",
    }


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


def _give_up(schedule: Record, asked: str, *, code: str, message: str) -> None:
    """Put what was asked for into the dead-letter queue, with why; Scheduler tries again for a while before."""
    logger.warning("schedule %s could not start what it should: %s", schedule["Name"], message)
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
            "MessageBody": asked,
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
    target = body.get("Target") or {}
    if not target.get("EcsParameters") and not str(target.get("Arn", "")).startswith(FUNCTION):
        return "The rehearsal runs schedules of ECS tasks and of functions only."
    if KEYWORDS in str(target.get("Input", "")):
        return f"The rehearsal does not know the keywords {KEYWORDS}...>: leave them out of the payload."
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
