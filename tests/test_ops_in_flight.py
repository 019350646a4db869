"""Signs of life and verdicts: written down by whoever is in flight, and never in the way of what they are about."""

from __future__ import annotations

import dataclasses
import io

import pytest
from botocore.exceptions import EndpointConnectionError

from ops.in_flight import Heartbeat, record_verdict, this_host
from ops.release_record import FAILED, IN_PROGRESS, LIVE, ROLLED_BACK, Record, Release
from tests.ops_fakes.account import OLD_RELEASE, RELEASE, Refused
from tests.ops_fakes.context import context_of
from tests.ops_fakes.releases import PAST, UPDATE, flight, was_live
from tests.ops_fakes.world import World

OURS = dataclasses.replace(flight(), host=this_host())
ONGOING = Record(releases=(Release(digest=RELEASE, verdict=IN_PROGRESS, migrations=()), *PAST.releases), in_flight=OURS)
NEW, OLD = "arn:web:8", "arn:web:7"


@pytest.fixture
def world() -> World:
    world = World()
    world.remember(ONGOING)
    return world


def verdict(world: World, kind: str, *, cause: str = "", task_definition: str = NEW, digest: str = RELEASE) -> Record:
    record_verdict(context_of(world, UPDATE), digest, verdict=kind, cause=cause, task_definition=task_definition)
    return world.record()


def test_a_beat_is_seen_every_five_seconds_at_most(world: World) -> None:
    heart = Heartbeat(context_of(world, UPDATE), RELEASE)
    for _ in range(40):
        heart.beat()
        world.clock.sleep(0.5)
    beating = world.record().in_flight
    assert beating
    assert beating.beat == OURS.beat + 4
    assert beating.seen_at == "2026-11-22T12:00:15Z"
    assert not heart.lost


def test_by_hand_there_is_nothing_to_keep_alive(world: World) -> None:
    Heartbeat(context_of(world), RELEASE).beat()
    assert not world.asked("PutItem")
    assert not world.asked("GetItem")


def test_another_updates_flight_is_not_kept_alive_by_us(world: World) -> None:
    world.remember(dataclasses.replace(ONGOING, in_flight=flight()))
    said = io.StringIO()
    heart = Heartbeat(context_of(world, UPDATE, said), RELEASE)
    for _ in range(5):
        heart.beat()
        world.clock.sleep(6)
    assert world.record().in_flight == flight()
    assert "ben on elsewhere" in heart.lost
    assert said.getvalue().count("no longer the one in flight") == 1, "once is enough"


def test_an_update_that_was_taken_over_notices_it_when_the_other_has_ended_too(world: World) -> None:
    heart = Heartbeat(context_of(world, UPDATE), RELEASE)
    heart.beat()
    world.remember(dataclasses.replace(ONGOING, in_flight=None))
    world.clock.sleep(6)
    heart.beat()
    assert heart.lost


def test_an_update_whose_claim_is_gone_at_its_first_look_was_taken_over(world: World) -> None:
    """A rollback can begin and end between the guard and the migration."""
    world.remember(PAST)
    heart = Heartbeat(context_of(world, UPDATE), RELEASE)
    heart.beat()
    assert "it was taken over, by what has ended since" in heart.lost


@pytest.mark.parametrize(
    "raised",
    [
        EndpointConnectionError(endpoint_url="https://dynamodb"),
        Refused("AccessDeniedException", "not authorized to perform dynamodb:GetItem"),
        Refused("ResourceNotFoundException"),
    ],
    ids=["network", "permission", "table"],
)
def test_a_record_that_cannot_be_reached_stops_nothing(world: World, raised: BaseException) -> None:
    def fail() -> None:
        raise raised

    world.before["GetItem"] = fail
    said = io.StringIO()
    context = context_of(world, UPDATE, said)
    heart = Heartbeat(context, RELEASE)
    for _ in range(20):
        heart.beat()
        world.clock.sleep(1)
    assert said.getvalue().count("the release memory does not know") == 1, "it is said, and not at every look"
    assert len(world.asked("GetItem")) == 1, "and not asked for at every look"
    assert not heart.lost, "nobody is known to have taken over"
    assert record_verdict(context, RELEASE, verdict=LIVE) is None


def test_a_release_that_is_live_is_one_to_return_to(world: World) -> None:
    record = verdict(world, LIVE)
    newest = record.releases[0]
    assert record.in_flight is None
    assert (newest.verdict, newest.task_definition, newest.ended_at) == (LIVE, NEW, "2026-11-22T12:00:00Z")
    assert record.live is newest


