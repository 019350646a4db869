"""A stack with two releases to return to, and an ECS that obeys within seconds."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from typing import TYPE_CHECKING

from ops.release_record import Record, Release
from tests.ops_fakes.account import OLD_RELEASE, RELEASE
from tests.ops_fakes.releases import OLDER_RELEASE, was_live
from tests.ops_fakes.rollout import Rollout, rolling_out
from tests.ops_fakes.world import Outcome, run_ops

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest


@contextlib.contextmanager
def way_back() -> Iterator[Rollout]:
    """Revision 2 serves; revision 1 did before it, and the one that is numbered 3 here before that."""
    with rolling_out() as rollout:
        world = rollout.world
        rollout.complete()
        rollout.front.answers = [(200, OLD_RELEASE)]
        older = world.define("web", 3, release=OLDER_RELEASE)
        releases = (
            was_live(RELEASE, 50, rollout.new),
            was_live(OLD_RELEASE, 30, rollout.old),
            was_live(OLDER_RELEASE, 10, older),
        )
        world.remember(Record(releases=releases))
        world.on_update = functools.partial(obey, rollout)
        yield rollout


def obey(rollout: Rollout, definition: str) -> None:
    """ECS starts the tasks, and some seconds later all that run are of that revision; the alarms are watched longer."""
    world = rollout.world
    before = rollout.new
    world.serve(
        world.deployment(definition, "IN_PROGRESS", running=1),
        world.deployment(before, "COMPLETED", status="ACTIVE", running=2),
    )

    def all_there() -> None:
        world.serve(world.deployment(definition, "IN_PROGRESS", running=2))
        for arn in [arn for arn, task in world.tasks.items() if "-web:" in task["taskDefinitionArn"]]:
            del world.tasks[arn]
        for number in range(2):
            world.task(f"back{number}", definition)

    world.clock.at(world.clock.time + 6, all_there)


def rollback(rollout: Rollout, capsys: pytest.CaptureFixture[str], *options: str, **environment: str) -> Outcome:
    environment = {"OPS_CONNECT_TO": rollout.front.address, "BUILD_USER_ID": "ana", **environment}
    return run_ops(rollout.world, capsys, "rollback", "--stack", "staging", *options, environment=environment)


def change(rollout: Rollout, place: int, **changes: object) -> Release:
    """Let the release at this place of the record be another."""
    record = rollout.world.record()
    release = record.releases[place]
    rollout.world.remember(record.replacing(release, dataclasses.replace(release, **changes)))  # type: ignore[arg-type]
    return rollout.world.record().releases[place]


def told(rollout: Rollout) -> list[str]:
    """The task definitions the service was told to run."""
    return [asked["taskDefinition"] for asked in rollout.world.asked("UpdateService")]
