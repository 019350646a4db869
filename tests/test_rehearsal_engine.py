"""What the rehearsal's engine makes, updates, leaves alone and refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from rehearsal import program
from rehearsal.engine import Engine, ResourceError, plain
from rehearsal.errors import RehearsalError
from rehearsal.realisers.realiser import Made, Realiser
from rehearsal.state import State, differing
from tests.rehearsal_fakes import FakeCloud, engine_with, fake_tools, written

if TYPE_CHECKING:
    from pathlib import Path

    from rehearsal.realisers.tools import Tools
    from rehearsal.state import Properties

SECONDS = 30
ONE = 'pulumi.export("arn", Thing("one", size=1).given)\n'


def test_a_program_runs_twice_in_one_process_and_the_second_changes_nothing(tmp_path: Path) -> None:
    cloud, state = FakeCloud(), State()
    loaded = written(tmp_path, ONE)
    assert program.run(loaded, engine_with(cloud, state), timeout_seconds=SECONDS) == {"arn": "arn:one"}
    second = engine_with(cloud, state)
    assert program.run(loaded, second, timeout_seconds=SECONDS) == {"arn": "arn:one"}, "outputs come from the state"
    assert second.tally.changed == 0, "unchanged inputs touch nothing"
    assert len(cloud.created) == 1, "the thing must not be made twice"


def test_a_changed_input_is_an_update_that_keeps_the_physical_name(tmp_path: Path) -> None:
    cloud, state = FakeCloud(), State()
    program.run(written(tmp_path, ONE), engine_with(cloud, state), timeout_seconds=SECONDS)
    second = engine_with(cloud, state)
    program.run(written(tmp_path, ONE.replace("size=1", "size=2")), second, timeout_seconds=SECONDS)
    assert second.tally.updated == {"fake:index:Thing": 1}, "one thing was updated"
    assert second.tally.reasons == ["fake:index:Thing one: size"], "a person wants to know what changed"
    assert cloud.updated[0]["name"] == cloud.created[0]["name"], "an auto-name is given once"


def test_a_change_nobody_rehearses_asks_for_a_fresh_rehearsal(tmp_path: Path) -> None:
    cloud, state = FakeCloud(updatable=False), State()
    program.run(written(tmp_path, ONE), engine_with(cloud, state), timeout_seconds=SECONDS)
    with pytest.raises(RehearsalError, match=r"one: its input size changed.*\n.*fresh rehearsal"):
        program.run(
            written(tmp_path, ONE.replace("size=1", "size=2")), engine_with(cloud, state), timeout_seconds=SECONDS
        )


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ('"one", size=1, count=2', '"one", size=1', "count"),
        ('"one", size=1', '"one", size=1, polish=True', "polish"),
    ],
    ids=["an input is removed", "an input without effect"],
)
def test_an_update_never_claims_a_change_it_does_not_carry_out(
    tmp_path: Path, before: str, after: str, named: str
) -> None:
    cloud, state = FakeCloud(), State()
    program.run(written(tmp_path, f"Thing({before})\n"), engine_with(cloud, state), timeout_seconds=SECONDS)
    with pytest.raises(RehearsalError, match=rf"one: its input {named} changed.*\n.*fresh rehearsal"):
        program.run(written(tmp_path, f"Thing({after})\n"), engine_with(cloud, state), timeout_seconds=SECONDS)
    assert not cloud.updated, "half of an update is no update"


def test_an_input_that_an_update_can_remove_is_removed(tmp_path: Path) -> None:
    cloud, state = FakeCloud(), State()
    program.run(written(tmp_path, ONE), engine_with(cloud, state), timeout_seconds=SECONDS)
    program.run(written(tmp_path, ONE.replace(", size=1", "")), engine_with(cloud, state), timeout_seconds=SECONDS)
    assert len(cloud.updated) == 1


def test_an_update_starts_from_what_is_there_now(tmp_path: Path) -> None:
    cloud, state = FakeCloud(), State()
    program.run(written(tmp_path, ONE), engine_with(cloud, state), timeout_seconds=SECONDS)
    cloud.present = {"size": 7}
    second = engine_with(cloud, state)
    program.run(written(tmp_path, ONE), second, timeout_seconds=SECONDS)
    assert second.tally.changed == 1, "`refresh: always`: what ECS rolled back must be put right again"


def test_an_ignored_change_stays_as_it_is_there(tmp_path: Path) -> None:
    body = 'Thing("one", size=1, count=2, opts=pulumi.ResourceOptions(ignore_changes=["count"]))\n'
    cloud, state = FakeCloud(), State()
    program.run(written(tmp_path, body), engine_with(cloud, state), timeout_seconds=SECONDS)
    cloud.present = {"count": 5}
    second = engine_with(cloud, state)
    program.run(written(tmp_path, body), second, timeout_seconds=SECONDS)
    assert second.tally.changed == 0, "autoscaling's count is no change of the program"
    third = engine_with(cloud, state)
    program.run(written(tmp_path, body.replace("size=1", "size=3")), third, timeout_seconds=SECONDS)
    assert cloud.updated[0]["count"] == 5, "an update for another reason keeps the count it finds"


def test_a_resource_that_left_the_program_asks_for_a_fresh_rehearsal(tmp_path: Path) -> None:
    cloud, state = FakeCloud(), State()
    program.run(written(tmp_path, ONE), engine_with(cloud, state), timeout_seconds=SECONDS)
    with pytest.raises(RehearsalError, match="one: the program no longer has it"):
        program.run(written(tmp_path, ""), engine_with(cloud, state), timeout_seconds=SECONDS)


def test_a_resource_that_left_the_program_is_deleted_where_that_is_rehearsed(tmp_path: Path) -> None:
    cloud, state, deleted = FakeCloud(), State(), list[str]()
    program.run(written(tmp_path, ONE), engine_with(cloud, state), timeout_seconds=SECONDS)
    realiser = replace(cloud.find(""), delete=lambda _, gone: deleted.append(gone.id))
    engine = Engine(tools=fake_tools(), state=state, find=lambda _: realiser)
    program.run(written(tmp_path, ""), engine, timeout_seconds=SECONDS)
    assert (deleted, dict(engine.tally.deleted)) == (["id-of-one"], {"fake:index:Thing": 1})
    assert not state.resources, "the next update would delete it again"


def test_an_unknown_type_is_an_error_that_says_where_to_add_it(tmp_path: Path) -> None:
    loaded = written(tmp_path, 'Thing("robot", kind="aws:robots/robot:Robot")\n')
    with pytest.raises(ResourceError) as raised:
        program.run(loaded, Engine(tools=fake_tools(), state=State()), timeout_seconds=SECONDS)
    assert "does not know the resource type `aws:robots/robot:Robot`" in str(raised.value), "never an echo"
    assert "rehearsal/realisers/" in str(raised.value), "the reader must know where to go"


def test_an_unmapped_input_is_an_error_already_in_a_preview(tmp_path: Path) -> None:
    loaded = written(tmp_path, 'Thing("one", size=1, colour="red")\n')
    with pytest.raises(ResourceError, match="fake:index:Thing one: the rehearsal does not know its input `colour`"):
        program.run(loaded, engine_with(FakeCloud(), preview=True), timeout_seconds=SECONDS)


def test_an_input_that_is_not_rehearsed_is_accepted_and_listed(tmp_path: Path) -> None:
    engine = engine_with(FakeCloud())
    program.run(written(tmp_path, 'Thing("one", polish=True)\n'), engine, timeout_seconds=SECONDS)
    assert engine.not_rehearsed == {"fake:index:Thing.polish": "nobody looks"}, "nothing is dropped silently"


def test_a_declared_type_is_made_nowhere_and_listed(tmp_path: Path) -> None:
    cloud = FakeCloud()
    engine = engine_with(cloud)
    kind = "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration"
    program.run(written(tmp_path, f'Thing("query", kind="{kind}", query="q")\n'), engine, timeout_seconds=SECONDS)
    assert list(engine.declared) == [kind], "the report must say that it was not rehearsed"
    assert not cloud.created, "a declared type is made nowhere"


def test_a_preview_makes_nothing_and_leaves_outputs_unknown(tmp_path: Path) -> None:
    cloud = FakeCloud()
    body = ONE + 'Thing("two", size=Thing("three", size=3).given)\n'
    engine = engine_with(cloud, preview=True)
    assert program.run(written(tmp_path, body), engine, timeout_seconds=SECONDS) == {"arn": program.UNKNOWN}
    assert (len(engine.seen), cloud.created) == (3, []), "all three are looked at, none is made"


def test_the_first_resource_that_fails_is_what_a_person_sees(tmp_path: Path) -> None:
    body = 'bad = Thing("bad", size="broken")\nThing("after", size=1, opts=pulumi.ResourceOptions(depends_on=[bad]))\n'
    cloud = FakeCloud()
    with pytest.raises(ResourceError, match=r"^fake:index:Thing bad: ValueError: the cloud refuses broken things"):
        program.run(written(tmp_path, body), engine_with(cloud), timeout_seconds=SECONDS)
    assert not cloud.created, "what depends on a failed resource is never made"


def test_inputs_lose_pulumis_wrapping() -> None:
    wrapped = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": [1.0, 1.5]}
    assert plain({"a": wrapped}) == {"a": [1, 1.5]}, "boto3 wants whole numbers whole, and plain values"


def test_differing_names_added_removed_and_changed_inputs() -> None:
    assert differing({"a": 1, "b": 1, "c": 1}, {"a": 1, "b": 2, "d": 1}) == ["b", "c", "d"]
    assert differing({"a": 1}, {"a": 2}, ignored=["a"]) == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('class P(pulumi.ProviderResource): pass\nP("fake", "other", {})\n', "explicit providers are not rehearsed"),
        ('Thing("old", opts=pulumi.ResourceOptions(import_="i-1"))\n', "importing is not rehearsed"),
        ('Thing("old", opts=pulumi.ResourceOptions(id="i-1"))\n', "reading what exists is not rehearsed"),
        ("pulumi.runtime.register_stack_transform(lambda args: None)\nThing('one')\n", "transforms"),
        ("pulumi.runtime.invoke('fake:index:look', {})\n", "does not know the function `fake:index:look`"),
        (
            (
                "class Remote(pulumi.ComponentResource):\n"
                "    def __init__(self):\n"
                "        super().__init__('other:index:Remote', 'r', {}, None, remote=True)\n"
                "Remote()\n"
            ),
            "components of other packages are not rehearsed",
        ),
    ],
    ids=["provider", "import", "read", "transform", "function", "remote component"],
)
def test_what_is_not_rehearsed_is_refused_and_never_passed_over(tmp_path: Path, body: str, said: str) -> None:
    cloud = FakeCloud()
    with pytest.raises(RehearsalError, match=said):
        program.run(written(tmp_path, body), engine_with(cloud), timeout_seconds=SECONDS)


def test_default_tags_reach_every_resource_that_has_tags(tmp_path: Path) -> None:
    made: list[Properties] = []

    def create(_: Tools, __: str, inputs: Properties) -> Made:
        made.append(inputs)
        return Made(id="1", outputs={})

    realiser = Realiser(create=create, properties=frozenset({"tags"}))
    engine = Engine(
        tools=fake_tools(), state=State(), find=lambda _: realiser, default_tags={"owner": "ana", "stack": "dev"}
    )
    loaded = written(tmp_path, 'Thing("one", kind="aws:fake:One", tags={"stack": "own"})\n')
    program.run(loaded, engine, timeout_seconds=SECONDS)
    assert made == [{"tags": {"owner": "ana", "stack": "own"}}], "a resource's own tag wins, as in the provider"
