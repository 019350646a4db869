"""One screen on what serves users now, and an exit code a script can use."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ops.release_record import LIVE, ROLLED_BACK, Decision, InFlight, Record, Release
from tests.ops_fakes.account import OLD_RELEASE, RELEASE, Refused
from tests.ops_fakes.rollout import Rollout, rolling_out
from tests.ops_fakes.world import Outcome, World, run_ops

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = "2026-11-22T12:00:00Z"
HEALTHY, SICK = {"State": "healthy"}, {"State": "unhealthy", "Reason": "Target.Timeout", "Description": "too slow"}


@pytest.fixture
def rollout() -> Iterator[Rollout]:
    """A release that serves as it should."""
    with rolling_out() as rollout:
        rollout.complete()
        rollout.world.targets = [HEALTHY, HEALTHY]
        count(rollout.world)
        live = Release(
            digest=RELEASE, commit="abc1234", who="ana", ended_at=NOW, task_definition=rollout.new, verdict=LIVE
        )
        rollout.world.remember(Record(releases=(live,)))
        yield rollout


def count(world: World, running: int = 2) -> None:
    assert world.service is not None
    world.service |= {"runningCount": running, "pendingCount": 0}


def status(rollout: Rollout, capsys: pytest.CaptureFixture[str], *arguments: str) -> Outcome:
    environment = {"OPS_CONNECT_TO": rollout.front.address}
    return run_ops(rollout.world, capsys, "status", "--stack", "staging", *arguments, environment=environment)


def test_a_healthy_stack_is_told_on_one_screen(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(5):
        rollout.world.event(f"(service web) event {number}")
    seen = status(rollout, capsys)
    assert seen.code == 0, seen.err
    assert seen.out.splitlines()[2:] == [
        f"serving      {RELEASE}",
        "             pactum-staging-web:2, commit abc1234, by ana, since 2026-11-22T12:00:00Z",
        "tasks        2 wanted, 2 running, 0 pending",
        "targets      2 of 2 healthy",
        "rollout      complete",
        f'readiness    200: {{"status": "ok", "release": "{RELEASE}"}}',
        "alarms       none raised",
        "in flight    nothing",
        "events       2026-11-22T12:00:00Z (service web) event 4",
        "             2026-11-22T12:00:00Z (service web) event 3",
        "             2026-11-22T12:00:00Z (service web) event 2",
    ]


def test_what_people_decided_and_what_is_under_way_is_shown(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    record = rollout.world.record()
    bad = Release(digest="sha256:" + "c" * 64, verdict=ROLLED_BACK, cause="its tasks crash: exit code 3")
    decision = Decision(who="bia", at=NOW, reason="sale today")
    flight = InFlight(
        kind="update", digest=RELEASE, who="ana", host="ci-7", began_at=NOW, seen_at="2026-11-22T12:00:05Z"
    )
    rollout.world.remember(
        Record(releases=(bad, *record.releases), denials={bad.digest: decision}, hold=decision, in_flight=flight)
    )
    rollout.world.alarms = {
        "pactum-staging-errors": "ALARM",
        "pactum-staging-slow": "OK",
        "pactum-staging-heartbeat-0a1b2c3": "ALARM",
        "pactum-prod-errors": "ALARM",
    }
    seen = status(rollout, capsys)
    assert seen.code == 0, "users are served as they should be"
    for line in (
        "alarms       pactum-staging-errors\n",
        f"last update  rolled back: {bad.digest}: its tasks crash: exit code 3\n",
        f"hold         held by bia at {NOW}: sale today\n",
        "denied       1 release(s), which",
        f"in flight    ana on ci-7 has been deploying {RELEASE} since {NOW}, last sign of life 2026-11-22T12:00:05Z\n",
    ):
        assert line in seen.out


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ("targets", "the load balancer has no healthy target"),
        ("readyz", "/readyz is not ready: 503"),
        ("release", f"/readyz answers with {OLD_RELEASE}, not with what is rolled out"),
        ("tasks", "no task runs"),
        ("rollout", "the rollout failed: ECS deployment circuit breaker: tasks failed to start."),
    ],
)
def test_users_not_served_as_they_should_be_are_a_problem_and_an_exit_code(
    rollout: Rollout, capsys: pytest.CaptureFixture[str], wrong: str, problem: str
) -> None:
    world = rollout.world
    if wrong == "targets":
        world.targets = [SICK]
    elif wrong == "tasks":
        count(world, running=0)
    elif wrong == "rollout":
        rollout.fail_first()
        count(world)
    else:
        rollout.front.answers = [(503, RELEASE) if wrong == "readyz" else (200, OLD_RELEASE)]
    seen = status(rollout, capsys)
    assert seen.code == 1
    assert f"PROBLEM      {problem}" in seen.out
    answer = json.loads(status(rollout, capsys, "--json").out)
    assert (answer["ok"], len(answer["problems"])) == (False, 1)
    if wrong == "targets":
        assert "targets      0 of 1 healthy (unhealthy Target.Timeout too slow)" in seen.out


def test_during_a_rollout_the_release_before_is_what_serves(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    rollout.begin()
    count(rollout.world)
    rollout.front.answers = [(200, OLD_RELEASE)]
    seen = status(rollout, capsys)
    assert seen.code == 0, "a rollout under way is no problem"
    assert f"serving      {OLD_RELEASE}\n             pactum-staging-web:1" in seen.out
    assert "rollout      in progress: pactum-staging-web:2, 0 of 2 tasks run" in seen.out


def test_once_no_task_of_it_runs_the_release_before_serves_no_more(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    """ECS lists the earlier deployment until the alarms have been watched long enough."""
    world = rollout.world
    earlier = world.deployment(rollout.old, "COMPLETED", status="ACTIVE")
    world.serve(world.deployment(rollout.new, "IN_PROGRESS", running=2), earlier)
    count(world)
    assert f"serving      {RELEASE}\n" in status(rollout, capsys).out


def test_a_program_gets_the_same(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    rollout.world.event("(service web) has reached a steady state.")
    answer = json.loads(status(rollout, capsys, "--json").out)
    assert answer["ok"] is True
    assert answer["serving"] == {
        "release": RELEASE,
        "task_definition": rollout.new,
        "commit": "abc1234",
        "since": NOW,
        "who": "ana",
    }
    assert answer["service"] == {"desired": 2, "running": 2, "pending": 0}
    assert (answer["rollout"]["state"], answer["targets"]["healthy"], answer["readiness"]["status"]) == (
        "complete",
        2,
        200,
    )
    assert (answer["alarms"], answer["hold"], answer["denials"], answer["in_flight"]) == ([], None, 0, None)
    assert answer["events"] == [{"at": NOW, "message": "(service web) has reached a steady state."}]


def test_what_may_not_be_asked_is_unknown_and_the_rest_is_shown(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> None:
        raise Refused("AccessDeniedException", "not authorized")

    for operation in ("DescribeAlarms", "DescribeTargetHealth", "GetItem"):
        rollout.world.before[operation] = refuse
    seen = status(rollout, capsys)
    assert seen.code == 0, "what is not known is no problem of the stack"
    for title, operation in (
        ("alarms ", "DescribeAlarms"),
        ("targets", "DescribeTargetHealth"),
        ("memory ", "GetItem"),
    ):
        assert f"{title}      AWS refused {operation}: not authorized" in seen.out
    assert f"serving      {RELEASE}" in seen.out


def test_a_stack_that_is_not_deployed_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    seen = run_ops(World(), capsys, "status", "--stack", "staging")
    assert seen.code == 2
    assert "there is no service web in a cluster pactum-staging" in seen.err
