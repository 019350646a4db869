"""An update whose migration is to run, and a migration task that ends as a test says."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from ops.in_flight import this_host
from ops.release_record import IN_PROGRESS, AppliedMigration, Record, Release
from tests.ops_fakes.account import RELEASE
from tests.ops_fakes.releases import PAST, UPDATE, flight
from tests.ops_fakes.world import Outcome, World, run_ops

if TYPE_CHECKING:
    import pytest

COMMAND = ("migrate", "--stack", "staging", "--subnets", "subnet-a", "--security-groups", "sg-a")
STREAM = ("/pactum/staging/migrate", "migrate/migrate/f00d")
FIRST = AppliedMigration(name="app.0001_initial", undoable=True)
SECOND = AppliedMigration(name="app.0002_x", undoable=False, why="drops a column")
IN_FLIGHT = dataclasses.replace(flight(), host=this_host())


def ongoing(migrations: tuple[AppliedMigration, ...] | None = ()) -> Record:
    release = Release(digest=RELEASE, verdict=IN_PROGRESS, migrations=migrations)
    return Record(releases=(release, *PAST.releases), in_flight=IN_FLIGHT)


def about_to_migrate() -> World:
    """The guard has let an update pass, and its task definition is registered."""
    world = World()
    world.define("migrate", 7)
    world.remember(ongoing())
    return world


def report(*migrations: AppliedMigration) -> str:
    """The line of its log in which a migration tells what it applied."""
    return json.dumps({"level": "INFO", "message": "Migrated.", "migrations": [item.as_json() for item in migrations]})


def ends(world: World, *lines: str, exit_code: int | None = 0, after: float = 2.0, **how: str) -> None:
    """Let the next task write these lines and end."""

    def script(task: dict[str, Any]) -> None:
        def end() -> None:
            world.logs[STREAM] += lines
            world.end(task, exit_code=exit_code, **how)

        world.clock.at(world.clock.time + after, end)

    world.on_run = script


def migrate(world: World, capsys: pytest.CaptureFixture[str], *options: str, within: bool = True) -> Outcome:
    return run_ops(world, capsys, *COMMAND, *options, environment=UPDATE if within else {})


def applied(world: World) -> tuple[AppliedMigration, ...] | None:
    return world.record().releases[0].migrations
