"""The verdict's cause: what ended a release, who, and what the release memory and a program are told of it."""

from __future__ import annotations

import dataclasses
import functools
import json
from typing import TYPE_CHECKING, Any

import pytest

from ops.in_flight import this_host
from ops.release_record import FAILED, IN_PROGRESS, LIVE, ROLLBACK, ROLLED_BACK, UPDATE, InFlight, Record, Release
from tests.ops_fakes.account import OLD_RELEASE, RELEASE, Refused
from tests.ops_fakes.rollout import Rollout, rolling_out

if TYPE_CHECKING:
    from collections.abc import Iterator

ALARMED = "ECS deployment failed: alarm detected."
ERRORS = "pactum-staging-errors"


@pytest.fixture
def rollout() -> Iterator[Rollout]:
    with rolling_out() as rollout:
        yield rollout


def watched_by_alarms(rollout: Rollout, *names: str) -> None:
    assert rollout.world.service is not None
    alarms = {"alarmNames": list(names), "enable": True, "rollback": True}
    rollout.world.service["deploymentConfiguration"] = {"alarms": alarms}


def alarmed(rollout: Rollout) -> None:
    """ECS saw an alarm, and goes back; it lists what it gave up as in progress for a while."""
    world = rollout.world
    world.event("(service web) (deployment ecs-svc/2) deployment failed: alarm detected.")
    back = world.deployment(rollout.old, "IN_PROGRESS", running=2)
    back |= {"rolloutStateReason": "ECS deployment: rolling back to deploymentId ecs-svc/1."}
    world.serve(back, world.deployment(rollout.new, "IN_PROGRESS", status="ACTIVE", running=2))
    watched_by_alarms(rollout, ERRORS, "pactum-staging-slow")
    world.alarms |= {ERRORS: "ALARM", "pactum-staging-slow": "OK"}


def in_flight(kind: str = UPDATE, who: str = "ana") -> InFlight:
    now = "2026-11-22T12:00:00Z"
    digest = RELEASE if kind == UPDATE else OLD_RELEASE
    host = this_host() if kind == UPDATE else "laptop"
    return InFlight(kind=kind, digest=digest, who=who, host=host, began_at=now, seen_at=now)


def remember(rollout: Rollout, **changes: Any) -> None:
    """Remember an update of the new release as under way."""
    release = Release(digest=RELEASE, who="ana", verdict=IN_PROGRESS, migrations=())
    rollout.world.remember(dataclasses.replace(Record(releases=(release,), in_flight=in_flight()), **changes))


