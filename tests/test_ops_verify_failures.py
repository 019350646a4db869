"""The verdict when a release is not live: soon, not green, and with what happened to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.ops_fakes.account import OLD_RELEASE, RELEASE
from tests.ops_fakes.rollout import BREAKER, Rollout, rolling_out

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def rollout() -> Iterator[Rollout]:
    with rolling_out() as rollout:
        yield rollout


def test_a_rollback_by_the_circuit_breaker_ends_the_wait_and_shows_the_crash(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    world = rollout.world
    world.clock.at(4, lambda: world.event("(service web) deployment failed: tasks failed to start."))
    world.clock.at(5, rollout.crash)
    world.clock.at(30, rollout.roll_back)
    seen = rollout.verify(capsys, "--task-definition", rollout.new)
    assert seen.code == 1
    assert world.clock.time < 40, "nothing is gained by waiting after ECS gave up"
    for part in (
        f"ops verify: release {RELEASE} (pactum-staging-web:2) is not live\ncause: ",
        "cause: rolled back by the circuit breaker, because its tasks crash: exit code 3",
        f"ECS now runs pactum-staging-web:1 (release {OLD_RELEASE}).",
        f"ECS says: {BREAKER}",
        "(service web) deployment failed: tasks failed to start.",
        "stopped reason: Essential container in task exited",
        "container web: exit code 3",
        "stream web/web/bad",
    ):
        assert part in seen.err
    traces = [line.strip() for line in seen.err.splitlines() if line.strip().startswith("trace ")]
    assert traces == [f"trace {n}" for n in range(5, 25)], "the last twenty lines, which say what went wrong"
    assert "Traceback" not in seen.err


def test_a_rollback_that_was_over_before_anyone_looked_is_still_told(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    """ECS forgets the failed deployment once its tasks are gone."""
    world = rollout.world
    rollout.crash()
    world.serve(world.deployment(rollout.old, "COMPLETED", running=2))
    world.event("(service web) rolling back to deployment ecs-svc/1.")
    seen = rollout.verify(capsys, "--task-definition", rollout.new)
    assert seen.code == 1
    assert "over before we looked, or it was never started" in seen.err
    assert "rolling back to deployment" in seen.err
    assert "exit code 3" in seen.err


def test_a_deployment_that_vanishes_while_we_watch_was_rolled_back(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    world = rollout.world
    world.clock.at(30, lambda: world.serve(world.deployment(rollout.old, "COMPLETED", running=2)))
    seen = rollout.verify(capsys)
    assert seen.code == 1
    assert "cause: rolled back by ECS: its deployment is gone\n" in seen.err


def test_a_service_that_one_answer_does_not_know_is_not_gone(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    """ECS answers from several places, and one of them may not be up to date."""
    world = rollout.world
    world.clock.at(20, lambda: setattr(world, "service", None))
    world.clock.at(27, rollout.begin)
    world.clock.at(30, lambda: setattr(world, "service", None))
    world.clock.at(36, rollout.complete)
    assert rollout.verify(capsys).code == 0, "each absence counts for itself"


def test_a_service_that_stays_away_is_gone(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    rollout.world.clock.at(20, lambda: setattr(rollout.world, "service", None))
    seen = rollout.verify(capsys)
    assert seen.code == 1
    assert "cause: the service is gone\n" in seen.err
    assert 30 <= rollout.world.clock.time < 35
    rollout.begin()
    rollout.world.clock.at(rollout.world.clock.time + 1, lambda: setattr(rollout.world, "service", None))
    rollout.verify(capsys, "--timeout", "4")
    assert rollout.world.clock.time < 40, "the timeout counts here as anywhere"


def test_another_update_in_between_is_told_apart_from_a_rollback(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    world = rollout.world
    third = world.define("web", 3)
    deployments = world.deployment(third, "IN_PROGRESS"), world.deployment(rollout.new, "IN_PROGRESS", status="ACTIVE")
    world.clock.at(5, lambda: world.serve(*deployments))
    seen = rollout.verify(capsys)
    assert seen.code == 1
    assert "cause: replaced by another deployment\nECS now runs pactum-staging-web:3 " in seen.err


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((200, OLD_RELEASE), f"/readyz answers with another release, {OLD_RELEASE}"),
        ((503, RELEASE), "is not ready: 503"),
    ],
)
def test_a_completed_rollout_that_does_not_answer_rightly_is_not_live(
    rollout: Rollout,
    capsys: pytest.CaptureFixture[str],
    answer: tuple[int, str],
    said: str,
) -> None:
    rollout.complete()
    rollout.front.answers = [answer]
    seen = rollout.verify(capsys, "--timeout", "30")
    assert seen.code == 1
    assert "not live after 30 s" in seen.err
    assert said in seen.err


@pytest.mark.parametrize(("running", "minimum"), [(0, "0"), (1, "2")])
def test_too_few_tasks_of_the_revision_are_not_live(
    rollout: Rollout, capsys: pytest.CaptureFixture[str], running: int, minimum: str
) -> None:
    """A completed rollout of a service scaled to zero is no service."""
    rollout.complete(tasks=running)
    rollout.world.task("old1", rollout.old)
    seen = rollout.verify(capsys, "--minimum", minimum, "--timeout", "20")
    assert seen.code == 1
    assert f"{running} of at least {max(1, int(minimum))} tasks of this revision run" in seen.err


def test_what_ecs_will_not_do_is_not_waited_for(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    rollout.complete()
    seen = rollout.verify(capsys, "--minimum", "3", "--timeout", "20")
    assert "2 of at least 3 tasks of this revision run" in seen.err
    assert "what to do: ECS is done: it runs as many tasks as the service wants (2)" in seen.err
    assert "goes on trying" not in seen.err, "it would be waited for in vain"
    rollout.complete(tasks=1)
    assert "ECS goes on trying" in rollout.verify(capsys, "--minimum", "2", "--timeout", "20").err, (
        "it replaces a task that ended"
    )


def test_a_rollout_that_hangs_shows_the_tasks_that_run_and_their_log(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    world = rollout.world
    world.task("slow", rollout.new, healthStatus="UNHEALTHY")
    world.logs["/pactum/staging/web", "web/web/slow"].append("waiting for the database")
    seen = rollout.verify(capsys, "--timeout", "60")
    assert seen.code == 1
    assert "not live after 60 s (--timeout): it is being rolled out (0 of 2 tasks run)" in seen.err
    assert "task slow: RUNNING, health UNHEALTHY" in seen.err
    assert "waiting for the database" in seen.err


def test_log_lines_cannot_steer_the_terminal(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    rollout.crash(lines=0)
    rollout.world.logs["/pactum/staging/web", "web/web/bad"].append("GET /\x1b]0;owned\x07")
    rollout.roll_back()
    seen = rollout.verify(capsys, "--task-definition", rollout.new)
    assert "GET /" in seen.err
    assert "\x1b" not in seen.err


def test_what_ecs_quotes_of_a_secret_is_in_no_part_of_the_verdict(
    rollout: Rollout, capsys: pytest.CaptureFixture[str]
) -> None:
    reason = "ResourceInitializationError: unable to retrieve secret from asm: invalid character 'h' looking for value"
    task = rollout.world.task("bad", rollout.new, stoppedAt=rollout.world.clock.date())
    rollout.world.end(task, exit_code=None, reason=reason, code="TaskFailedToStart")
    rollout.world.event(f"(service web) was unable to place a task. Reason: {reason}.")
    rollout.roll_back()
    seen = rollout.verify(capsys, "--task-definition", rollout.new)
    assert "because a secret or key is missing: a secret should hold JSON, and does not" in seen.err
    assert "'h'" not in seen.err + seen.out


def test_a_task_on_its_way_out_has_not_ended_yet(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    """It drains when ECS rolls back; what it died of is known already, its exit code is not."""
    task = rollout.world.task("sick", rollout.new, startedAt=rollout.world.clock.date())
    rollout.world.end(task, exit_code=None, reason="Task failed container health checks", code="ServiceScheduler")
    task["lastStatus"] = "DEACTIVATING"
    rollout.roll_back()
    seen = rollout.verify(capsys, "--task-definition", rollout.new)
    assert "because its tasks never got healthy: Task failed container health checks" in seen.err
    assert "  container web: is stopping\n" in seen.err
