"""The verdict on a deployment ECS gave up: on its way back, with nothing to go back to, or tried again."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import pytest

from tests.ops_fakes.account import OLD_RELEASE, RELEASE
from tests.ops_fakes.rollout import BREAKER, Rollout, rolling_out

if TYPE_CHECKING:
    from collections.abc import Iterator

RETRY = "aws ecs update-service --cluster pactum-staging --service web --force-new-deployment"


@pytest.fixture
def rollout() -> Iterator[Rollout]:
    with rolling_out() as rollout:
        yield rollout


def test_a_failed_first_deployment_says_there_was_nothing_to_return_to_and_what_to_do(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    """ECS keeps it as the primary, failed, for good; `pulumi up` sees no difference and starts nothing."""
    rollout.begin_first()
    rollout.crash()
    rollout.world.clock.at(10, rollout.fail_first)
    seen = rollout.verify(capsys)
    assert seen.code == 1
    assert 20 <= rollout.world.clock.time < 35, "long enough for a rollback to show, and a verdict within 30 s"
    assert "cause: given up by the circuit breaker, because its tasks crash: exit code 3" in seen.err
    assert "There was nothing to return to: ECS lists no earlier deployment" in seen.err
    assert f"ECS says: {BREAKER}" in seen.err
    assert "container web: exit code 3" in seen.err
    assert f"{RETRY}\n  python -m ops verify --stack staging\n" in seen.err, "the way out, ready to be copied"
    reads = ("Describe", "List", "Get")
    assert all(operation.startswith(reads) for operation, _ in rollout.world.calls), "verify only looks"


def test_the_verdict_on_a_failed_deployment_comes_within_thirty_seconds_whatever_its_log_does(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    world = rollout.world
    rollout.begin_first()
    rollout.crash()
    log = world.logs["/pactum/staging/web", "web/web/bad"]
    for second in range(300):
        world.clock.at(second, functools.partial(log.append, f"it goes on: {second}"))
    # The worst moment: just after a look, at the pace of a wait that has lasted a minute.
    world.clock.at(100.1, rollout.fail_first)
    assert rollout.verify(capsys).code == 1
    assert world.clock.time <= 123, "a log that never falls quiet is not waited for either, and AWS's answers take time"


def test_a_rollback_seen_while_the_failed_deployment_is_still_the_primary_is_a_rollback(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    rollout.world.clock.at(10, rollout.trip)
    rollout.world.clock.at(18, rollout.roll_back)
    seen = rollout.verify(capsys)
    assert seen.code == 1
    assert "cause: rolled back by the circuit breaker\nECS now runs pactum-staging-web:1 " in seen.err
    assert "nothing to return to" not in seen.err
    assert RETRY not in seen.err, "it would start the old release anew"
    assert rollout.world.clock.time < 35, "nothing is gained by waiting after ECS went back"


def test_a_rollback_whose_failed_deployment_is_gone_already_is_a_rollback(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    world = rollout.world
    rollout.trip()
    world.clock.at(8, lambda: world.serve(world.deployment(rollout.old, "IN_PROGRESS", running=2)))
    seen = rollout.verify(capsys, "--task-definition", rollout.new)
    assert seen.code == 1
    assert "rolled back by ECS: its deployment is gone\nECS now runs pactum-staging-web:1 " in seen.err


def test_ecs_that_does_not_return_to_what_it_could_return_to_is_told_apart(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    rollout.world.clock.at(10, rollout.trip)
    seen = rollout.verify(capsys)
    assert seen.code == 1
    assert f"ECS did not return to pactum-staging-web:1 (release {OLD_RELEASE}), which it still lists" in seen.err
    assert "nothing to return to" not in seen.err


def test_earlier_deployments_that_failed_too_are_nothing_to_return_to(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    world = rollout.world
    failed_before = world.deployment(rollout.old, "FAILED", status="ACTIVE")
    world.serve(world.deployment(rollout.new, "FAILED"), failed_before)
    seen = rollout.verify(capsys)
    assert seen.code == 1
    assert "nothing to return to" in seen.err


def test_a_forced_new_deployment_of_the_failed_revision_is_waited_for(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its second deployment is the primary while ECS still lists the failed first one."""
    world = rollout.world
    failed = world.deployment(rollout.new, "FAILED", status="ACTIVE")
    again = world.deployment(rollout.new, "IN_PROGRESS") | {"id": "ecs-svc/again"}
    world.serve(again, failed)
    world.clock.at(40, rollout.complete)
    seen = rollout.verify(capsys)
    assert seen.code == 0, seen.err
    assert seen.out.endswith(f"live: {RELEASE}\n")


def test_a_first_look_at_what_was_before_the_update_is_not_the_verdict(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same revision deployed again after a rollback: DescribeServices may answer from before that for a moment."""
    rollout.roll_back()
    rollout.world.clock.at(5, rollout.begin)
    rollout.world.clock.at(20, rollout.complete)
    seen = rollout.verify(capsys, "--task-definition", rollout.new)
    assert seen.code == 0, seen.err


def test_each_failure_settles_by_itself(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    """Tried again by hand while we wait: the second failure gets its own time to become a rollback."""
    clock = rollout.world.clock
    clock.at(5, rollout.fail_first)
    clock.at(15, rollout.begin)
    clock.at(60, rollout.trip)
    clock.at(68, rollout.roll_back)
    seen = rollout.verify(capsys)
    assert "cause: rolled back by the circuit breaker" in seen.err


def test_the_timeout_ends_the_wait_for_a_rollback_too(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    rollout.fail_first()
    seen = rollout.verify(capsys, "--timeout", "7")
    assert seen.code == 1
    assert rollout.world.clock.time == 7
    assert "not live after 7 s (--timeout): its rollout failed" in seen.err