@pytest.mark.parametrize("kind", [FAILED, ROLLED_BACK])
def test_a_release_that_is_not_live_is_remembered_with_its_cause(world: World, kind: str) -> None:
    record = verdict(world, kind, cause="tasks crash: exit code 3 " + "x" * 1000)
    newest = record.releases[0]
    assert record.in_flight is None
    assert newest.verdict == kind
    assert newest.cause.startswith("tasks crash: exit code 3")
    assert len(newest.cause) < 520, "the record must stay small"
    assert not newest.verified_at
    assert record.live == PAST.releases[0]


class TestTheLiveReleaseOnceMore:
    """The same digest deployed again: with the same task definition, or with another configuration."""

    @pytest.fixture
    def world(self) -> World:
        world = World()
        world.remember(Record(releases=(was_live(RELEASE, 30, OLD), *PAST.releases), in_flight=OURS))
        return world

    def test_it_is_no_second_release_and_its_date_is_renewed(self, world: World) -> None:
        record = verdict(world, LIVE, task_definition=OLD)
        assert len(record.releases) == 3
        assert record.releases[0] == dataclasses.replace(was_live(RELEASE, 30, OLD), verified_at="2026-11-22T12:00:00Z")
        assert record.in_flight is None

    def test_another_configuration_is_a_release_of_its_own(self, world: World) -> None:
        record = verdict(world, LIVE)
        assert [item.task_definition for item in record.releases[:2]] == [NEW, OLD]
        assert all(item.good for item in record.releases[:2])
        assert record.releases[0].who == "ben"

    def test_a_bad_configuration_takes_nothing_from_the_good_one(self, world: World) -> None:
        record = verdict(world, FAILED, cause="tasks crash")
        assert [(item.verdict, item.task_definition) for item in record.releases[:2]] == [(FAILED, NEW), (LIVE, OLD)]

    def test_that_it_does_not_serve_just_now_does_not_make_it_bad(self, world: World) -> None:
        record = verdict(world, FAILED, cause="/readyz: the database is lost", task_definition=OLD)
        assert record.releases[0] == was_live(RELEASE, 30, OLD)
        assert record.in_flight is None

    def test_that_ecs_took_it_back_does(self, world: World) -> None:
        record = verdict(world, ROLLED_BACK, cause="an alarm", task_definition=OLD)
        assert (record.releases[0].verdict, record.releases[0].cause) == (ROLLED_BACK, "an alarm")


class TestAnUpdateThatWasTakenOver:
    """It was thought dead, or a person overruled it, and it comes to its end all the same."""

    def test_it_ends_nobody_elses_flight(self, world: World) -> None:
        world.remember(dataclasses.replace(ONGOING, in_flight=flight("sha256:" + "d" * 64)))
        assert verdict(world, LIVE).in_flight == flight("sha256:" + "d" * 64)

    def test_it_served_after_all(self, world: World) -> None:
        failed = Release(digest=RELEASE, verdict=FAILED, cause="interrupted")
        world.remember(Record(releases=(failed,)))
        assert verdict(world, LIVE).releases[0].verdict == LIVE

    def test_it_does_not_overrule_a_persons_decision(self, world: World) -> None:
        decided = Release(digest=RELEASE, verdict=ROLLED_BACK, cause="by hand by eva: errors")
        world.remember(Record(releases=(decided,)))
        assert verdict(world, FAILED, cause="replaced by another deployment").releases == (decided,)

    def test_it_makes_no_release_of_its_own(self, world: World) -> None:
        world.remember(Record(releases=(was_live(OLD_RELEASE, 30, OLD),), in_flight=flight()))
        assert verdict(world, LIVE, digest=OLD_RELEASE).releases == (was_live(OLD_RELEASE, 30, OLD),)
        assert verdict(world, LIVE).releases == (was_live(OLD_RELEASE, 30, OLD),)


def test_what_a_rollback_stopped_is_forgotten_once_an_update_is_live(world: World) -> None:
    """The update has set how many tasks each process has: a later rollback must start nothing for an older one."""
    world.remember(dataclasses.replace(ONGOING, stopped={"indexer": 3}))
    assert verdict(world, FAILED, cause="tasks crash").stopped == {"indexer": 3}, "it may not have come as far"
    world.remember(dataclasses.replace(ONGOING, stopped={"indexer": 3}))
    assert verdict(world, LIVE).stopped == {}
