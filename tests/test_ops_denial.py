"""Denying an image: by its digest, with a reason, until it is allowed again."""

from __future__ import annotations

import dataclasses
import json

import pytest

from ops.__main__ import main
from ops.release_pruning import MOST_DENIAL_BYTES, MOST_DENIALS
from ops.release_record import Decision, Record
from tests.ops_fakes.account import OLD_RELEASE, RELEASE, Refused
from tests.ops_fakes.releases import OLDER_RELEASE, PAST, flight, was_live
from tests.ops_fakes.world import Outcome, World, run_ops

DENIAL = Decision(who="eva", at="2026-11-22T11:00:00Z", reason="it leaks")
WHY = ("--reason", "500s at checkout")


@pytest.fixture
def world() -> World:
    world = World()
    world.remember(PAST)
    return world


def run(world: World, capsys: pytest.CaptureFixture[str], verb: str, digest: str, *more: str) -> Outcome:
    return run_ops(world, capsys, verb, digest, "--stack", "staging", *more)


@pytest.mark.parametrize("given", [OLD_RELEASE, OLD_RELEASE[7:], "b" * 7, "sha256:" + "b" * 12])
def test_a_release_is_denied_by_its_digest_or_the_first_digits_of_it(
    world: World, capsys: pytest.CaptureFixture[str], given: str
) -> None:
    seen = run(world, capsys, "deny", given, *WHY)
    assert seen.code == 0, seen.err
    expected = Decision(who="tester", at="2026-11-22T12:00:00Z", reason="500s at checkout")
    assert world.record() == dataclasses.replace(PAST, denials={OLD_RELEASE: expected})
    assert f"denied: {OLD_RELEASE}, by tester at 2026-11-22T12:00:00Z: 500s at checkout" in seen.out


def test_an_image_that_was_never_deployed_is_denied_by_its_whole_digest(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(world, capsys, "deny", RELEASE, *WHY).code == 0
    assert RELEASE in world.record().denials


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("aaaaaaaa", "no digest of stack staging"),
        ("bbbbbb", "first 7 or more"),
        ("latest", "is not a digest"),
        ("sha256:", "is not a digest"),
        ("B" * 64, "is not a digest"),
        ("b" * 65, "is not a digest"),
    ],
)
def test_what_names_no_release_is_refused(
    world: World, capsys: pytest.CaptureFixture[str], given: str, told: str
) -> None:
    seen = run(world, capsys, "deny", given, *WHY)
    assert seen.code == 2
    assert told in seen.err
    assert not world.asked("PutItem")


