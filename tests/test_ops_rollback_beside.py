"""A rollback takes workers and scheduled jobs along: what is left must stop working on the data."""

from __future__ import annotations

import dataclasses
import functools
import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import EndpointConnectionError

from ops.errors import Terminated
from ops.in_flight import this_host
from ops.release_record import LIVE, ROLLBACK, ROLLED_BACK, Decision, InFlight
from ops.tasks_of_release import MOST_LOOKED_AT
from tests.ops_fakes.account import BASE_TIME, OLD_RELEASE, RELEASE, Refused
from tests.ops_fakes.releases import OLDER_RELEASE, flight
from tests.ops_fakes.rollout import BREAKER
from tests.ops_fakes.way_back import change, rollback, told, way_back

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.ops_fakes.rollout import Rollout


@pytest.fixture
def rollout() -> Iterator[Rollout]:
    """Web, the worker `mailer` and the job `nightly` were in both releases; `indexer` and `hourly` are new."""
    with way_back() as rollout:
        world = rollout.world
        for process in ("mailer", "nightly"):
            world.define(process, 1, release=OLD_RELEASE)
            world.define(process, 2)
        for process in ("indexer", "hourly"):
            world.define(process, 1)
        world.work("mailer", of(rollout, "mailer", 2), tasks=2)
        world.work("indexer", of(rollout, "indexer", 1), tasks=3)
        world.schedule("nightly", of(rollout, "nightly", 2))
        world.schedule("hourly", of(rollout, "hourly", 1))
        world.on_worker_update = functools.partial(obey, rollout)
        yield rollout


def of(rollout: Rollout, process: str, revision: int) -> str:
    return next(arn for arn in rollout.world.definitions if arn.endswith(f"-{process}:{revision}"))


def obey(rollout: Rollout, asked: dict[str, Any]) -> None:
    world, name = rollout.world, asked["service"]
    tasks = asked.get("desiredCount", world.workers[name]["desiredCount"])
    world.work(name, asked["taskDefinition"], tasks=tasks)


def orders(rollout: Rollout) -> list[dict[str, Any]]:
    """What ECS was told of workers, and EventBridge Scheduler of jobs."""
    workers = [asked for asked in rollout.world.asked("UpdateService") if asked["service"] != "web"]
    return [{k: v for k, v in asked.items() if k != "cluster"} for asked in workers]


def started(rollout: Rollout, job: str) -> tuple[str, str]:
    schedule = rollout.world.schedules[f"pactum-staging-{job}"]
    return schedule["Target"]["EcsParameters"]["TaskDefinitionArn"], schedule["State"]


def refuse(operation: str) -> None:
    raise Refused("AccessDeniedException", f"not authorized to perform {operation}")


