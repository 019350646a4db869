"""State as a checkpoint: what was made is there for the next update, however the last one ended."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from rehearsal import program
from rehearsal.engine import ResourceError
from rehearsal.errors import RehearsalError
from rehearsal.state import Deployed, State
from tests.rehearsal_fakes import FakeCloud, engine_with, written

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 30


def _thing(number: int) -> Deployed:
    inputs = {"size": number, "nested": {"list": [1, "two", None, True]}}
    return Deployed(
        urn=f"urn:{number}", type="fake", name=f"n{number}", id=f"id-{number}", inputs=inputs, outputs=inputs
    )


def test_what_was_put_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "state-shop.json"
    state = State.at(path)
    assert state.resources == {}, "a fresh rehearsal has made nothing"
    state.put(_thing(1))
    state.put(_thing(2))
    state.forget("urn:1")
    assert State.at(path).resources == {"urn:2": _thing(2)}, "an update compares with it: nothing may have changed"


def test_two_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "state-shop.json"
    first, second = State.at(path), State.at(path)
    threads = [
        threading.Thread(target=lambda state=state, start=start: [state.put(_thing(start + i)) for i in range(20)])
        for state, start in ((first, 0), (second, 100))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert len(State.at(path).resources) == 40, "each writes the one resource it has made, and keeps the other's"


def test_a_state_that_is_none_is_told(tmp_path: Path) -> None:
    path = tmp_path / "state-shop.json"
    path.write_text('[{"urn": "urn:1"')
    with pytest.raises(RehearsalError, match=r"state-shop\.json is not the state of a rehearsal"):
        State.at(path)


def test_what_an_update_had_made_before_it_broke_off_is_not_made_again(tmp_path: Path) -> None:
    path, cloud = tmp_path / "state-shop.json", FakeCloud()
    after = "opts=pulumi.ResourceOptions(depends_on=one)"
    body = f'one = Thing("one", size=1)\nThing("two", size=config.get("size"), {after})\n'
    broken = written(tmp_path / "program", body, {"shop:size": "broken"})
    with pytest.raises(ResourceError):
        program.run(broken, engine_with(cloud, State.at(path)), timeout_seconds=SECONDS)
    mended = written(tmp_path / "program", body, {"shop:size": "2"})
    engine = engine_with(cloud, State.at(path))
    program.run(mended, engine, timeout_seconds=SECONDS)
    assert [made["size"] for made in cloud.created] == [1, "2"], "the first is there already, the second was not made"
    assert engine.tally.unchanged.total() == 1
