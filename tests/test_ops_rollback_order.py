"""Telling ECS to roll back: what is asked of it, and what is known when its answer does not come."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from ops.errors import Terminated
from ops.release_record import LIVE, ROLLED_BACK
from tests.ops_fakes.account import OLD_RELEASE, RELEASE, Refused
from tests.ops_fakes.releases import flight
from tests.ops_fakes.way_back import obey, rollback, told, way_back

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.ops_fakes.rollout import Rollout

LOST = ReadTimeoutError(endpoint_url="https://ecs")
ECS_FAILED = ClientError(
    {"Error": {"Code": "ServerException"}, "ResponseMetadata": {"HTTPStatusCode": 500}},  # type: ignore[typeddict-item]
    "UpdateService",
)

CONFIGURATION: dict[str, Any] = {
    "maximumPercent": 200,
    "minimumHealthyPercent": 100,
    "deploymentCircuitBreaker": {"enable": True, "rollback": True},
    "alarms": {"alarmNames": ["pactum-staging-release-errors"], "enable": True, "rollback": True},
}


@pytest.fixture
def rollout() -> Iterator[Rollout]:
    with way_back() as rollout:
        yield rollout


def obeys_but(rollout: Rollout, raised: BaseException) -> None:
    """ECS does what it is told, and its answer does not arrive."""

    def on_update(definition: str) -> None:
        obey(rollout, definition)
        raise raised

    rollout.world.on_update = on_update


def not_reached(rollout: Rollout, raised: BaseException) -> None:
    def fail() -> None:
        raise raised

    rollout.world.before["UpdateService"] = fail


def unplugged(rollout: Rollout) -> None:
    def fail() -> None:
        raise EndpointConnectionError(endpoint_url="https://ecs")

    rollout.world.before["DescribeServices"] = fail


class TestTheDeploymentAlarms:
    """They still count errors of the release that is left: armed, they would make ECS return to that."""

    def configure(self, rollout: Rollout, *, enable: bool) -> None:
        assert rollout.world.service
        alarms = CONFIGURATION["alarms"] | {"enable": enable}
        rollout.world.service["deploymentConfiguration"] = CONFIGURATION | {"alarms": alarms}

    def test_they_are_off_for_the_rollback_and_all_else_is_as_it_was(
        self, rollout: Rollout, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.configure(rollout, enable=True)
        seen = rollback(rollout, capsys)
        assert seen.code == 0, seen.err
        (asked,) = rollout.world.asked("UpdateService")
        alarms = {"alarmNames": ["pactum-staging-release-errors"], "enable": False, "rollback": True}
        assert asked["deploymentConfiguration"] == CONFIGURATION | {"alarms": alarms}
        assert "turns the deployment alarms off" in seen.out
        assert "`pulumi up` turns them on again" in seen.out

    def test_where_they_are_off_nothing_is_asked(self, rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
        self.configure(rollout, enable=False)
        assert rollback(rollout, capsys).code == 0
        assert "deploymentConfiguration" not in rollout.world.asked("UpdateService")[0]


class TestAnAnswerThatWasLost:
    """The network, or ECS itself, failed after the request had gone out."""

    @pytest.mark.parametrize("raised", [LOST, ECS_FAILED], ids=["network", "ECS"])
    def test_ecs_obeyed_and_so_the_rollback_goes_on(
        self, rollout: Rollout, capsys: pytest.CaptureFixture[str], raised: Exception
    ) -> None:
        obeys_but(rollout, raised)
        seen = rollback(rollout, capsys)
        assert seen.code == 0, seen.err
        record = rollout.world.record()
        assert (record.releases[0].verdict, record.releases[1].verdict) == (ROLLED_BACK, LIVE)
        assert list(record.denials) == [RELEASE]
        assert "answer was lost" in seen.out

    def test_the_time_it_took_to_find_out_is_counted(
        self, rollout: Rollout, capsys: pytest.CaptureFixture[str]
    ) -> None:
        obeys_but(rollout, LOST)
        answer = json.loads(rollback(rollout, capsys, "--json").out)
        assert answer["seconds"] == pytest.approx(rollout.world.clock.time, abs=0.1)

    @pytest.mark.parametrize("raised", [LOST, ECS_FAILED], ids=["network", "ECS"])
    def test_ecs_was_not_reached_and_so_nothing_has_happened(
        self, rollout: Rollout, capsys: pytest.CaptureFixture[str], raised: Exception
    ) -> None:
        before = rollout.world.record()
        not_reached(rollout, raised)
        assert rollback(rollout, capsys).code != 0
        assert rollout.world.record() == before

    def test_where_ecs_cannot_be_asked_the_release_stays_denied_and_that_is_said(
        self, rollout: Rollout, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def obey_and_vanish(definition: str) -> None:
            obey(rollout, definition)
            unplugged(rollout)
            raise LOST

        rollout.world.on_update = obey_and_vanish
        seen = rollback(rollout, capsys)
        assert seen.code == 1
        assert "it cannot be asked" in seen.err
        assert "ops status" in seen.err
        record = rollout.world.record()
        assert list(record.denials) == [RELEASE], "it may be gone, and must not come back by itself"
        assert record.in_flight is None


class TestAnInterruptionWhileEcsIsTold:
    """Ctrl-C in the middle of the request: it says what is known, and leaves the record so."""

    def test_ecs_was_told(self, rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
        obeys_but(rollout, Terminated())
        seen = rollback(rollout, capsys)
        assert seen.code == 143
        assert "ECS goes on rolling back to pactum-staging-web:1" in seen.err
        record = rollout.world.record()
        assert record.in_flight is None
        assert list(record.denials) == [RELEASE]

    def test_ecs_was_not_told(self, rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
        before = rollout.world.record()
        not_reached(rollout, KeyboardInterrupt())
        seen = rollback(rollout, capsys)
        assert seen.code == 130
        assert "nothing was changed" in seen.err
        assert rollout.world.record() == before, "what serves is not denied for it"

    def test_nobody_knows(self, rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
        def interrupt() -> None:
            unplugged(rollout)
            raise KeyboardInterrupt

        rollout.world.before["UpdateService"] = interrupt
        seen = rollback(rollout, capsys)
        assert seen.code == 130
        assert "whether it does is not known" in seen.err
        assert f"{RELEASE} is denied all the same" in seen.err
        assert rollout.world.record().in_flight is None


def test_a_refusal_is_one_and_nothing_has_happened(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    before = rollout.world.record()
    not_reached(rollout, Refused("AccessDeniedException", "not authorized to perform ecs:UpdateService"))
    seen = rollback(rollout, capsys)
    assert seen.code == 2
    assert "permission for UpdateService" in seen.err
    assert rollout.world.record() == before
    assert len(rollout.world.asked("DescribeServices")) == 1, "there is no doubt to be resolved"


def test_a_rollback_that_another_one_overrules_says_so(rollout: Rollout, capsys: pytest.CaptureFixture[str]) -> None:
    """And takes nothing from its own target: that another decided otherwise does not make it bad."""
    other = flight("sha256:" + "c" * 64, kind="rollback")
    world = rollout.world
    world.on_update = lambda _definition: None
    world.clock.at(3, lambda: world.remember(dataclasses.replace(world.record(), in_flight=other)))
    seen = rollback(rollout, capsys)
    assert seen.code == 1
    assert "ben on elsewhere has been rolling back to" in seen.err
    record = world.record()
    assert record.in_flight == other
    assert (record.releases[1].digest, record.releases[1].verdict) == (OLD_RELEASE, LIVE)
    assert told(rollout) == [rollout.old]