def test_workers_and_jobs_go_back_to_the_revision_of_that_release(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    before = dict(rollout.world.schedules["pactum-staging-nightly"])
    seen = rollback(rollout, capsys)
    assert seen.code == 0, seen.err
    assert {"service": "mailer", "taskDefinition": of(rollout, "mailer", 1)} in orders(rollout), "its count stays"
    assert started(rollout, "nightly") == (of(rollout, "nightly", 1), "ENABLED")
    after = rollout.world.schedules["pactum-staging-nightly"]
    target = before["Target"]["EcsParameters"] | {"TaskDefinitionArn": of(rollout, "nightly", 1)}
    assert after == before | {"Target": before["Target"] | {"EcsParameters": target}}, "all else of it is as it was"


def test_what_that_release_does_not_have_is_stopped_and_said_to_be(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only the code that is taken away knows its work, and that code must not go on working on the data."""
    seen = rollback(rollout, capsys)
    assert {"service": "indexer", "taskDefinition": of(rollout, "indexer", 1), "desiredCount": 0} in orders(rollout)
    assert started(rollout, "hourly") == (of(rollout, "hourly", 1), "DISABLED")
    assert "worker indexer is stopped: that release does not have it" in seen.out
    assert "job hourly is stopped: that release does not have it" in seen.out
    assert rollout.world.record().stopped == {"indexer": 3, "hourly": 1}


def test_web_is_told_first_and_the_others_before_it_is_waited_for(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    times: list[tuple[str, float]] = []
    world = rollout.world
    for operation in ("UpdateService", "UpdateSchedule"):
        world.before[operation] = lambda operation=operation: times.append((operation, world.clock.time))  # type: ignore[misc]
    assert rollback(rollout, capsys).code == 0
    assert {moment for _, moment in times} == {0}, "bad code must stop working on data at once"
    assert world.asked("UpdateService")[0]["service"] == "web"


def test_a_dry_run_tells_what_becomes_of_each_and_changes_nothing(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = rollback(rollout, capsys, "--dry-run")
    for fact in (
        "worker mailer returns to pactum-staging-mailer:1\n",
        "job nightly returns to pactum-staging-nightly:1\n",
        "worker indexer is stopped",
        "The next `pulumi up` of a release that has it starts it again",
    ):
        assert fact in seen.out
    assert not rollout.world.asked("UpdateService")
    assert not rollout.world.asked("UpdateSchedule")
    assert rollout.world.record().stopped == {}


def test_a_program_is_told_of_each(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    answer = json.loads(rollback(rollout, capsys, "--json").out)
    assert answer["beside"] == [
        {"kind": "worker", "name": "indexer", "task_definition": None, "tasks": 0},
        {"kind": "worker", "name": "mailer", "task_definition": of(rollout, "mailer", 1), "tasks": 2},
        {"kind": "job", "name": "hourly", "task_definition": None, "tasks": 0},
        {"kind": "job", "name": "nightly", "task_definition": of(rollout, "nightly", 1), "tasks": 1},
    ]
    assert answer["not_returned"] == []


def test_it_waits_until_the_workers_run_it(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    world = rollout.world

    def slowly(asked: dict[str, Any]) -> None:
        obey(rollout, asked)
        world.workers[asked["service"]]["deployments"][0]["rolloutState"] = "IN_PROGRESS"
        world.clock.at(40, lambda: obey(rollout, asked))

    world.on_worker_update = slowly
    seen = rollback(rollout, capsys, "--json")
    assert seen.code == 0, seen.err
    assert 40 <= world.clock.time < 45
    assert json.loads(seen.out)["seconds"] < 10, "web's time is what users waited"


def test_the_way_forward_starts_again_what_the_way_back_stopped(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    rollback(rollout, capsys)
    world = rollout.world
    world.remember(dataclasses.replace(world.record(), denials={}))
    change(rollout, 0, verdict=LIVE)
    rollout.front.answers = [(200, RELEASE)]
    world.on_update = lambda definition: world.serve(world.deployment(definition, "COMPLETED", running=2))
    for number in range(2):
        world.task(f"forward{number}", rollout.new)
    seen = rollback(rollout, capsys, RELEASE)
    assert seen.code == 0, seen.err
    assert world.workers["indexer"]["desiredCount"] == 3
    assert started(rollout, "hourly") == (of(rollout, "hourly", 1), "ENABLED")
    assert "worker indexer returns to pactum-staging-indexer:1, and is started again" in seen.out


def test_what_was_started_again_is_not_remembered_as_stopped(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    """A person's 0 after that would be undone by the next rollback."""
    world = rollout.world
    world.work("mailer", of(rollout, "mailer", 2), tasks=0)
    world.remember(dataclasses.replace(world.record(), stopped={"mailer": 2, "sender": 4}))
    seen = rollback(rollout, capsys)
    assert seen.code == 0, seen.err
    assert world.workers["mailer"]["desiredCount"] == 2
    assert world.record().stopped == {"sender": 4, "indexer": 3, "hourly": 1}


def test_what_is_nobodys_process_of_the_stack_is_named_and_left_as_it_is(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    world = rollout.world
    foreign = world.define("their-agent", 1)
    world.work("agent", foreign)
    world.schedule("report", foreign)
    seen = rollback(rollout, capsys)
    assert seen.code == 0, seen.err
    assert "agent" not in [asked["service"] for asked in orders(rollout)]
    assert started(rollout, "report") == (foreign, "ENABLED")
    assert "service agent in cluster pactum-staging is left alone" in seen.out
    assert "schedule pactum-staging-report in group pactum-staging is left alone" in seen.out


def test_what_a_person_stopped_stays_stopped(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    world = rollout.world
    world.work("mailer", of(rollout, "mailer", 2), tasks=0)
    world.schedule("nightly", of(rollout, "nightly", 2), state="DISABLED")
    seen = rollback(rollout, capsys)
    assert seen.code == 0, seen.err
    assert world.workers["mailer"]["desiredCount"] == 0
    assert started(rollout, "nightly") == (of(rollout, "nightly", 1), "DISABLED")


def test_another_configuration_of_the_same_image_is_left_in_workers_too(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    world = rollout.world
    change(rollout, 1, digest=RELEASE)
    rollout.front.answers = [(200, RELEASE)]
    world.definitions[rollout.old]["containerDefinitions"][0]["environment"] = [{"name": "RELEASE", "value": RELEASE}]
    world.definitions[rollout.new]["containerDefinitions"][0]["environment"].append({"name": "X", "value": "1"})
    for revision, minute in ((1, 0), (2, 45)):
        definition = world.definitions[of(rollout, "mailer", revision)]
        definition["containerDefinitions"][0]["environment"] = [{"name": "RELEASE", "value": RELEASE}]
        definition["registeredAt"] = BASE_TIME.replace(hour=11, minute=minute)
    seen = rollback(rollout, capsys)
    assert seen.code == 0, seen.err
    assert {"service": "mailer", "taskDefinition": of(rollout, "mailer", 1)} in orders(rollout), (
        "it was there when that release was last seen to serve, at 11:30; the other came after"
    )


class TestWhatDoesNotFollow:
    """It is said, and is no reason to keep web from going back."""

    def test_a_worker_that_cannot_run_it_is_told_of_with_its_cause_and_the_others_are_waited_for(
        self, rollout: Rollout, capsys: pytest.CaptureFixture[str]
    ) -> None:
        world = rollout.world
        world.define("sender", 1, release=OLD_RELEASE)
        world.work("sender", world.define("sender", 2))

        def fail(asked: dict[str, Any]) -> None:
            obey(rollout, asked)
            if asked["service"] == "sender":
                world.workers["sender"]["deployments"][0]["rolloutState"] = "IN_PROGRESS"
                world.clock.at(40, lambda: obey(rollout, asked))
            if asked["service"] == "mailer":
                failed = world.deployment(of(rollout, "mailer", 1), "FAILED", status="ACTIVE")
                service = world.work("mailer", of(rollout, "mailer", 2))
                service["deployments"].append(failed | {"rolloutStateReason": BREAKER})

        world.on_worker_update = fail
        seen = rollback(rollout, capsys)
        assert seen.code == 1
        assert f"web serves {OLD_RELEASE}, but not all that runs beside it has followed:\n" in seen.err
        assert "worker mailer does not run release" in seen.err
        assert "serves all traffic after" in seen.out
        assert 40 <= world.clock.time < 50
        record = world.record()
        assert record.releases[1].verified_at.startswith("2026-11-22T12:00:"), "web was seen to serve"
        assert record.in_flight is None

    @pytest.mark.parametrize(
        ("operation", "what"),
        [("ListServices", "workers are left as they are"), ("ListSchedules", "scheduled jobs are left as they are")],
    )
    def test_without_the_permission_to_ask_web_goes_back_alone(
        self, rollout: Rollout, capsys: pytest.CaptureFixture[str], operation: str, what: str
    ) -> None:
        rollout.world.before[operation] = functools.partial(refuse, operation)
        seen = rollback(rollout, capsys)
        assert seen.code == 1
        assert told(rollout)[0] == rollout.old
        assert what in seen.err
        assert f"permission for {operation}" in seen.err

    def test_an_order_that_is_refused_keeps_no_other_from_being_given(
        self, rollout: Rollout, capsys: pytest.CaptureFixture[str]
    ) -> None:
        rollout.world.before["UpdateSchedule"] = functools.partial(refuse, "UpdateSchedule")
        seen = rollback(rollout, capsys)
        assert seen.code == 1
        assert len(orders(rollout)) == 2
        for job in ("hourly", "nightly"):
            assert f"job {job} was not told: " in seen.err
        assert "`python -m ops rollback sha256:bbbbbbbbbbbb --stack staging` tells those again" in seen.err

    def test_a_worker_whose_family_is_too_long_to_be_searched_is_not_stopped(
        self, rollout: Rollout, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for number in range(2, 3 + MOST_LOOKED_AT):
            rollout.world.define("indexer", number)
        seen = rollback(rollout, capsys)
        assert seen.code == 1
        assert "indexer" not in [asked["service"] for asked in orders(rollout)]
        assert rollout.world.workers["indexer"]["desiredCount"] == 3
        assert "worker indexer is left as it is: no task definition of release " in seen.err
        assert "indexer" not in rollout.world.record().stopped

    def test_a_family_that_cannot_be_looked_up_keeps_no_other_from_going_back(
        self, rollout: Rollout, capsys: pytest.CaptureFixture[str]
    ) -> None:
        lost: list[bool] = []

        def lose_the_first() -> None:
            if not lost:
                lost.append(True)
                raise EndpointConnectionError(endpoint_url="https://ecs")

        rollout.world.before["ListTaskDefinitions"] = lose_the_first
        seen = rollback(rollout, capsys)
        assert seen.code == 1
        assert "worker indexer is left as it is: AWS does not answer" in seen.err
        assert {"service": "mailer", "taskDefinition": of(rollout, "mailer", 1)} in orders(rollout)


def never(rollout: Rollout) -> None:
    """Workers that do not get anywhere."""

    def on_update(asked: dict[str, Any]) -> None:
        obey(rollout, asked)
        rollout.world.workers[asked["service"]]["deployments"][0]["rolloutState"] = "IN_PROGRESS"

    rollout.world.on_worker_update = on_update


def test_the_time_is_one_for_web_and_workers_and_signs_of_life_are_given_in_it(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    never(rollout)
    beats: list[int] = []
    world = rollout.world
    world.clock.at(55, lambda: beats.append(ours.beat if (ours := world.record().in_flight) else -1))
    seen = rollback(rollout, capsys, "--timeout", "60")
    assert seen.code == 1
    assert "cause: timeout: not there" in seen.err
    assert 59 <= world.clock.time < 65
    assert beats[0] > 5, "another would take this one for dead"


def test_one_that_another_overrules_waits_no_longer(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    never(rollout)
    world = rollout.world
    other = flight(OLDER_RELEASE, kind=ROLLBACK)
    world.clock.at(20, lambda: world.remember(dataclasses.replace(world.record(), in_flight=other)))
    seen = rollback(rollout, capsys)
    assert seen.code == 1
    assert "ben on elsewhere has been rolling back to" in seen.err
    assert world.clock.time < 40
    assert world.record().in_flight == other


class TestASecondRun:
    """It tells those that were not told, and nobody twice."""

    def test_naming_the_release_that_serves_brings_along_what_stayed_behind(
        self, rollout: Rollout, capsys: pytest.CaptureFixture[str]
    ) -> None:
        world = rollout.world
        world.before["UpdateSchedule"] = functools.partial(refuse, "UpdateSchedule")
        assert rollback(rollout, capsys).code == 1
        del world.before["UpdateSchedule"]
        before, record = len(world.asked("UpdateService")), world.record()
        seen = rollback(rollout, capsys, OLD_RELEASE)
        assert seen.code == 0, seen.err
        assert started(rollout, "nightly") == (of(rollout, "nightly", 1), "ENABLED")
        assert started(rollout, "hourly")[1] == "DISABLED"
        assert len(world.asked("UpdateService")) == before, "web and workers are there already"
        assert "it is what serves already: only what runs beside web is to follow" in seen.out
        assert list(world.record().denials) == list(record.denials) == [RELEASE]
        assert world.record().releases[0] == record.releases[0]

    def test_without_a_name_too_where_ecs_took_the_newest_release_from_web_alone(
        self, rollout: Rollout, capsys: pytest.CaptureFixture[str]
    ) -> None:
        world = rollout.world
        world.serve(world.deployment(rollout.old, "COMPLETED", running=2))
        world.tasks.clear()
        for number in range(2):
            world.task(f"old{number}", rollout.old)
        change(rollout, 0, verdict=ROLLED_BACK, cause="its tasks crash")
        record = world.record()
        seen = rollback(rollout, capsys)
        assert seen.code == 0, seen.err
        assert not [asked for asked in world.asked("UpdateService") if asked["service"] == "web"]
        assert world.workers["mailer"]["taskDefinition"] == of(rollout, "mailer", 1)
        assert started(rollout, "nightly")[0] == of(rollout, "nightly", 1)
        assert world.record().releases[0] == record.releases[0]
        assert world.record().denials == {}
        again = rollback(rollout, capsys)
        assert again.code == 1
        assert "Nothing needs to be done, and nothing was changed." in again.err

    def test_not_where_web_serves_the_image_in_a_configuration_nobody_knows(
        self, rollout: Rollout, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """It would be told to change, which nobody has asked for."""
        world = rollout.world
        world.serve(world.deployment(world.define("web", 9, release=OLD_RELEASE), "COMPLETED", running=2))
        change(rollout, 0, verdict=ROLLED_BACK, cause="its tasks crash")
        denial = Decision(who="eva", at="then", reason="leaks")
        world.remember(dataclasses.replace(world.record(), denials={OLD_RELEASE: denial}))
        seen = rollback(rollout, capsys)
        assert seen.code == 1
        assert "Nothing needs to be done" in seen.err
        assert not world.asked("UpdateService")

    def test_web_is_told_nothing_though_the_release_has_another_revision_of_the_same_content(
        self, rollout: Rollout, capsys: pytest.CaptureFixture[str]
    ) -> None:
        world = rollout.world
        same = world.define("web", 4)
        record = world.record()
        again = dataclasses.replace(record.releases[0], task_definition=same)
        world.remember(dataclasses.replace(record, releases=(again, *record.releases)))
        world.work("mailer", of(rollout, "mailer", 1), tasks=2)
        rollout.front.answers = [(200, RELEASE)]
        seen = rollback(rollout, capsys, RELEASE)
        assert seen.code == 0, seen.err
        assert [asked["service"] for asked in world.asked("UpdateService")] == ["mailer"]

    def test_where_all_have_followed_nothing_is_done(
        self, rollout: Rollout, capsys: pytest.CaptureFixture[str]
    ) -> None:
        rollback(rollout, capsys)
        before = len(rollout.world.asked("UpdateService"))
        seen = rollback(rollout, capsys, OLD_RELEASE)
        assert seen.code == 1
        assert "is what serves already. Nothing was changed." in seen.err
        assert len(rollout.world.asked("UpdateService")) == before

    def test_one_that_was_killed_is_finished_with_all_that_runs_beside_web(
        self, rollout: Rollout, capsys: pytest.CaptureFixture[str]
    ) -> None:
        world = rollout.world
        world.serve(world.deployment(rollout.old, "COMPLETED", running=2))
        world.tasks.clear()
        for number in range(2):
            world.task(f"old{number}", rollout.old)
        now = "2026-11-22T11:59:00Z"
        mine = InFlight(kind=ROLLBACK, digest=OLD_RELEASE, who="ana", host=this_host(), began_at=now, seen_at=now)
        world.remember(dataclasses.replace(world.record(), in_flight=mine))
        seen = rollback(rollout, capsys, "--interrupt")
        assert seen.code == 0, seen.err
        assert {"service": "mailer", "taskDefinition": of(rollout, "mailer", 1)} in orders(rollout)
        assert not told(rollout)[2:], "only the two workers, for web is told already"

    def test_an_interruption_between_two_orders_says_who_was_not_told(
        self, rollout: Rollout, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def interrupt(asked: dict[str, Any]) -> None:
            if asked["service"] == "mailer":
                raise Terminated
            obey(rollout, asked)

        rollout.world.on_worker_update = interrupt
        seen = rollback(rollout, capsys)
        assert seen.code == 143
        assert "Not told to go back are worker mailer, job hourly, job nightly: " in seen.err
        assert "`python -m ops rollback sha256:bbbbbbbbbbbb --stack staging` tells them" in seen.err
        assert rollout.world.record().in_flight is None


class TestWhereWebCannotGoBack:
    """ECS returns web to what it was; what runs beside it must not stay on a release that cannot serve."""

    @pytest.fixture(autouse=True)
    def _fail(self, rollout: Rollout) -> None:
        world = rollout.world

        def fail(definition: str) -> None:
            failed = world.deployment(definition, "FAILED", status="ACTIVE") | {"rolloutStateReason": BREAKER}
            world.serve(world.deployment(rollout.new, "IN_PROGRESS", running=2) | {"id": "ecs-svc/back"}, failed)

        world.on_update = fail

    def test_all_that_were_told_are_again_what_they_were(
        self, rollout: Rollout, capsys: pytest.CaptureFixture[str]
    ) -> None:
        world = rollout.world
        world.define("sender", 1, release=OLD_RELEASE)
        world.work("sender", world.define("sender", 2), tasks=0)
        world.remember(dataclasses.replace(world.record(), stopped={"sender": 4}))
        schedules = {name: dict(schedule) for name, schedule in world.schedules.items()}
        seen = rollback(rollout, capsys)
        assert seen.code == 1
        workers = {name: (item["taskDefinition"], item["desiredCount"]) for name, item in world.workers.items()}
        assert workers == {
            "mailer": (of(rollout, "mailer", 2), 2),
            "indexer": (of(rollout, "indexer", 1), 3),
            "sender": (of(rollout, "sender", 2), 0),
        }
        assert world.schedules == schedules
        assert world.record().stopped == {"sender": 4}, "indexer and hourly run again, and sender does not"
        assert (
            "told to be as before, for web is: worker indexer, worker mailer, worker sender, job hourly, " in seen.out
        )
        assert "left so until" not in seen.out

    def test_one_that_is_refused_keeps_no_other_from_it_and_is_said_to_be_left(
        self, rollout: Rollout, capsys: pytest.CaptureFixture[str]
    ) -> None:
        world, asked = rollout.world, iter(range(9))

        def refuse_the_way_back() -> None:
            if next(asked) == 2:
                refuse("UpdateSchedule")

        world.before["UpdateSchedule"] = refuse_the_way_back
        seen = rollback(rollout, capsys)
        assert seen.code == 1
        assert "job hourly was not told to be as before: " in seen.out
        assert "left so until the next rollback or update: job hourly\n" in seen.out
        assert started(rollout, "nightly") == (of(rollout, "nightly", 2), "ENABLED")
        assert world.record().stopped == {"hourly": 1}

    def test_where_ecs_has_not_returned_it_the_others_are_left_where_they_were_told_to_go(
        self, rollout: Rollout, capsys: pytest.CaptureFixture[str]
    ) -> None:
        world = rollout.world
        world.on_update = lambda definition: world.serve(
            world.deployment(definition, "FAILED") | {"rolloutStateReason": BREAKER}
        )
        seen = rollback(rollout, capsys)
        assert seen.code == 1
        told_to_go = "worker indexer, worker mailer, job hourly, job nightly"
        assert f"left so until the next rollback or update: {told_to_go}" in seen.out
        assert world.workers["mailer"]["taskDefinition"] == of(rollout, "mailer", 1)


def test_tasks_a_job_has_started_are_left_to_their_end_and_named(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    rollout.world.task("nightrun", of(rollout, "nightly", 2))
    seen = rollback(rollout, capsys)
    assert seen.code == 0, seen.err
    assert "job nightly runs still, as task nightrun, and is left to its end" in seen.out
    assert "python -m ops stop --stack staging --job nightly --task nightrun" in seen.out
    assert not rollout.world.asked("StopTask")


def test_further_back_all_that_came_since_is_stopped(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    rollout.front.answers = [(200, OLDER_RELEASE)]
    rollout.world.remember(dataclasses.replace(rollout.world.record(), stopped={"sender": 4}))
    seen = rollback(rollout, capsys, OLDER_RELEASE)
    assert seen.code == 0, seen.err
    assert {service["desiredCount"] for service in rollout.world.workers.values()} == {0}
    assert rollout.world.record().stopped == {"sender": 4, "indexer": 3, "mailer": 2, "hourly": 1, "nightly": 1}
