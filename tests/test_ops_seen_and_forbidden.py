"""What was decided about a release on its way, and what a person saw of one: read and written from the record."""

from __future__ import annotations

import dataclasses
import io
from typing import Any

import pytest

from ops.in_flight import forbidden, record_seen_live, this_host
from ops.release_record import FAILED, IN_PROGRESS, LIVE, Decision, Record, Release
from tests.ops_fakes.account import RELEASE, Refused
from tests.ops_fakes.context import context_of
from tests.ops_fakes.releases import PAST, UPDATE, flight, was_live
from tests.ops_fakes.world import World

OURS = dataclasses.replace(flight(), host=this_host())
ONGOING = Record(releases=(Release(digest=RELEASE, verdict=IN_PROGRESS, migrations=()), *PAST.releases), in_flight=OURS)
NEW, OLD = "arn:web:8", "arn:web:7"
DENIAL = Decision(who="eva", at="then", reason="it leaks")


@pytest.fixture
def world() -> World:
    world = World()
    world.remember(ONGOING)
    return world


class TestForbidden:
    """What a person, or another update, decided about a release that is on its way already."""

    def test_nothing_is_while_the_claim_is_held(self, world: World) -> None:
        assert forbidden(context_of(world, UPDATE), RELEASE) == ""
        assert not world.asked("PutItem")

    @pytest.mark.parametrize("environment", [UPDATE, {}], ids=["within an update", "by hand"])
    def test_a_denial_is(self, world: World, environment: dict[str, str]) -> None:
        world.remember(dataclasses.replace(ONGOING, denials={RELEASE: DENIAL}))
        assert forbidden(context_of(world, environment), RELEASE) == "it is denied, by eva at then: it leaks"

    def test_an_update_that_was_taken_over_is(self, world: World) -> None:
        world.remember(dataclasses.replace(ONGOING, in_flight=flight(kind="rollback")))
        assert "it was taken over: ben on elsewhere" in forbidden(context_of(world, UPDATE), RELEASE)
        world.remember(dataclasses.replace(ONGOING, in_flight=None))
        assert "it was taken over" in forbidden(context_of(world, UPDATE), RELEASE)
        assert forbidden(context_of(world), RELEASE) == "", "by hand there was no claim to lose"

    def test_a_record_that_cannot_be_read_forbids_nothing(self, world: World) -> None:
        def fail() -> None:
            raise Refused("AccessDeniedException")

        world.before["GetItem"] = fail
        said = io.StringIO()
        assert forbidden(context_of(world, UPDATE, said), RELEASE) == ""
        assert "does not know whether release" in said.getvalue()


class TestSeenLiveByHand:
    """A person looked, and it serves: then it is a release to return to, whatever its verdict was."""

    FAILED_ONE = Release(digest=RELEASE, verdict=FAILED, cause="timeout", task_definition=NEW, migrations=())

    @pytest.mark.parametrize("task_definition", [NEW, ""], ids=["known", "not known yet"])
    def test_a_red_verdict_is_corrected(self, world: World, task_definition: str) -> None:
        red = dataclasses.replace(self.FAILED_ONE, task_definition=task_definition)
        world.remember(Record(releases=(red, *PAST.releases)))
        said = io.StringIO()
        record_seen_live(context_of(world, said=said), RELEASE, NEW)
        now = world.record().releases[0]
        assert (now.verdict, now.cause, now.task_definition) == (LIVE, "", NEW)
        assert now.verified_at == "2026-11-22T12:00:00Z"
        assert world.record().live == now
        assert "a good one from now on" in said.getvalue()

    def test_another_configuration_of_the_image_is_a_release_of_its_own(self, world: World) -> None:
        """An update with another configuration was killed after it had told ECS."""
        good = was_live(RELEASE, 50, OLD)
        world.remember(Record(releases=(good, *PAST.releases)))
        record_seen_live(context_of(world), RELEASE, NEW)
        new, *rest = world.record().releases
        assert (new.digest, new.task_definition, new.verdict) == (RELEASE, NEW, LIVE)
        assert rest == [good, *PAST.releases]

    @pytest.mark.parametrize(
        ("changes", "environment"),
        [
            ({"in_flight": OURS}, {}),
            ({"denials": {RELEASE: DENIAL}}, {}),
            ({"releases": PAST.releases}, {}),
            ({}, UPDATE),
        ],
        ids=["in flight", "denied", "not remembered", "within an update"],
    )
    def test_it_is_left_alone(self, world: World, changes: dict[str, Any], environment: dict[str, str]) -> None:
        before = dataclasses.replace(Record(releases=(self.FAILED_ONE, *PAST.releases)), **changes)
        world.remember(before)
        record_seen_live(context_of(world, environment), RELEASE, NEW)
        assert world.record() == before

    def test_a_record_that_cannot_be_reached_is_said(self, world: World) -> None:
        world.records_exist = False
        said = io.StringIO()
        record_seen_live(context_of(world, said=said), RELEASE, NEW)
        assert "does not know that release" in said.getvalue()
