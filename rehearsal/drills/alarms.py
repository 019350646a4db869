"""Trouble that nobody sees by looking at the deployment: whom it reaches, how soon, and in which words."""

import contextlib
import datetime as dt
import json
import threading
import time
from collections.abc import Iterator
from http.client import HTTPException

from rehearsal.balancer_client import BalancerClient
from rehearsal.drills.drill import expect
from rehearsal.drills.inbox import Inbox, says_what_to_do
from rehearsal.drills.stage import Stage

MINUTE = 60
# One that ends badly when the drill runs it, and one that is not due before next year and may not be late for a minute.
JOBS = {
    "failing": {"command": ["python", "-c", "raise SystemExit(3)"], "schedule": "cron(0 0 1 1 ? *)"},
    "idle": {"command": ["python", "-c", "pass"], "schedule": "cron(0 0 1 1 ? *)", "overdueMinutes": 1},
}
OVERRIDES = {"pactum:jobs": json.dumps(JOBS)}
FAILED = 3
RAISES, SLOW = "/drill/raises", "/drill/slow"
SAID = "nobody handles this"
SERVER_ERROR = 500
SLOW_USERS = 3
# From a cause to its message: the minute's end, the metric, the alarm's evaluation; a busy machine takes its time.
EXCEPTION_SECONDS = JOB_FAILED_SECONDS = 2 * MINUTE
# Three slow minutes, the first of them a whole one.
SLOW_SECONDS = 5 * MINUTE
# The minute that the job may be late, and three looks of the watch at it.
OVERDUE_SECONDS = 6 * MINUTE
# Three of five minutes without a slow answer.
OVER_SECONDS = 5 * MINUTE


def trouble_reaches_people(stage: Stage) -> str:
    """An exception, a slow page, a job that fails and one that never runs each reach people, with what to do first."""
    inbox = Inbox(tools=stage.updater.tools)
    inbox.open()
    up = time.monotonic()
    update = stage.update(stage.build("troubled"))
    expect(not update.error, f"the release could not be deployed: {update.error}")
    slow_alarm = inbox.alarm("slow-p95")
    raised = _raise(stage)
    with _slow_users(stage, 1.5 * float(slow_alarm["Threshold"])):
        slow = time.monotonic()
        ran = stage.operate("run", "--job", "failing")
        expect(ran.returncode == FAILED, f"`ops run` ended with {ran.returncode}: {ran.stdout}{ran.stderr}")
        failed = time.monotonic()
        exception = _told(stage, inbox, "exceptions", raised, EXCEPTION_SECONDS)
        _is_in_log_and_metric(stage, inbox)
        job_failed = _told(stage, inbox, "job-failed-failing", failed, JOB_FAILED_SECONDS)
        slowness = _told(stage, inbox, "slow-p95", slow, SLOW_SECONDS)
    ended = time.monotonic()
    overdue = _told(stage, inbox, "job-overdue-idle", up, OVERDUE_SECONDS)
    name = slow_alarm["AlarmName"]
    stage.wait(lambda: inbox.told(name, "OK"), f"nobody was told that {name} is over", seconds=OVER_SECONDS)
    over = inbox.told(name, "OK")
    return (
        f"told after: exception {exception:.0f} s, failed job {job_failed:.0f} s, slow page {slowness:.0f} s "
        f"(over: {over.at - ended if over else 0:.0f} s), job that never ran {overdue:.0f} s"
    )


def _told(stage: Stage, inbox: Inbox, label: str, since: float, seconds: float) -> float:
    """Wait until people were told of an alarm, in words that help; answers how many seconds after its cause."""
    name = inbox.alarm(label)["AlarmName"]
    left = max(1.0, since + seconds - time.monotonic())
    stage.wait(lambda: inbox.told(name, "ALARM"), f"nobody was told of {name}", seconds=left)
    message = inbox.told(name, "ALARM")
    if message:
        says_what_to_do(message)
    return message.at - since if message else 0.0


def _raise(stage: Stage) -> float:
    """Meet the exception once; answers when."""
    answer = BalancerClient(place=stage.updater.place, url=stage.live.url).get(RAISES)
    expect(answer.status == SERVER_ERROR, f"{RAISES} answered {answer.status}")
    return time.monotonic()


def _is_in_log_and_metric(stage: Stage, inbox: Inbox) -> None:
    """The exception is one line of the log, with its traceback, and was counted in the metric that its alarm is on."""
    tools, group = stage.updater.tools, f"/pactum/{stage.live.stack}/web"
    events = tools.client("logs").filter_log_events(logGroupName=group, filterPattern=f'"{SAID}"')["events"]
    lines = [json.loads(event["message"]) for event in events]
    told = [line for line in lines if line["level"] == "ERROR" and SAID in str(line.get("exception"))]
    expect(len(told) == 1, f"{len(told)} lines of {group} are errors with the exception")
    metric = inbox.alarm("exceptions")["Metrics"][0]["MetricStat"]["Metric"]
    now = dt.datetime.now(dt.UTC)
    found = tools.client("cloudwatch").get_metric_statistics(
        Namespace=metric["Namespace"],
        MetricName=metric["MetricName"],
        Dimensions=metric.get("Dimensions", []),
        StartTime=now - dt.timedelta(minutes=10),
        EndTime=now,
        Period=MINUTE,
        Statistics=["Sum"],
    )
    counted = sum(point["Sum"] for point in found["Datapoints"])
    expect(counted == 1, f"{metric['Namespace']} {metric['MetricName']} counted {counted:.0f} exceptions instead of 1")


@contextlib.contextmanager
def _slow_users(stage: Stage, seconds: float) -> Iterator[None]:
    """Users who ask for the slow page all the time."""
    stop = threading.Event()
    place, url = stage.updater.place, stage.live.url

    def ask() -> None:
        while not stop.is_set():
            with contextlib.suppress(OSError, HTTPException):
                BalancerClient(place=place, url=url).get(f"{SLOW}?seconds={seconds}")

    users = [threading.Thread(target=ask, daemon=True) for _ in range(SLOW_USERS)]
    for user in users:
        user.start()
    try:
        yield
    finally:
        stop.set()
        for user in users:
            user.join(timeout=MINUTE)
