"""The wait of a rollback by hand: over when all traffic is served, while ECS may still watch its alarms."""

from __future__ import annotations

import io
import itertools
from typing import TYPE_CHECKING

import pytest

from ops import tasks
from ops.serving import NotServing, Served, expect, wait_until_serving
from tests.ops_fakes.account import OLD_RELEASE, RELEASE
from tests.ops_fakes.context import context_of
from tests.ops_fakes.rollout import Rollout, rolling_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def rollout() -> Iterator[Rollout]:
    with rolling_out() as rollout:
        rollout.world.serve(
            rollout.world.deployment(rollout.new, "IN_PROGRESS", running=2),
            rollout.world.deployment(rollout.old, "COMPLETED", status="ACTIVE"),
        )
        rollout.world.tasks.clear()
        for identity in ("new1", "new2"):
            rollout.world.task(identity, rollout.new)
        yield rollout


def wait(
    rollout: Rollout, *, said: io.StringIO | None = None, baked: bool = False, look: Callable[[], object] = lambda: None
) -> Served:
    context = context_of(rollout.world, {"OPS_CONNECT_TO": rollout.front.address}, said)
    service = tasks.live_service(context.aws.ecs, context.stack)
    expected = expect(context, service, tasks.find_task_definition(context.aws.ecs, rollout.new))
    return wait_until_serving(context, expected, timeout_seconds=60, baked=baked, each_look=look)


def test_all_traffic_on_the_release_is_enough_though_ecs_still_watches_its_alarms(rollout: Rollout) -> None:
    served = wait(rollout)
    assert (served.complete, served.running) == (False, 2)
    assert served.seconds < 2, "the bake time is minutes, and users are served already"
    with pytest.raises(NotServing):
        wait(rollout, baked=True)


def test_a_task_of_another_revision_that_nobody_stopped_still_answers_users(rollout: Rollout) -> None:
    old = rollout.world.task("old1", rollout.old)
    said = io.StringIO()
    rollout.world.clock.at(20, lambda: old.update(desiredStatus="STOPPED", lastStatus="DEACTIVATING"))
    served = wait(rollout, said=said)
    assert 20 <= served.seconds < 23, "a task that drains gets no more requests"
    assert "it is being rolled out (2 of 2 tasks run), and 1 of other revisions" in said.getvalue()


@pytest.mark.parametrize("lacking", ["a task", "the answer"])
def test_wanted_number_and_answer_are_waited_for(rollout: Rollout, lacking: str) -> None:
    world = rollout.world
    if lacking == "a task":
        world.serve(world.deployment(rollout.new, "IN_PROGRESS", running=1))
        world.clock.at(20, lambda: world.serve(world.deployment(rollout.new, "IN_PROGRESS", running=2)))
    else:
        rollout.front.answers = [(200, OLD_RELEASE)]
        world.clock.at(20, lambda: setattr(rollout.front, "answers", [(200, RELEASE)]))
    assert 20 <= wait(rollout).seconds < 23


def test_every_look_is_a_sign_of_life(rollout: Rollout) -> None:
    looks: list[float] = []
    rollout.front.answers = [(503, RELEASE)]
    with pytest.raises(NotServing):
        wait(rollout, look=lambda: looks.append(rollout.world.clock.time))
    assert max(later - earlier for earlier, later in itertools.pairwise(looks)) <= 3


def test_what_went_wrong_is_there_for_a_program(rollout: Rollout) -> None:
    rollout.trip()
    rollout.crash()
    with pytest.raises(NotServing) as failure:
        wait(rollout)
    assert (failure.value.cause.kind, failure.value.exit_code) == ("tasks crash", 1)
    assert not failure.value.cause.rolled_back
