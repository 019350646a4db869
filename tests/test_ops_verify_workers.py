"""The verdict on a release as a whole: its workers must run it too, and stay up."""

from __future__ import annotations

import dataclasses
import functools
import json
from typing import TYPE_CHECKING, Any

import pytest

from ops.in_flight import this_host
from ops.release_record import FAILED, IN_PROGRESS, LIVE, UPDATE, Decision, InFlight, Record, Release
from ops.worker_wait import STEADY_SECONDS
from tests.ops_fakes.account import BASE_TIME, OLD_RELEASE, RELEASE, Refused
from tests.ops_fakes.releases import flight
from tests.ops_fakes.rollout import BREAKER, Rollout, rolling_out

if TYPE_CHECKING:
    from collections.abc import Iterator

WITHIN = {"PACTUM_WITHIN_UPDATE": "1", "OPS_TRANSCRIPT": "/dev/null"}
NOW = "2026-11-22T12:00:00Z"


@pytest.fixture
def rollout() -> Iterator[Rollout]:
    """Web is on the new release, and the worker `mailer` on its way to it."""
    with rolling_out() as rollout:
        rollout.complete()
        rollout.world.define("mailer", 1, release=OLD_RELEASE)
        rollout.world.define("mailer", 2)
        begin(rollout)
        ours = InFlight(kind=UPDATE, digest=RELEASE, who="ana", host=this_host(), began_at=NOW, seen_at=NOW)
        release = Release(digest=RELEASE, who="ana", verdict=IN_PROGRESS, migrations=())
        rollout.world.remember(Record(releases=(release,), in_flight=ours))
        yield rollout


def revision(rollout: Rollout, number: int, name: str = "mailer") -> str:
    return next(arn for arn in rollout.world.definitions if arn.endswith(f"-{name}:{number}"))


def begin(rollout: Rollout) -> None:
    world = rollout.world
    service = world.work("mailer", revision(rollout, 1))
    new = world.deployment(revision(rollout, 2), "IN_PROGRESS")
    service |= {"taskDefinition": new["taskDefinition"]}
    service["deployments"] = [new, service["deployments"][0] | {"status": "ACTIVE"}]


def complete(rollout: Rollout, **task: Any) -> None:
    world = rollout.world
    world.work("mailer", revision(rollout, 2))
    for item in world.tasks.values():
        if item["taskDefinitionArn"] == revision(rollout, 2):
            item.update(task)


def go_back(rollout: Rollout, *, reason: str = BREAKER) -> None:
    """The circuit breaker takes the worker back to what it ran."""
    world = rollout.world
    failed = world.deployment(revision(rollout, 2), "FAILED", status="ACTIVE") | {"rolloutStateReason": reason}
    service = world.work("mailer", revision(rollout, 1))
    service["deployments"] = [*service["deployments"], failed]
    crash(rollout, "dead")


def crash(rollout: Rollout, identity: str) -> None:
    world = rollout.world
    task = world.task(identity, revision(rollout, 2), stoppedAt=world.clock.date(), startedAt=world.clock.date())
    world.end(task, exit_code=4)
    world.logs["/pactum/staging/mailer", f"mailer/mailer/{identity}"] += ["no such queue: outbox"]


def verify(rollout: Rollout, capsys: pytest.CaptureFixture[str], *options: str, **environment: str) -> Any:
    worker = ("--worker", f"mailer={revision(rollout, 2)}") if environment else ()
    return rollout.verify(capsys, *worker, *options, **environment)


@pytest.mark.parametrize("environment", [WITHIN, {}], ids=["update", "by hand"])
def test_it_waits_for_the_workers_and_is_green_when_they_run_the_release(
    rollout: Rollout, capsys: pytest.CaptureFixture[str], environment: dict[str, str]
) -> None:
    rollout.world.clock.at(40, functools.partial(complete, rollout))
    seen = verify(rollout, capsys, **environment)
    assert seen.code == 0, seen.err
    assert 40 <= rollout.world.clock.time < 45
    if environment:
        assert rollout.world.record().releases[0].verdict == LIVE
        assert not rollout.world.asked("ListServices"), "a worker that was taken out is there until the update's end"


