"""What drills require of what users saw, and of what a failed update says: each requirement turns a drill red."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from ops.diagnosis import Ending, Facts, diagnose
from ops.stack import Stack
from rehearsal.drills import judgement, migrations
from rehearsal.drills.drill import DrillError
from rehearsal.drills.judgement import all_on, names_its_cause, only_served, soon_after_ecs, tells, unnoticed
from rehearsal.drills.rollout_watch import RolloutWatch
from rehearsal.load import Load
from rehearsal.place import Place
from tests.drill_fakes import LIVE, asked, stage_at
from tests.failing_server import FailingServer, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_ecs.type_defs import TaskTypeDef

BREAKER = "ops verify: release sha256:two is not live\ncause: rolled back by the circuit breaker, because "


@pytest.fixture
def server() -> Iterator[FailingServer]:
    with serving() as made:
        yield made


def _load(server: FailingServer) -> Load:
    place = Place(gateway_port=server.port, front_port=1)
    return Load(place=place, url=LIVE.url, paths=LIVE.users_paths, users=2, requests_per_second=100)


def test_a_bad_release_that_users_saw_is_an_error(server: FailingServer) -> None:
    with _load(server) as load:
        asked(load, 20)
    only_served(load, "sha256:one")
    with pytest.raises(DrillError, match="users saw sha256:one besides sha256:before"):
        only_served(load, "sha256:before")


def test_a_release_that_nobody_saw_has_not_served_all_along(server: FailingServer) -> None:
    server.release = ""
    with _load(server) as load:
        asked(load, 20)
    with pytest.raises(DrillError, match="nobody saw which release serves"):
        only_served(load, "sha256:one")


def test_a_failed_request_is_noticed(server: FailingServer) -> None:
    server.status = 500
    with _load(server) as load:
        asked(load, 10)
    with pytest.raises(DrillError, match="requests failed"):
        only_served(load, "sha256:one")


def test_a_request_that_took_long_is_noticed_although_it_was_answered(server: FailingServer) -> None:
    server.slow_seconds = 0.3
    with _load(server) as load:
        asked(load, 4)
    with pytest.raises(DrillError, match="took longer than"):
        unnoticed(load, stall_seconds=0.2)
    assert judgement.STALL_SECONDS <= 5
    assert migrations.BLOCKED_ANSWER_SECONDS <= 8


def test_an_answer_of_the_release_before_after_an_updates_end_is_an_error(server: FailingServer) -> None:
    with _load(server) as load:
        asked(load, 20)
        ended = time.monotonic()
        asked(load, 20)
        server.release = "sha256:two"
        asked(load, 20)
        later = time.monotonic()
        asked(load, 20)
    all_on(load, "sha256:two", since=later)
    all_on(load, "sha256:one", since=0, until=ended)
    with pytest.raises(DrillError, match="sha256:one still answered"):
        all_on(load, "sha256:two", since=ended)
    with pytest.raises(DrillError, match="nobody saw"):
        all_on(load, "sha256:two", since=time.monotonic())


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("", "was called live"),
        ("`ops verify` ended with exit code 1: its tasks crash: exit code 1 (", "names no cause"),
        ("ops verify: release is not live\n  the log says\n  cause: its tasks crash: exit code 1 (", "names no cause"),
        (f"{BREAKER}its tasks never got healthy\nlast 20 log lines:\n  its tasks crash: exit code 1", "does not name"),
        (f"{BREAKER}its tasks crash: exit code 12 \n  exit code 1", "does not name"),
        (f"{BREAKER}its tasks crash: exit code 1 (x)\nTraceback (most recent call last)", "has a traceback"),
    ],
)
def test_a_message_whose_cause_is_not_the_cause_is_an_error(message: str, told: str) -> None:
    with pytest.raises(DrillError, match=told):
        names_its_cause(message, "its tasks crash: exit code 1 (")
    names_its_cause(f"{BREAKER}its tasks crash: exit code 1 (Essential container in task exited)", "exit code 1 (")


def test_a_secret_that_is_named_below_the_cause_is_not_named_as_the_cause() -> None:
    message = f"{BREAKER}its tasks cannot start\nECS: secret:pactum/staging/secret-key-1"
    with pytest.raises(DrillError, match="the cause does not name"):
        names_its_cause(message, "secret-key-1")
    tells(message, "secret-key-1")


def _stopped(reason: str, *, exit_code: int | None = None) -> TaskTypeDef:
    container = {"name": "web", **({} if exit_code is None else {"exitCode": exit_code})}
    task = {"taskArn": "arn:task/1", "stopCode": "EssentialContainerExited", "stoppedReason": reason}
    return {**task, "containers": [container]}  # type: ignore[typeddict-item] # a part is enough


@pytest.mark.parametrize(
    ("facts", "causes"),
    [
        (
            Facts(ending=Ending.BREAKER, stopped=[_stopped("Essential container in task exited", exit_code=1)]),
            ("rolled back by the circuit breaker", "its tasks crash: exit code 1 ("),
        ),
        (
            Facts(ending=Ending.BREAKER, stopped=[_stopped("Task failed ELB health checks in (target-group x)")]),
            ("rolled back by the circuit breaker", "its tasks never got healthy"),
        ),
        (
            Facts(
                ending=Ending.BREAKER,
                stopped=[
                    _stopped("ResourceInitializationError: unable to pull secrets or registry auth: secret:key-1")
                ],
            ),
            ("a secret or key is missing", "key-1"),
        ),
        (
            Facts(ending=Ending.ALARM, detail="pactum-staging-release-errors"),
            ("rolled back by an alarm", "release-errors"),
        ),
    ],
)
def test_the_causes_that_drills_look_for_are_those_that_the_verdict_writes(
    facts: Facts, causes: tuple[str, ...]
) -> None:
    cause = diagnose(facts, Stack(name="staging", project="pactum"))
    names_its_cause(
        f"ops verify: release sha256:two is not live\ncause: {cause.sentence}\nwhat to do: nothing", *causes
    )


def test_a_verdict_long_after_ecs_gave_up_or_without_that_is_an_error() -> None:
    watch = RolloutWatch(updater=stage_at(1).updater)
    with pytest.raises(DrillError, match="never gave the deployment up"):
        soon_after_ecs(watch, 100)
    watch.given_up_at = 100.0
    assert soon_after_ecs(watch, 112.0) == 12
    with pytest.raises(DrillError, match="31 s after"):
        soon_after_ecs(watch, 131.0)
