"""Two stacks in one rehearsal, and what an update of one would do: the ground that executed pipelines stand on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from rehearsal import attached, processes, program
from rehearsal.docker_client import DockerClient
from rehearsal.errors import RehearsalError
from rehearsal.place import Place
from rehearsal.progress import Progress
from rehearsal.state import State, Tally
from tests.rehearsal_fakes import FakeCloud, engine_with, fake_tools, written

if TYPE_CHECKING:
    from pathlib import Path

    from rehearsal.configuration import Configuration
    from rehearsal.engine import Engine

DOCKER = DockerClient(executable="/nonexistent/docker")
SECONDS = 20


def test_a_rehearsal_may_hold_several_stacks_and_withdraws_all_of_them(tmp_path: Path) -> None:
    place = Place(kept=tmp_path)
    for stack in ("staging", "prod"):
        attached.announce(place, stack=stack, overrides={"pactum:webMinimum": "2"}, docker=DOCKER)
    processes.record(place.emulator_record, os.getpid())
    assert [attached.attach(place, stack, Progress()).stack for stack in ("staging", "prod")] == ["staging", "prod"]
    attached.withdraw(place)
    for stack in ("staging", "prod"):
        with pytest.raises(RehearsalError, match=f"No rehearsal of {stack}"):
            attached.attach(place, stack, Progress())


def test_each_stack_has_a_state_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[str] = []

    def run(_: Configuration, engine: Engine, **__: object) -> dict[str, str]:
        assert engine.state.path
        kept.append(engine.state.path.name)
        return {}

    monkeypatch.setattr(program, "run", run)
    place = Place(kept=tmp_path)
    for stack in ("staging", "prod"):
        attached.announce(place, stack=stack, overrides={}, docker=DOCKER)
    processes.record(place.emulator_record, os.getpid())
    for stack in ("staging", "prod"):
        attached.attach(place, stack, Progress()).plan()
    assert kept == ["state-pactum-staging.json", "state-pactum-prod.json"], "or one would delete what is the other's"


def planned(loaded: Configuration, cloud: FakeCloud, state: State) -> Tally:
    engine = engine_with(cloud, state, preview=True)
    program.run(loaded, engine, timeout_seconds=SECONDS)
    return engine.tally


def test_a_plan_tells_what_an_update_would_do_and_does_nothing(tmp_path: Path) -> None:
    cloud, state = FakeCloud(), State()
    body = 'one = Thing("one", size=config.get("size"))\nThing("two", size=one.given)\n'
    small = written(tmp_path / "small", body, {"shop:size": "1"})
    assert planned(small, cloud, state).created.total() == 2
    assert cloud.created == []
    program.run(small, engine_with(cloud, state), timeout_seconds=SECONDS)
    assert planned(small, cloud, state).changed == 0, "what is known of the state is known to the plan"
    larger = written(tmp_path / "larger", body, {"shop:size": "2"})
    tally = planned(larger, cloud, state)
    assert tally.updated.total() == 2, "what depends on something that changes is unknown until it is made"
    assert "fake:index:Thing one: size" in tally.reasons
    assert cloud.updated == []
    cloud.present = {"size": "9"}
    assert planned(small, cloud, state).updated.total() >= 1, "what somebody changed by hand is drift"


def test_what_another_working_copy_keeps_is_where_it_says(tmp_path: Path) -> None:
    assert Place(root=tmp_path / "checkout", kept=tmp_path / "kept").scratch == tmp_path / "kept"
    assert fake_tools(tmp_path).place.scratch.is_relative_to(tmp_path)