def test_a_rollback_by_an_alarm_names_the_alarm(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    rollout.crash(exit_code=1)
    rollout.world.clock.at(30, functools.partial(alarmed, rollout))
    seen = rollout.verify(capsys)
    assert seen.code == 1
    assert f"cause: rolled back by an alarm: {ERRORS}\n" in seen.err, "the one that is raised, not a crash on the way"
    assert f"ECS now runs pactum-staging-web:1 (release {OLD_RELEASE})." in seen.err
    assert "ECS says: ECS deployment: rolling back to deploymentId ecs-svc/1." in seen.err
    assert "python -m ops logs --stack staging --since 30m --level ERROR" in seen.err


def test_an_alarm_that_is_not_raised_any_more_or_may_not_be_read_is_still_the_cause(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    alarmed(rollout)
    rollout.world.alarms = {ERRORS: "OK"}
    seen = rollout.verify(capsys, "--task-definition", rollout.new)
    assert f"rolled back by an alarm: {ERRORS}, pactum-staging-slow, which are not raised any more\n" in seen.err

    def refuse() -> None:
        raise Refused("AccessDeniedException", "not authorized")

    rollout.world.before["DescribeAlarms"] = refuse
    seen = rollout.verify(capsys, "--task-definition", rollout.new)
    assert seen.code == 1
    assert f"rolled back by an alarm: one of {ERRORS}, pactum-staging-slow" in seen.err


def test_an_alarm_with_no_rollback_is_told_as_such(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    rollout.begin_first()
    failed = rollout.world.deployment(rollout.new, "FAILED", running=2) | {"rolloutStateReason": ALARMED}
    rollout.world.serve(failed)
    seen = rollout.verify(capsys)
    assert "cause: given up because of an alarm\n" in seen.err
    assert "There was nothing to return to" in seen.err


def test_the_bake_time_is_a_state_of_its_own_and_not_yet_green(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    world = rollout.world

    def serve_all() -> None:
        rollout.complete()
        world.serve(world.deployment(rollout.new, "IN_PROGRESS", running=2))
        watched_by_alarms(rollout, ERRORS)

    world.clock.at(20, serve_all)
    world.clock.at(100, rollout.complete)
    seen = rollout.verify(capsys)
    assert seen.code == 0, seen.err
    assert "it serves all traffic; ECS watches the deployment alarms for the bake time" in seen.out
    assert world.clock.time >= 100, "until then an alarm may roll it back, and green would be a lie"


def test_a_rollback_by_hand_while_verify_waits_is_told_as_such(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    world = rollout.world

    def by_hand() -> None:
        remember(rollout, in_flight=in_flight(ROLLBACK, "bia"))
        world.serve(
            world.deployment(rollout.old, "IN_PROGRESS"), world.deployment(rollout.new, "COMPLETED", status="ACTIVE")
        )

    world.clock.at(10, by_hand)
    seen = rollout.verify(capsys)
    assert seen.code == 1
    assert f"cause: rolled back by hand: bia on laptop has been rolling back to {OLD_RELEASE}" in seen.err
    assert "python -m ops releases --stack staging" in seen.err
    release = Release(digest=RELEASE, verdict=ROLLED_BACK, cause="by hand by bia: wrong prices", migrations=())
    world.remember(Record(releases=(release,)))
    seen = rollout.verify(capsys, "--task-definition", rollout.new)
    assert "cause: rolled back by hand: by bia: wrong prices\n" in seen.err, "also when the rollback is over"


def test_a_release_memory_that_cannot_be_read_hides_no_verdict(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    rollout.world.records_exist = False
    rollout.roll_back()
    seen = rollout.verify(capsys, "--task-definition", rollout.new, PACTUM_WITHIN_UPDATE="1")
    assert seen.code == 1
    assert "cause: rolled back by the circuit breaker" in seen.err


def test_within_an_update_the_verdict_is_remembered_and_nothing_is_in_flight_any_more(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    remember(rollout)
    beats: list[int] = []
    rollout.world.clock.at(15, lambda: beats.append(getattr(rollout.world.record().in_flight, "beat", 0)))
    rollout.world.clock.at(20, rollout.complete)
    assert rollout.verify(capsys, PACTUM_WITHIN_UPDATE="1").code == 0
    record = rollout.world.record()
    assert beats[0] >= 2, "without signs of life another update takes this one for dead"
    assert record.in_flight is None, "the next update must not have to wait for this one to be dead"
    assert (record.releases[0].verdict, record.releases[0].task_definition) == (LIVE, rollout.new)


@pytest.mark.parametrize(
    ("how", "verdict"), [("rolled back", ROLLED_BACK), ("timeout", FAILED), ("interrupted", FAILED)]
)
def test_within_an_update_a_bad_verdict_is_remembered_with_its_cause(
    rollout: Rollout, capsys: pytest.CaptureFixture[str], how: str, verdict: str
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    remember(rollout)
    rollout.crash()
    if how != "timeout":
        rollout.world.clock.at(10, rollout.roll_back if how == "rolled back" else interrupt)
    rollout.verify(capsys, "--timeout", "30", PACTUM_WITHIN_UPDATE="1")
    record = rollout.world.record()
    assert record.in_flight is None
    assert record.releases[0].verdict == verdict
    expected = {
        "rolled back": "rolled back by the circuit breaker, because its tasks crash: exit code 3",
        "timeout": "tasks crash: exit code 3",
        "interrupted": "interrupted",
    }
    assert record.releases[0].cause.startswith(expected[how])


def test_an_update_whose_verdict_could_not_be_given_is_over_too(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    remember(rollout)
    rollout.world.service = None
    arguments = ("--release", RELEASE, "--task-definition", rollout.new)
    assert rollout.verify(capsys, *arguments, PACTUM_WITHIN_UPDATE="1").code == 2
    assert rollout.world.record().in_flight is None
    assert rollout.world.record().releases[0].cause.startswith("no verdict: there is no service web")


def test_by_hand_verify_leaves_the_release_memory_alone(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    remember(rollout)
    before = dict(rollout.world.items)
    rollout.complete()
    assert rollout.verify(capsys).code == 0
    assert rollout.world.items == before


def test_a_program_gets_verdict_cause_and_events(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    rollout.world.clock.at(4, lambda: rollout.world.event("(service web) has started 2 tasks"))
    rollout.crash()
    rollout.world.clock.at(10, rollout.roll_back)
    answer = json.loads(rollout.verify(capsys, "--json").out)
    assert (answer["ok"], answer["exit_code"], answer["verdict"]) == (False, 1, "rolled back")
    assert (answer["release"], answer["task_definition"]) == (RELEASE, rollout.new)
    assert answer["cause_kind"] == "tasks crash"
    assert answer["cause"].startswith("rolled back by the circuit breaker, because its tasks crash: exit code 3")
    assert answer["seconds"] == 10
    assert answer["events"] == ["(service web) has started 2 tasks"]


def test_a_failed_earlier_attempt_with_the_same_revision_is_not_why_this_one_fails(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    rollout.crash("earlier")
    for task in rollout.world.tasks.values():
        task["startedBy"] = "ecs-svc/earlier"
    seen = rollout.verify(capsys, "--timeout", "20")
    assert "cause: timeout: not live after 20 s" in seen.err
    assert "task earlier" not in seen.err


def test_tasks_that_crashed_on_the_way_are_not_why_a_complete_rollout_does_not_answer(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    rollout.complete()
    rollout.crash()
    rollout.front.answers = [(503, RELEASE)]
    seen = rollout.verify(capsys, "--timeout", "20")
    assert "cause: timeout: not live after 20 s (--timeout): /readyz at " in seen.err


def test_the_log_shown_is_that_of_the_task_that_tells_the_cause(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    rollout.crash("crashed")
    rollout.world.clock.time += 5
    last = rollout.world.task("last", rollout.new, stoppedAt=rollout.world.clock.date())
    rollout.world.end(last, exit_code=143, reason="Scaling activity initiated", code="ServiceSchedulerInitiated")
    rollout.roll_back()
    seen = rollout.verify(capsys, "--task-definition", rollout.new)
    assert "last 20 log lines of container web in task crashed" in seen.err
