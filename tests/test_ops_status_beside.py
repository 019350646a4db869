"""What `status` shows of workers and scheduled jobs, and which of it is a problem."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import pytest

from ops.release_record import LIVE, Record, Release
from tests.ops_fakes.account import OLD_RELEASE, RELEASE, Refused
from tests.ops_fakes.releases import flight
from tests.ops_fakes.rollout import BREAKER, Rollout, rolling_out
from tests.ops_fakes.world import Outcome, run_ops

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.ops_fakes.world import World


@pytest.fixture
def rollout() -> Iterator[Rollout]:
    """A release that serves as it should, with a worker and a job on it."""
    with rolling_out() as rollout:
        world = rollout.world
        rollout.complete()
        world.targets = [{"State": "healthy"}]
        assert world.service is not None
        world.service |= {"runningCount": 2, "pendingCount": 0}
        world.remember(Record(releases=(Release(digest=RELEASE, task_definition=rollout.new, verdict=LIVE),)))
        world.work("mailer", world.define("mailer", 3))
        world.schedule("nightly", world.define("nightly", 5))
        yield rollout


def status(rollout: Rollout, capsys: pytest.CaptureFixture[str], *arguments: str) -> Outcome:
    environment = {"OPS_CONNECT_TO": rollout.front.address}
    return run_ops(rollout.world, capsys, "status", "--stack", "staging", *arguments, environment=environment)


def fall_behind(world: World) -> None:
    world.work("mailer", world.define("mailer", 2, release=OLD_RELEASE))
    world.schedule("nightly", world.define("nightly", 4, release=OLD_RELEASE))


def test_each_is_told_in_one_line_with_its_last_end(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    world = rollout.world
    (job,) = (arn for arn in world.definitions if "-nightly:" in arn)
    for identity, code in (("first", 0), ("second", 7)):
        task = world.task(identity, job, stoppedAt=world.clock.date())
        world.end(task, exit_code=code)
        world.clock.time += 60
    seen = status(rollout, capsys)
    assert seen.code == 0, seen.err
    assert (
        f"workers      mailer: 1 wanted, 1 running, rollout complete; pactum-staging-mailer:3, {RELEASE}\n"
        f"jobs         nightly: cron(15 3 * * ? *) Europe/Berlin; pactum-staging-nightly:5, {RELEASE}, "
        "last end: exit code 7 at 2026-11-22T12:01:00Z\n"
    ) in seen.out


def test_a_program_gets_the_same(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    answer = json.loads(status(rollout, capsys, "--json").out)
    (worker,), (job,) = answer["workers"], answer["jobs"]
    assert (worker["name"], worker["release"], worker["desired"], worker["running"]) == ("mailer", RELEASE, 1, 1)
    assert (job["name"], job["release"], job["state"]) == ("nightly", RELEASE, "ENABLED")
    assert job["task_definition"].endswith("pactum-staging-nightly:5")


def test_another_release_than_webs_is_a_problem(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    fall_behind(rollout.world)
    seen = status(rollout, capsys)
    assert seen.code == 1
    assert f"PROBLEM      worker mailer is on another release than web: {OLD_RELEASE}\n" in seen.out
    assert f"job nightly is on another release than web: {OLD_RELEASE}\n" in seen.out


def test_while_something_is_in_flight_it_is_none(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    fall_behind(rollout.world)
    rollout.world.remember(dataclasses.replace(rollout.world.record(), in_flight=flight()))
    seen = status(rollout, capsys)
    assert seen.code == 0, seen.out
    assert OLD_RELEASE in seen.out, "shown all the same"


def test_what_is_stopped_may_be_on_any_release(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    """As a rollback leaves what the earlier release does not have."""
    world = rollout.world
    world.work("mailer", world.define("mailer", 2, release=OLD_RELEASE), tasks=0)
    world.schedule("nightly", world.define("nightly", 4, release=OLD_RELEASE), state="DISABLED")
    seen = status(rollout, capsys)
    assert seen.code == 0, seen.out
    assert "mailer: 0 wanted, 0 running" in seen.out
    assert "nightly: cron(15 3 * * ? *) Europe/Berlin, DISABLED;" in seen.out


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ("none runs", "no task of worker mailer runs"),
        ("failed", f"the rollout of worker mailer failed: {BREAKER}"),
        ("gone", "ECS knows nothing of {arn}, which job nightly is to run"),
    ],
)
def test_a_worker_or_job_that_does_no_work_is_a_problem(
    rollout: Rollout, capsys: pytest.CaptureFixture[str], wrong: str, problem: str
) -> None:
    world = rollout.world
    mailer: dict[str, Any] = world.workers["mailer"]
    (job,) = (arn for arn in world.definitions if "-nightly:" in arn)
    if wrong == "none runs":
        mailer["runningCount"] = 0
    elif wrong == "failed":
        mailer["deployments"][0] |= {"rolloutState": "FAILED", "rolloutStateReason": BREAKER}
    else:
        del world.definitions[job]
    seen = status(rollout, capsys)
    assert seen.code == 1
    assert f"PROBLEM      {problem.format(arn=job)}\n" in seen.out


def test_what_may_not_be_asked_is_unknown_and_the_rest_is_shown(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> None:
        raise Refused("AccessDeniedException", "not authorized")

    for operation in ("ListServices", "ListSchedules"):
        rollout.world.before[operation] = refuse
    seen = status(rollout, capsys)
    assert seen.code == 0, seen.out
    assert "workers      AWS refused ListServices: not authorized\n" in seen.out
    assert "jobs         AWS refused ListSchedules: not authorized\n" in seen.out


def test_what_is_nobodys_process_of_the_stack_is_named_and_not_judged(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    world = rollout.world
    foreign = world.define("their-agent", 1, release=OLD_RELEASE)
    world.work("agent", foreign)
    world.schedule("report", foreign)
    seen = status(rollout, capsys)
    assert seen.code == 0, seen.out
    assert "service agent in cluster pactum-staging is left alone: it runs no task definition of family " in seen.out
    assert "schedule pactum-staging-report in group pactum-staging is left alone" in seen.out
    assert "workers      mailer" in seen.out
    assert "agent: " not in seen.out


def test_a_job_that_is_deleted_while_they_are_asked_about_hides_no_other(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    world = rollout.world
    world.schedule("gone", world.define("gone", 1))
    world.before["GetSchedule"] = lambda: world.schedules.pop("pactum-staging-gone", None)
    seen = status(rollout, capsys)
    assert seen.code == 0, seen.out
    assert "jobs         nightly: " in seen.out
    assert "gone" not in seen.out


def test_a_stack_with_neither_shows_neither(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    rollout.world.workers.clear()
    rollout.world.schedules.clear()
    seen = status(rollout, capsys)
    assert seen.code == 0, seen.out
    assert "workers" not in seen.out
    assert "jobs" not in seen.out
