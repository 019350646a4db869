"""Workers and scheduled jobs on this machine: a worker survives a release as the new one, a job runs by the clock."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rehearsal import releases
from rehearsal.place import Place
from rehearsal.session import Rehearsal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [
    pytest.mark.rehearsal,
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
RELEASES = Path(__file__).parent / "releases"
PLACE = Place(gateway_port=4679, front_port=8679)
# Ends at SIGTERM as a worker should: the first process of a container is not ended by a signal it does not ask for.
WORKING = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(print('worker ends', os.environ['RELEASE'], flush=True)))
print('worker of', os.environ['RELEASE'], 'with', os.environ['DATABASE_POOL_MAX'], flush=True)
while True: time.sleep(1)
"""
JOB = "import os; print('job of', os.environ['RELEASE'], 'as', os.environ['DATABASE_USER'] != '', flush=True)"
PROCESSES = {
    "pactum:workers": json.dumps({"mail": {"command": ["python", "-c", WORKING], "stopSeconds": 20}}),
    "pactum:jobs": json.dumps({"tick": {"command": ["python", "-c", JOB], "schedule": "rate(1 minute)"}}),
}
CLUSTER = "pactum-staging"


@pytest.fixture(scope="module")
def live() -> Iterator[Rehearsal]:
    with Rehearsal(stack="staging", place=PLACE, overrides=PROCESSES) as rehearsal:
        rehearsal.bootstrap()
        rehearsal.preview()
        rehearsal.up()
        yield rehearsal


def lines(live: Rehearsal, process: str) -> list[str]:
    events = live.tools.client("logs").filter_log_events(logGroupName=f"/pactum/staging/{process}")["events"]
    return [str(event["message"]) for event in events]


def until(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := condition():
            return answer
        time.sleep(0.5)
    pytest.fail(f"waited {seconds} s in vain for {what}")


def released(live: Rehearsal) -> str:
    assert live.live is not None
    return live.live.release


def test_a_worker_runs_and_a_job_is_started_by_the_clock(live: Rehearsal) -> None:
    release = released(live)
    assert until(lambda: lines(live, "mail"), 20, "the worker's log") == [f"worker of {release} with 2"]
    assert until(lambda: lines(live, "tick"), 20, "the job's log")[0] == f"job of {release} as True"


def test_a_second_update_changes_nothing_of_them(live: Rehearsal) -> None:
    assert live.up(phase="second up").reasons == []


def test_the_count_of_web_tasks_is_autoscalings_and_that_of_workers_the_stack_files(live: Rehearsal) -> None:
    ecs = live.tools.client("ecs")
    ecs.update_service(cluster=CLUSTER, service="web", desiredCount=2)
    ecs.update_service(cluster=CLUSTER, service="mail", desiredCount=0)
    tally = live.up(phase="up after scaling")
    counts = {
        service["serviceName"]: service["desiredCount"]
        for service in ecs.describe_services(cluster=CLUSTER, services=["web", "mail"])["services"]
    }
    assert counts == {"web": 2, "mail": 1}, "an update in the middle of the day must not scale web down"
    assert tally.reasons == ["aws:ecs/service:Service pactum-staging-mail: desiredCount"]


def test_a_raised_minimum_is_brought_about_by_autoscaling(live: Rehearsal) -> None:
    tally = live.up({"pactum:webMinimum": "3", "pactum:webMaximum": "3"}, phase="up with a raised minimum")
    web = live.tools.client("ecs").describe_services(cluster=CLUSTER, services=["web"])["services"][0]
    assert (web["desiredCount"], web["runningCount"]) == (3, 3), "and the verdict has waited for it"
    assert "aws:appautoscaling/target:Target pactum-staging-web: maxCapacity, minCapacity" in tally.reasons


def test_after_a_release_workers_and_jobs_are_those_of_the_new_image(live: Rehearsal) -> None:
    before = released(live)
    releases.deploy(live, RELEASES / "good")
    after = released(live)
    assert after != before, "otherwise nothing here could be seen"
    until(lambda: f"worker of {after} with 2" in lines(live, "mail"), 30, "the new worker")
    until(lambda: f"worker ends {before}" in lines(live, "mail"), 30, "the old worker, told by SIGTERM, to end")
    ecs = live.tools.client("ecs")
    (arn,) = until(lambda: ecs.list_tasks(cluster=CLUSTER, serviceName="mail")["taskArns"], 5, "its one task")
    (task,) = ecs.describe_tasks(cluster=CLUSTER, tasks=[arn])["tasks"]
    assert task["containers"][0]["image"].endswith(after)
    until(lambda: f"job of {after} as True" in lines(live, "tick"), 75, "the job's next minute")