def test_digits_that_several_releases_begin_with_are_refused_with_all_of_them(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    close = "sha256:" + "b" * 20 + "0" * 44
    world.remember(Record(releases=(was_live(close, 40), *PAST.releases)))
    seen = run(world, capsys, "deny", "b" * 20, *WHY)
    assert seen.code == 2
    assert close in seen.err
    assert OLD_RELEASE in seen.err
    assert run(world, capsys, "deny", "b" * 21, *WHY).code == 0


def test_one_image_deployed_twice_is_one_digest(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.remember(Record(releases=(was_live(OLD_RELEASE, 40), *PAST.releases)))
    assert run(world, capsys, "deny", "b" * 8, *WHY).code == 0


def test_a_denial_needs_a_reason() -> None:
    with pytest.raises(SystemExit) as ended:
        main(["deny", OLD_RELEASE, "--stack", "staging"])
    assert ended.value.code == 2


def test_denying_the_live_release_says_that_it_goes_on_serving(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "goes on serving" in run(world, capsys, "deny", OLD_RELEASE, *WHY).out
    assert "goes on serving" not in run(world, capsys, "deny", OLDER_RELEASE, *WHY).out


def test_what_serves_is_what_ecs_says(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """The record may not know it: somebody deployed past it, or its verdict was red."""
    world.serve(world.deployment(world.define("web", 3, release=RELEASE), "COMPLETED"))
    assert "goes on serving" in run(world, capsys, "deny", RELEASE, *WHY).out
    assert "goes on serving" not in run(world, capsys, "deny", OLD_RELEASE, *WHY).out


def test_an_ecs_that_cannot_be_asked_keeps_nothing_from_being_denied(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    def denied() -> None:
        raise Refused("AccessDeniedException")

    world.before["DescribeServices"] = denied
    seen = run(world, capsys, "deny", OLD_RELEASE, *WHY)
    assert seen.code == 0
    assert "goes on serving" in seen.out, "as far as is known"


def test_denying_what_is_being_deployed_says_that_it_is_not_stopped_and_what_stops_it(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.remember(dataclasses.replace(PAST, in_flight=flight()))
    seen = run(world, capsys, "deny", RELEASE, *WHY)
    assert "it is not stopped: ben on elsewhere has been deploying" in seen.out
    assert "ops rollback --stack staging --interrupt` stops it" in seen.out
    assert world.record().in_flight == flight()
    assert "not stopped" not in run(world, capsys, "deny", OLDER_RELEASE, *WHY).out


@pytest.mark.parametrize("reason", ["short", "x" * 500])
def test_there_is_an_end_to_how_many_are_denied(world: World, capsys: pytest.CaptureFixture[str], reason: str) -> None:
    """The record is one item of limited size, and a denial is never forgotten to make room."""
    denials: dict[str, Decision] = {}
    for number in range(MOST_DENIALS):
        at = f"2026-11-22T11:{59 - number % 60:02}:{number // 60:02}Z"
        denials[f"sha256:{number:064}"] = Decision(who="eva", at=at, reason=reason)
    if reason != "short":
        denials = dict(list(denials.items())[: MOST_DENIAL_BYTES // 600])
    full = dataclasses.replace(PAST, denials=denials)
    world.remember(full)
    oldest = min(denials, key=lambda digest: denials[digest].at)
    seen = run(world, capsys, "deny", RELEASE, *WHY)
    assert seen.code == 1
    assert "are denied already" in seen.err
    assert oldest in seen.err
    assert world.record() == full
    assert run(world, capsys, "deny", oldest, *WHY).code == 0, "what is denied stays denied, and that is no failure"
    assert run(world, capsys, "allow", oldest).code == 0
    if reason == "short":
        assert run(world, capsys, "deny", RELEASE, *WHY).code == 0


def test_a_second_denial_with_another_reason_replaces_the_first_and_says_so(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.remember(dataclasses.replace(PAST, denials={RELEASE: DENIAL}))
    seen = run(world, capsys, "deny", RELEASE, *WHY)
    assert seen.code == 0
    assert "by tester at 2026-11-22T12:00:00Z: 500s at checkout; this replaces the denial by eva at" in seen.out
    assert world.record().denials[RELEASE].reason == "500s at checkout"


def test_a_longer_reason_is_refused_where_denials_are_full(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """The record is one item of limited size."""
    denials = {
        f"sha256:{number:064}": Decision(who="eva", at=f"2026-11-22T11:{number % 60:02}:00Z", reason="x" * 500)
        for number in range(MOST_DENIAL_BYTES // 600)
    }
    denials[RELEASE] = DENIAL
    world.remember(dataclasses.replace(PAST, denials=denials))
    assert run(world, capsys, "deny", RELEASE, "--reason", "y" * 400).code == 1
    assert world.record().denials == denials


def test_a_second_denial_with_the_same_reason_leaves_the_first_as_it_is_and_shows_it(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.remember(dataclasses.replace(PAST, denials={RELEASE: DENIAL}))
    seen = run(world, capsys, "deny", RELEASE, "--reason", DENIAL.reason)
    assert seen.code == 0
    assert "denied already, by eva at 2026-11-22T11:00:00Z: it leaks" in seen.out
    assert world.record().denials == {RELEASE: DENIAL}


@pytest.mark.parametrize("given", [RELEASE, "a" * 8])
def test_allow_undoes_it_and_nothing_else(world: World, capsys: pytest.CaptureFixture[str], given: str) -> None:
    world.remember(dataclasses.replace(PAST, denials={RELEASE: DENIAL, OLD_RELEASE: DENIAL}))
    seen = run(world, capsys, "allow", given, "--json")
    assert json.loads(seen.out)["lifted"]["reason"] == "it leaks"
    assert world.record() == dataclasses.replace(PAST, denials={OLD_RELEASE: DENIAL})


def test_allowing_what_is_not_denied_is_no_failure(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    seen = run(world, capsys, "allow", RELEASE)
    assert (seen.code, world.asked("PutItem")) == (0, [])
    assert "was not denied" in seen.out


@pytest.mark.parametrize("command", [("deny", OLD_RELEASE, *WHY), ("allow", RELEASE)], ids=["deny", "allow"])
def test_a_dry_run_changes_nothing(world: World, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]) -> None:
    world.remember(dataclasses.replace(PAST, denials={RELEASE: DENIAL}))
    verb, digest, *more = command
    seen = run(world, capsys, verb, digest, *more, "--dry-run")
    assert seen.code == 0
    assert "would" in seen.out
    assert not world.asked("PutItem")
