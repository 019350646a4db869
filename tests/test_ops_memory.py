"""The release memory: written under a condition, so that no writer undoes another's change."""

from __future__ import annotations

import dataclasses
import threading
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import EndpointConnectionError

from ops.errors import CannotAct, OpsError
from ops.release_memory import TRIES, Memory
from ops.release_pruning import MOST_RELEASES
from ops.release_record import Decision, Record, Release
from tests.ops_fakes.account import Refused
from tests.ops_fakes.context import context_of
from tests.ops_fakes.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

TABLE = ("pactum-staging-releases", "staging")


def adding(digest: str) -> Callable[[Record], Record]:
    return lambda record: dataclasses.replace(record, releases=(Release(digest=digest), *record.releases))


def digests(world: World) -> list[str]:
    return [release.digest for release in world.record().releases]


def test_a_stack_nothing_was_written_of_yet_has_an_empty_record() -> None:
    assert Memory(context_of(World())).read() == Record()


def test_what_was_written_is_read_back() -> None:
    world = World()
    Memory(context_of(world)).change(adding("one"))
    Memory(context_of(world)).change(adding("two"))
    assert [item.digest for item in Memory(context_of(world)).read().releases] == ["two", "one"]


def test_a_change_that_changes_nothing_is_not_written() -> None:
    world = World()
    Memory(context_of(world)).change(lambda record: record)
    assert not world.asked("PutItem")


@pytest.mark.parametrize("first", [True, False], ids=["first write", "later write"])
def test_two_writers_that_read_the_same_version_both_get_their_change_in(first: bool) -> None:
    """Both have read before either writes: without a condition on the write, one change is lost."""
    world = World()
    if not first:
        world.remember(Record(releases=(Release(digest="old"),)))
    both_have_read = threading.Barrier(2, timeout=20)
    reads = iter(range(100))

    def meet() -> None:
        if next(reads) < 2:
            both_have_read.wait()

    world.after_read = meet
    context = context_of(world)
    threads = [threading.Thread(target=Memory(context).change, args=(adding(name),)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert sorted(digests(world)) == sorted(["one", "two", *([] if first else ["old"])])
    assert len(world.asked("PutItem")) == 3, "one of the two was refused and made its change again"


def test_many_writers_at_once_lose_nothing() -> None:
    world = World()
    context = context_of(world)

    def write(writer: int) -> None:
        for number in range(5):
            Memory(context, tries=1000).change(adding(f"{writer}.{number}"))

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(digests(world)) == sorted(f"{writer}.{number}" for writer in range(6) for number in range(5))
    assert world.items[TABLE]["version"] == {"N": "30"}


def test_a_change_is_made_again_on_what_another_writer_left() -> None:
    """A refusal is decided on the newest record, too: a hold put on in between counts."""
    world = World()
    world.remember(Record())
    hold = Decision(who="ana", at="now", reason="stop")
    reads = iter(range(10))
    world.after_read = lambda: world.remember(Record(hold=hold)) if next(reads) == 0 else None

    def unless_held(record: Record) -> Record:
        if record.hold:
            raise OpsError("held")
        return adding("one")(record)

    with pytest.raises(OpsError, match="held"):
        Memory(context_of(world)).change(unless_held)
    assert not digests(world)


def test_what_is_written_is_kept_small() -> None:
    world = World()
    many = tuple(Release(digest=str(number)) for number in range(MOST_RELEASES))
    world.remember(Record(releases=many))
    written = Memory(context_of(world)).change(adding("new"))
    assert written == world.record()
    assert digests(world) == ["new", *(str(number) for number in range(MOST_RELEASES - 1))]


def test_a_writer_that_never_gets_its_turn_gives_up_and_says_so() -> None:
    world = World()
    world.after_read = lambda: world.remember(adding("other")(world.record()))
    with pytest.raises(OpsError, match=f"changed by others {TRIES} times"):
        Memory(context_of(world)).change(adding("one"))
    assert 1 < world.clock.time < 60, "it waits between its tries, and not for ever"


def test_a_write_whose_answer_was_lost_is_not_made_twice() -> None:
    """The SDK repeats the request then, and DynamoDB refuses it because of our own first one."""
    world = World()

    def lose() -> None:
        world.after_write = lambda: None
        raise Refused("ConditionalCheckFailedException", "The conditional request failed")

    world.after_write = lose
    Memory(context_of(world)).change(adding("one"))
    assert digests(world) == ["one"]


def test_a_missing_table_is_named_with_what_makes_it() -> None:
    with pytest.raises(CannotAct, match=r"(?s)no DynamoDB table pactum-staging-releases .*pulumi up"):
        Memory(context_of(World(records_exist=False))).read()


def test_a_table_made_seconds_ago_is_waited_for_where_that_can_be() -> None:
    world = World(records_exist=False)
    world.clock.at(4, lambda: setattr(world, "records_exist", True))
    assert Memory(context_of(world), missing_patience_seconds=10).read() == Record()
    world.records_exist = False
    with pytest.raises(CannotAct):
        Memory(context_of(world), missing_patience_seconds=10).read()
    assert world.clock.time == pytest.approx(14, abs=2), "but not for ever"


def test_a_new_table_that_is_known_to_reads_and_not_yet_to_writes_is_waited_for() -> None:
    world = World()

    def not_yet() -> None:
        if world.clock.time < 4:
            raise Refused("ResourceNotFoundException")

    world.before["PutItem"] = not_yet
    Memory(context_of(world), missing_patience_seconds=10).change(adding("one"))
    assert digests(world) == ["one"]
    world.clock.time = 0
    with pytest.raises(CannotAct, match="no DynamoDB table"):
        Memory(context_of(world)).change(adding("two"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ('{"format": 2}', "format 2"),
        ('{"format": "new"}', "format 'new'"),
        ('{"releases": {}}', "no list"),
        ('{"releases": [{"commit": "c"}]}', "digest"),
        ('{"releases": [{"digest": "d", "migrations": 3}]}', "migrations"),
        ('{"releases": [{"digest": "d", "verified_at": null}]}', "verified_at of Release is NoneType"),
        ('{"denials": []}', "no object"),
        ('{"hold": "yes"}', "Decision"),
    ],
)
def test_a_record_that_cannot_be_read_is_told_where_it_is_and_never_overwritten(text: str, told: str) -> None:
    world = World()
    world.remember(Record())
    world.items[TABLE]["record"] = {"S": text}
    with pytest.raises(CannotAct) as caught:
        Memory(context_of(world)).change(adding("one"))
    assert told in str(caught.value)
    assert "item staging of table pactum-staging-releases" in str(caught.value)
    assert not world.asked("PutItem"), "what we cannot read may be all there is"


def test_an_item_without_a_version_is_told_too() -> None:
    world = World()
    world.remember(Record())
    del world.items[TABLE]["version"]
    with pytest.raises(CannotAct, match="cannot be read"):
        Memory(context_of(world)).read()


def test_errors_of_the_network_are_not_taken_for_a_conflict() -> None:
    world = World()

    def unplug() -> None:
        raise EndpointConnectionError(endpoint_url="https://dynamodb")

    world.before["PutItem"] = unplug
    with pytest.raises(EndpointConnectionError):
        Memory(context_of(world)).change(adding("one"))
    assert len(world.asked("PutItem")) == 1