@pytest.mark.parametrize("environment", [WITHIN, {}], ids=["update", "by hand"])
def test_a_worker_that_ecs_took_back_makes_the_verdict_red_with_its_own_cause(
    rollout: Rollout, capsys: pytest.CaptureFixture[str], environment: dict[str, str]
) -> None:
    rollout.world.clock.at(20, functools.partial(go_back, rollout))
    seen = verify(rollout, capsys, **environment)
    assert seen.code == 1
    for fact in (
        f"worker mailer does not run release {RELEASE} (pactum-staging-mailer:2), which web serves\n",
        "cause: rolled back by the circuit breaker, because its tasks crash: exit code 4",
        f"Worker mailer runs pactum-staging-mailer:1 (release {OLD_RELEASE}), on the same data as web.",
        "python -m ops logs --stack staging --process mailer --since 30m",
        "python -m ops rollback --stack staging",
        "no such queue: outbox",
    ):
        assert fact in seen.err
    newest = rollout.world.record().releases[0]
    if environment:
        assert newest.verdict == FAILED, "web was not rolled back, and it is no release to return to"
        assert newest.cause.startswith("worker mailer: rolled back by the circuit breaker")
        assert newest.task_definition == rollout.new
        assert rollout.world.record().in_flight is None


def test_a_worker_that_was_taken_back_before_anybody_looked_is_no_less_red(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    service = rollout.world.work("mailer", revision(rollout, 1))
    service["deployments"][0]["rolloutStateReason"] = "ECS deployment ecs-svc/1 completed."
    seen = rollout.verify(capsys)
    assert seen.code == 1
    assert "ECS says" not in seen.err, "it is about what the worker went back to"
    assert "rolled back by ECS: ECS has no deployment of it any more" in seen.err
    assert rollout.world.clock.time < 20


def test_a_program_is_told_which_worker_and_why(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    go_back(rollout)
    answer = json.loads(verify(rollout, capsys, "--json", **WITHIN).out)
    assert (answer["verdict"], answer["worker"], answer["cause_kind"]) == (FAILED, "mailer", "tasks crash")
    assert answer["workers"] == ["mailer"]


def test_a_worker_that_has_just_started_is_not_called_well_yet(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    """To ECS it is complete as soon as its container runs."""
    complete(rollout, startedAt=BASE_TIME)
    seen = rollout.verify(capsys)
    assert seen.code == 0, seen.err
    assert STEADY_SECONDS <= rollout.world.clock.time < STEADY_SECONDS + 5


def test_a_worker_that_crashes_again_and_again_after_its_rollout_is_red_before_the_timeout(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    def again(number: int) -> None:
        crash(rollout, f"dead{number}")
        complete(rollout, startedAt=rollout.world.clock.date())
        for index in range(number + 1):
            crash(rollout, f"dead{index}")

    for number in range(4):
        rollout.world.clock.at(5 + 10 * number, functools.partial(again, number))
    seen = rollout.verify(capsys)
    assert seen.code == 1
    assert "cause: run by ECS, but not for long, because its tasks crash: exit code 4" in seen.err
    assert "ECS goes on trying to run it" in seen.err
    assert rollout.world.clock.time < 60


def test_tasks_of_another_release_that_still_work_delay_the_verdict(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    world = rollout.world
    complete(rollout)
    old = world.task("slow", revision(rollout, 1))
    world.clock.at(25, lambda: world.end(old, exit_code=0))
    seen = rollout.verify(capsys)
    assert seen.code == 0, seen.err
    assert 25 <= world.clock.time < 30
    assert "mailer: 1 tasks of other revisions run still" in seen.out


def test_too_few_tasks_of_it_are_not_enough_though_ecs_calls_it_complete(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    complete(rollout)
    world = rollout.world
    world.workers["mailer"]["desiredCount"] = 3
    (task,) = (item["taskArn"] for item in world.tasks.values() if item["taskDefinitionArn"] == revision(rollout, 2))
    world.logs["/pactum/staging/mailer", f"mailer/mailer/{task.rsplit('/', 1)[-1]}"].append("nothing to send")
    rollout.front.answers = [*[(503, "")] * 10, (200, RELEASE)]
    seen = rollout.verify(capsys, "--timeout", "30")
    assert seen.code == 1
    assert "last 1 log lines of container mailer" in seen.err
    assert "timeout: not there" in seen.err
    assert "1 of 3 tasks run" in seen.err
    assert 29 <= world.clock.time < 35, "the time is one for web and workers together"


def test_a_worker_that_wants_no_tasks_is_well(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    rollout.world.work("mailer", revision(rollout, 2), tasks=0)
    assert verify(rollout, capsys, **WITHIN).code == 0


def test_a_worker_ecs_gives_up_with_nothing_to_return_to_is_red(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    service = rollout.world.work("mailer", revision(rollout, 2), "FAILED", tasks=1)
    service["deployments"][0]["rolloutStateReason"] = BREAKER
    seen = rollout.verify(capsys)
    assert seen.code == 1
    assert "cause: given up by the circuit breaker" in seen.err
    assert "ECS has nothing to return worker mailer to" in seen.err


def test_a_worker_whose_service_is_not_there_is_red_after_some_seconds(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    del rollout.world.workers["mailer"]
    seen = verify(rollout, capsys, **WITHIN)
    assert seen.code == 1
    assert "cause: the service is gone" in seen.err
    assert 10 <= rollout.world.clock.time < 20


def test_a_decision_against_the_release_meanwhile_is_what_is_told(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    def roll_back_by_hand() -> None:
        other = flight(OLD_RELEASE, kind="rollback")
        rollout.world.remember(dataclasses.replace(rollout.world.record(), in_flight=other))

    rollout.world.clock.at(20, roll_back_by_hand)
    seen = verify(rollout, capsys, **WITHIN)
    assert seen.code == 1
    assert "cause: rolled back by hand: ben on elsewhere" in seen.err
    assert rollout.world.clock.time < 40


def test_a_denial_meanwhile_makes_it_red_though_all_workers_run(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    def deny() -> None:
        denial = Decision(who="bia", at=NOW, reason="leaks")
        rollout.world.remember(dataclasses.replace(rollout.world.record(), denials={RELEASE: denial}))

    rollout.world.clock.at(20, deny)
    rollout.world.clock.at(40, functools.partial(complete, rollout))
    seen = verify(rollout, capsys, **WITHIN)
    assert seen.code == 1
    assert "cause: denied: by bia" in seen.err


@pytest.mark.parametrize("denied", [False, True], ids=["by an update", "after a decision"])
def test_a_worker_whose_deployment_was_replaced_is_red_and_a_decision_is_named_before_that(
    rollout: Rollout, capsys: pytest.CaptureFixture[str], denied: bool
) -> None:
    world = rollout.world

    def replace() -> None:
        other = world.work("mailer", world.define("mailer", 3, release="sha256:third"), "IN_PROGRESS")
        other["deployments"].append(world.deployment(revision(rollout, 2), "IN_PROGRESS", status="ACTIVE"))
        if denied:
            denial = Decision(who="bia", at=NOW, reason="leaks")
            world.remember(dataclasses.replace(world.record(), denials={RELEASE: denial}))

    world.clock.at(20, replace)
    seen = verify(rollout, capsys, **WITHIN)
    assert seen.code == 1
    assert ("cause: denied: by bia" if denied else "cause: replaced by another deployment") in seen.err
    assert "runs pactum-staging-mailer:3 (release sha256:third)" in seen.err
    assert world.clock.time < 25


def test_a_failure_that_is_put_right_within_seconds_is_none_and_the_next_has_its_own_time(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    world = rollout.world

    def state(name: str) -> None:
        world.workers["mailer"]["deployments"][0]["rolloutState"] = name

    for moment, name in ((0, "FAILED"), (6, "IN_PROGRESS"), (30, "FAILED"), (36, "IN_PROGRESS")):
        world.clock.at(moment, functools.partial(state, name))
    world.clock.at(50, functools.partial(complete, rollout))
    seen = rollout.verify(capsys)
    assert seen.code == 0, seen.err


def test_a_crash_or_two_before_it_stays_up_are_none(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    def complete_at_last() -> None:
        complete(rollout, startedAt=rollout.world.clock.date())
        for number in range(2):
            crash(rollout, f"early{number}")

    rollout.world.clock.at(10, complete_at_last)
    seen = rollout.verify(capsys)
    assert seen.code == 0, seen.err


def test_a_worker_that_crashes_so_that_its_rollout_never_completes_is_red_before_the_timeout(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of several tasks that each run for seconds, ECS never sees all at once; its breaker does not count them."""
    for number in range(3):
        rollout.world.clock.at(5 + 10 * number, functools.partial(crash, rollout, f"dead{number}"))
    seen = rollout.verify(capsys)
    assert seen.code == 1
    assert "cause: run by ECS, but not for long, because its tasks crash: exit code 4" in seen.err
    assert 25 <= rollout.world.clock.time < 30


def test_crashes_before_anybody_looked_count_and_those_of_an_earlier_deployment_do_not(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    world = rollout.world
    complete(rollout, startedAt=BASE_TIME)
    for number in range(3):
        crash(rollout, f"dead{number}")
    for task in world.tasks.values():
        task["startedBy"] = "ecs-svc/earlier"
    seen = rollout.verify(capsys)
    assert seen.code == 0, seen.err
    complete(rollout, startedAt=world.clock.date())
    for number in range(3):
        crash(rollout, f"dead{number}")
        world.tasks[next(arn for arn in world.tasks if arn.endswith(f"/dead{number}"))]["startedBy"] = "ecs-svc/2"
    began = world.clock.time
    assert rollout.verify(capsys).code == 1
    assert world.clock.time < began + 5


def test_a_deployment_ecs_does_not_show_yet_is_given_some_seconds(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    rollout.world.work("mailer", revision(rollout, 1))
    rollout.world.clock.at(5, functools.partial(begin, rollout))
    rollout.world.clock.at(20, functools.partial(complete, rollout))
    seen = verify(rollout, capsys, **WITHIN)
    assert seen.code == 0, seen.err


def test_an_update_waits_for_no_worker_it_does_not_have(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    """Pulumi takes a service away that is no longer in the stack file, and does it last."""
    seen = rollout.verify(capsys, **WITHIN)
    assert seen.code == 0, seen.err
    assert rollout.world.clock.time < 20


def test_signs_of_life_are_given_while_it_waits_for_workers(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    rollout.world.clock.at(100, functools.partial(complete, rollout))
    beats: list[int] = []
    rollout.world.clock.at(90, lambda: beats.append(ours.beat if (ours := rollout.world.record().in_flight) else -1))
    assert verify(rollout, capsys, **WITHIN).code == 0
    assert beats[0] > 10, "another update would take this one for dead"


class TestByHand:
    """Nobody says which revisions: the services there are, on the release web serves."""

    def test_a_worker_without_a_revision_of_the_release_is_red_unless_it_is_stopped(
        self, rollout: Rollout, capsys: pytest.CaptureFixture[str]
    ) -> None:
        world = rollout.world
        del world.definitions[revision(rollout, 2)]
        world.work("mailer", revision(rollout, 1))
        seen = rollout.verify(capsys)
        assert seen.code == 1
        assert f"worker mailer runs release {OLD_RELEASE} and has no task definition of web's" in seen.err
        world.work("mailer", revision(rollout, 1), tasks=0)
        seen = rollout.verify(capsys)
        assert seen.code == 0, seen.err
        assert "worker mailer is stopped" in seen.out

    def test_all_of_more_services_than_ecs_describes_at_once_are_waited_for(
        self, rollout: Rollout, capsys: pytest.CaptureFixture[str]
    ) -> None:
        complete(rollout)
        for number in range(12):
            name = f"worker-{number:02}"
            rollout.world.work(name, rollout.world.define(name, 1))
        rollout.world.work("zz-late", rollout.world.define("zz-late", 1), "IN_PROGRESS")
        seen = rollout.verify(capsys, "--timeout", "20")
        assert seen.code == 1
        assert "worker zz-late does not run" in seen.err

    def test_a_service_of_somebody_else_in_the_cluster_is_not_expected_to_run_it(
        self, rollout: Rollout, capsys: pytest.CaptureFixture[str]
    ) -> None:
        complete(rollout)
        rollout.world.work("agent", rollout.world.define("their-agent", 1, release=OLD_RELEASE))
        seen = rollout.verify(capsys)
        assert seen.code == 0, seen.err
        assert "service agent in cluster pactum-staging is left alone" in seen.out

    def test_a_service_on_its_way_out_is_none(self, rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
        rollout.world.workers["mailer"]["status"] = "DRAINING"
        seen = rollout.verify(capsys)
        assert seen.code == 0, seen.err

    def test_without_the_permission_to_list_services_nothing_is_called_live(
        self, rollout: Rollout, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def refuse() -> None:
            raise Refused("AccessDeniedException", "not authorized to perform ecs:ListServices")

        rollout.world.before["ListServices"] = refuse
        seen = rollout.verify(capsys)
        assert seen.code == 2
        assert "permission for ListServices" in seen.err


def test_after_ecs_took_the_release_from_web_those_workers_are_named_that_run_it_all_the_same(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    rollout.roll_back()
    rollout.world.work("mailer", revision(rollout, 1))
    assert "Workers run it" not in rollout.verify(capsys, "--task-definition", rollout.new).err, "mailer is behind, too"
    complete(rollout)
    rollout.world.work("idle", rollout.world.define("idle", 1), tasks=0)
    seen = rollout.verify(capsys, "--task-definition", rollout.new)
    assert seen.code == 1
    assert "cause: rolled back by the circuit breaker" in seen.err
    assert "Workers run it all the same, on the same data: mailer. `python -m ops rollback --stack staging`" in seen.err


def test_while_ecs_goes_on_with_web_no_worker_is_out_of_place(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    rollout.begin()
    complete(rollout)
    seen = rollout.verify(capsys, "--timeout", "20")
    assert seen.code == 1
    assert "cause: timeout" in seen.err
    assert "Workers run it" not in seen.err


def test_a_revision_of_another_release_is_refused(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    seen = rollout.verify(capsys, "--worker", f"mailer={revision(rollout, 1)}")
    assert seen.code == 2
    assert f"worker mailer would run {OLD_RELEASE}" in seen.err


def test_a_worker_that_is_not_written_as_name_and_arn_is_a_mistake_in_the_command(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        rollout.verify(capsys, "--worker", "mailer")
    assert "is not NAME=ARN" in capsys.readouterr().err
