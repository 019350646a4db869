"""The drill `rolling-update`: what it must have seen before it may say that nobody noticed."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING

import pytest

from rehearsal.drills import rolling, stage
from rehearsal.drills.drill import Drill, Outcome, play
from rehearsal.drills.stage import Stage, Update
from rehearsal.state import Tally
from tests.drill_fakes import LIVE, asked, stage_at, until
from tests.failing_server import FailingServer, serving

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FailingServer]:
    monkeypatch.setattr(stage, "LEAD_SECONDS", 0.1)
    with serving() as made:
        yield made


def _rolling(server: FailingServer, monkeypatch: pytest.MonkeyPatch, *, requests: int) -> Outcome:
    """Play the drill `rolling-update` with updates that take an instant, two at most, until so many requests."""

    def deploy_good(on: Stage) -> Update:
        server.release = f"{server.release}+"
        on.updater.live = dataclasses.replace(LIVE, release=server.release)
        return Update(error="", seconds=0, ended=time.monotonic(), tally=Tally())

    def serves(on: Stage, release: str, **__: object) -> bool:
        # Long enough for users to see it, on a busy machine too.
        load = on.loads[-1]
        until(lambda: release in load.releases)
        asked(load, 20)
        return True

    monkeypatch.setattr(rolling, "ROLLING_REQUESTS", requests)
    monkeypatch.setattr(rolling, "LEAST_UPDATES", 2)
    monkeypatch.setattr(rolling, "MOST_UPDATES", 2)
    monkeypatch.setattr(Stage, "deploy_good", deploy_good)
    monkeypatch.setattr(Stage, "serves", serves)
    return play(Drill(name="rolling-update", scenario=rolling.rolling_update), stage_at(server.port))


def test_rolling_updates_that_too_few_requests_have_seen_are_red(
    server: FailingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rolling.ROLLING_REQUESTS >= 20_000, "what the documentation claims"
    assert rolling.LEAST_UPDATES >= 8
    outcome = _rolling(server, monkeypatch, requests=10_000)
    assert not outcome.ok, "the number of requests is a part of the claim"
    assert f"only {outcome.requests} requests in 2 updates" in outcome.detail


def test_rolling_updates_that_users_did_not_notice_are_ok_with_the_connections_told(
    server: FailingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = _rolling(server, monkeypatch, requests=50)
    assert outcome.ok, outcome.detail
    assert "2 updates, " in outcome.detail
    assert "requests on 4 kept connections, " in outcome.detail, "one a user: the balancer closed none"
