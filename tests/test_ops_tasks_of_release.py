"""Finding the task definition of one release: never another release's, however new."""

from __future__ import annotations

import pytest

from ops.errors import CannotAct
from ops.tasks_of_release import MOST_LOOKED_AT, newest_of_release, serving_digest
from tests.ops_fakes.account import BASE_TIME, OLD_RELEASE, RELEASE
from tests.ops_fakes.context import context_of
from tests.ops_fakes.world import World, connect

FAMILY = "pactum-staging-shell"


@pytest.fixture
def world() -> World:
    world = World()
    for revision, release in enumerate((OLD_RELEASE, OLD_RELEASE, RELEASE), start=1):
        world.define("shell", revision, release=release)
    return world


def found(world: World, digest: str) -> str:
    definition = newest_of_release(connect(world).ecs, FAMILY, "shell", digest)
    return definition["taskDefinitionArn"].rpartition("/")[2] if definition else ""


def test_it_is_the_newest_of_that_release(world: World) -> None:
    assert found(world, OLD_RELEASE) == f"{FAMILY}:2"
    assert found(world, RELEASE) == f"{FAMILY}:3"


def test_one_that_ecs_no_longer_starts_is_passed_over(world: World) -> None:
    next(item for item in world.definitions.values() if item["revision"] == 2)["status"] = "INACTIVE"
    assert found(world, OLD_RELEASE) == f"{FAMILY}:1"


def test_the_image_says_it_where_the_environment_does_not(world: World) -> None:
    other = "sha256:" + "d" * 64
    arn = world.define("shell", 4, release="")
    world.definitions[arn]["containerDefinitions"][0]["image"] = f"registry/pactum@{other}"
    assert found(world, other) == f"{FAMILY}:4"


def test_none_of_it_is_nothing_and_not_the_newest(world: World) -> None:
    assert found(world, "sha256:" + "e" * 64) == ""
    assert found(world, "") == ""


def test_one_that_was_there_by_then_is_preferred(world: World) -> None:
    """The same image may have been configured otherwise since."""
    for revision, minute in ((1, 10), (2, 40)):
        world.definitions[world.define("shell", revision, release=OLD_RELEASE)] |= {
            "registeredAt": BASE_TIME.replace(minute=minute)
        }

    def by(minute: int) -> str:
        moment = BASE_TIME.replace(minute=minute)
        definition = newest_of_release(connect(world).ecs, FAMILY, "shell", OLD_RELEASE, by=moment)
        return definition["taskDefinitionArn"].rpartition("/")[2] if definition else ""

    assert by(40) == by(50) == f"{FAMILY}:2"
    assert by(20) == f"{FAMILY}:1"
    assert found(world, OLD_RELEASE) == f"{FAMILY}:2"
    assert by(5) == f"{FAMILY}:2", "a process that came later, with the same image, knows the image's code"


def test_it_is_looked_for_on_every_page_of_the_family(world: World) -> None:
    for revision in range(4, 4 + 120):
        world.define("shell", revision, release=RELEASE)
    assert found(world, OLD_RELEASE) == f"{FAMILY}:2"


def test_the_search_has_an_end_and_what_it_did_not_come_to_is_not_said_to_be_missing(world: World) -> None:
    for revision in range(4, 2 + MOST_LOOKED_AT):
        world.define("shell", revision, release=RELEASE)
    assert found(world, OLD_RELEASE) == f"{FAMILY}:2", "the last that is looked at"
    world.define("shell", 2 + MOST_LOOKED_AT, release=RELEASE)
    world.calls.clear()
    with pytest.raises(CannotAct, match=f"among the newest {MOST_LOOKED_AT} revisions of family {FAMILY}"):
        found(world, OLD_RELEASE)
    assert len(world.asked("DescribeTaskDefinition")) == MOST_LOOKED_AT


def test_a_family_of_exactly_as_many_as_are_looked_at_does_not_have_it(world: World) -> None:
    for revision in range(4, 1 + MOST_LOOKED_AT):
        world.define("shell", revision, release=RELEASE)
    assert found(world, "sha256:" + "e" * 64) == ""


def test_what_serves_is_what_the_service_is_told_to_run(world: World) -> None:
    assert serving_digest(context_of(world)) == "", "without a service nothing serves"
    world.serve(world.deployment(world.define("web", 1, release=OLD_RELEASE), "COMPLETED"))
    assert serving_digest(context_of(world)) == OLD_RELEASE
