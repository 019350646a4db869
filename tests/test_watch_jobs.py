"""ops/watch/jobs.py: what is remembered of jobs that ended well, and counted from."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from ops.watch import gauges, jobs
from tests.ops_fakes.account import BASE_TIME, Refused
from tests.watch_fakes import Watched, assignment_of, clients_of

HOUR = dt.timedelta(hours=1)


def ended(job: str = "nightly", code: int | None = 0, at: dt.datetime = BASE_TIME, **changes: Any) -> dict[str, Any]:
    """What ECS tells EventBridge when a task of a job stops."""
    container = {"name": job, "lastStatus": "STOPPED"} | ({} if code is None else {"exitCode": code})
    return {
        "source": "aws.ecs",
        "detail-type": "ECS Task State Change",
        "time": (at + dt.timedelta(seconds=20)).isoformat().replace("+00:00", "Z"),
        "detail": {
            "group": f"family:pactum-staging-{job}",
            "lastStatus": "STOPPED",
            "stoppedAt": at.isoformat().replace("+00:00", "Z"),
            "containers": [{"name": "sidecar", "exitCode": 0}, container],
            **changes,
        },
    }


def remember(world: Watched, event: dict[str, Any]) -> str:
    return jobs.remember(assignment_of(), clients_of(world), event)


def seconds(world: Watched, now: dt.datetime = BASE_TIME, *, by_hand: bool = False) -> float:
    (one,) = jobs.gauge(assignment_of(), clients_of(world), now, by_hand=by_hand)
    assert (one.name, dict(one.dimensions), one.unit) == ("SecondsSinceSuccess", {"Job": "nightly"}, "Seconds")
    return one.value


def test_a_job_that_ended_well_is_counted_from_its_end() -> None:
    world = Watched()
    assert remember(world, ended()) == "nightly"
    assert world.succeeded("nightly") == BASE_TIME.timestamp()
    assert seconds(world, BASE_TIME + HOUR) == 3600.0


@pytest.mark.parametrize(
    "event",
    [
        ended(code=1),
        ended(code=137),
        ended(code=None),
        ended(lastStatus="DEACTIVATING"),
        ended("web"),
        ended(group="service:nightly"),
        ended(group="family:pactum-staging-eu-nightly"),
        ended(containers=[{"name": "sidecar", "exitCode": 0}]),
    ],
)
def test_only_an_exit_code_of_zero_of_the_jobs_own_container_is_a_success(event: dict[str, Any]) -> None:
    world = Watched()
    assert remember(world, event) == ""
    assert world.succeeded("nightly") is None


def test_events_come_in_any_order_and_twice() -> None:
    world = Watched()
    for at in (BASE_TIME, BASE_TIME - HOUR, BASE_TIME):
        remember(world, ended(at=at))
    assert world.succeeded("nightly") == BASE_TIME.timestamp(), "an earlier end must not take its place"


def test_without_the_tasks_own_time_the_events_is_taken() -> None:
    world = Watched()
    remember(world, ended(stoppedAt=None))
    assert world.succeeded("nightly") == BASE_TIME.timestamp() + 20


def test_a_job_that_never_ended_well_is_counted_from_its_schedule() -> None:
    world = Watched(made={"nightly": BASE_TIME - 2 * HOUR})
    assert seconds(world, BASE_TIME - 3 * HOUR) == 0.0, "its schedule comes after the verdict"
    assert seconds(world) == 7200.0, "a job that never runs is seen too"


def test_a_job_that_is_older_than_the_watch_is_counted_from_the_first_look() -> None:
    world = Watched(made={"nightly": BASE_TIME - dt.timedelta(days=300)})
    assert seconds(world) == 0.0, "the update that brings the watch would page for each job"
    assert seconds(world, BASE_TIME + HOUR) == 3600.0, "and is overdue one day, where it never runs"
    assert len(world.asked("UpdateItem")) == 1, "looked at first once"


def test_a_look_by_hand_is_no_first_look() -> None:
    world = Watched(made={"nightly": BASE_TIME - 2 * HOUR})
    assert seconds(world, by_hand=True) == 7200.0
    assert world.asked("UpdateItem") == [], "a dry run changes nothing"
    world.made.clear()
    assert seconds(world, by_hand=True) == 0.0


def test_a_job_that_comes_back_after_months_is_not_overdue_for_that() -> None:
    world = Watched(made={"nightly": BASE_TIME - HOUR})
    remember(world, ended(at=BASE_TIME - dt.timedelta(days=100)))
    assert seconds(world) == 3600.0


def test_a_job_whose_schedule_is_gone_is_counted_from_its_last_success() -> None:
    world = Watched(made={})
    remember(world, ended(at=BASE_TIME - HOUR))
    assert seconds(world) == 3600.0, "it runs no more, and becomes overdue"


def test_a_job_whose_schedule_is_still_to_be_made_fails_no_pass() -> None:
    world = Watched(made={})
    assert seconds(world) == 0.0, "an update that adds a job tells the watch of it minutes before the verdict"
    assert seconds(world, BASE_TIME + HOUR) == 3600.0, "and one whose schedule never comes is overdue"


def test_a_job_may_be_called_like_the_tables_key() -> None:
    world, told = Watched(made={}), assignment_of(JOBS="stack")
    assert jobs.remember(told, clients_of(world), ended("stack")) == "stack"
    (one,) = jobs.gauge(told, clients_of(world), BASE_TIME + HOUR, by_hand=False)
    assert one.value == 3600.0


def test_a_job_that_cannot_be_counted_keeps_no_other_from_it(caplog: pytest.LogCaptureFixture) -> None:
    world = Watched(made={"nightly": BASE_TIME - HOUR, "weekly": BASE_TIME - 2 * HOUR})
    answers = [Refused("ThrottlingException", f"slower, {number}") for number in (1, 2)]

    def throttled() -> None:
        if answers:
            raise answers.pop(0)

    world.before["GetSchedule"] = throttled
    told = assignment_of(JOBS="daily,hourly,nightly,weekly")
    seen = gauges.run({"jobs": lambda: jobs.gauge(told, clients_of(world), BASE_TIME, by_hand=True)}, 10)
    assert {one.dimensions["Job"]: one.value for one in seen.measures} == {"nightly": 3600.0, "weekly": 7200.0}
    assert "slower, 1" in seen.failed["jobs"], "the watch still says that it does not see everything"
    for word in ("job daily", "slower, 1", "job hourly", "slower, 2"):
        assert word in caplog.text, "all of them are told of"


def test_a_clock_that_is_late_counts_no_less_than_nothing() -> None:
    world = Watched()
    remember(world, ended(at=BASE_TIME + dt.timedelta(seconds=3)))
    assert seconds(world) == 0.0


def test_the_release_memory_beside_it_is_left_alone() -> None:
    world = Watched()
    remember(world, ended())
    assert [key for _, key in world.items] == ["watch:jobs"]
    (asked,) = world.asked("UpdateItem")
    assert asked["Key"] == {"stack": {"S": "watch:jobs"}}, "the policy allows this key alone"
