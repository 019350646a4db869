"""The lock of a stack's state: shown to whoever asks, freed only when told to, and nothing but it."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import pytest

from ops.release_record import Record
from tests.ops_fakes.pulumi_state import (
    BACKEND,
    BUCKET,
    GOOD,
    LOCK,
    LOCKS,
    MEDIA,
    MIGRATE,
    SERVICE,
    STATE,
    VALUE,
    ask,
    lock,
    state,
    world_with,
)
from tests.ops_fakes.releases import flight
from tests.ops_fakes.world import run_ops
from tests.recorder import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def test_a_lock_is_shown_with_its_holder_age_and_the_way_out_and_left_as_it_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    world = world_with(held=lock(), state=GOOD)
    seen = ask(world, capsys)
    assert seen.code == 1, "no update can begin"
    assert "root@runner-7, process 3367, since 2026-11-22T11:45:13Z (14 min ago)" in seen.out
    assert "another machine's" in seen.out
    assert "python -m ops state --stack staging --yes" in seen.out
    assert 'docs/releases.md, "An interrupted update"' in seen.out
    assert (BUCKET, LOCK) in world.objects
    assert not world.asked("DeleteObject")


def test_a_stack_that_nobody_holds_is_no_failure_and_nothing_is_freed(capsys: pytest.CaptureFixture[str]) -> None:
    world = world_with(state=GOOD)
    for options in ((), ("--yes",)):
        seen = ask(world, capsys, *options)
        assert (seen.code, world.asked("DeleteObject")) == (0, [])
        assert "is not locked" in seen.out


def test_freeing_says_what_it_removes_and_what_comes_next(capsys: pytest.CaptureFixture[str]) -> None:
    world = world_with(held=lock(), state=GOOD)
    seen = ask(world, capsys, "--yes")
    assert seen.code == 0, seen.err
    assert f"deleted {LOCK}" in seen.out
    assert "stack staging of project pactum is free; go on as docs/releases.md" in seen.out
    assert world.asked("DeleteObject") == [{"Bucket": BUCKET, "Key": LOCK}]
    assert list(world.objects) == [(BUCKET, STATE)], "the lock, and nothing else"


def test_a_dry_run_frees_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    world = world_with(held=lock(), state=GOOD)
    seen = ask(world, capsys, "--yes", "--dry-run", "--json")
    answer = json.loads(seen.out)
    assert (seen.code, answer["dry_run"], answer["freed"]) == (0, True, [])
    assert f"would delete {LOCK}" in seen.err
    assert (BUCKET, LOCK) in world.objects


def test_another_stacks_lock_is_neither_shown_nor_freed(capsys: pytest.CaptureFixture[str]) -> None:
    """`staging-eu` begins as `staging` does."""
    world = world_with(state=GOOD)
    others = [(BUCKET, f"{LOCKS}-eu/1.json"), (BUCKET, ".pulumi/locks/organization/shop/staging/1.json")]
    world.objects |= dict.fromkeys(others, lock())
    assert ask(world, capsys, "--yes").code == 0
    assert set(others) <= set(world.objects)


def test_a_lock_that_came_after_the_look_is_not_freed_and_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """It is somebody's who was not asked about."""
    world = world_with(held=lock(), state=GOOD)
    newer = (BUCKET, f"{LOCKS}/newer.json")
    world.before["DeleteObject"] = lambda: world.objects.update({newer: lock(host="laptop")})
    seen = ask(world, capsys, "--yes")
    assert seen.code == 1
    assert "was freed, and is locked again: root@laptop" in seen.err
    assert list(world.objects) == [(BUCKET, STATE), newer]


def test_several_locks_are_all_shown_the_oldest_first_and_freed(capsys: pytest.CaptureFixture[str]) -> None:
    """Two that came at the same moment and were both killed; more of them than S3 lists at once."""
    more = {f"{LOCKS}/{9 - number}.json": lock(at=f"2026-11-22T11:0{number}:00Z") for number in (3, 1, 2)}
    world = world_with(held=lock(), state=GOOD, **more)
    seen = ask(world, capsys, "--yes", "--json")
    told = [each["since"] for each in json.loads(seen.out)["locks"]]
    assert told == [*(f"2026-11-22T11:0{number}:00Z" for number in (1, 2, 3)), "2026-11-22T11:45:13Z"]
    assert list(world.objects) == [(BUCKET, STATE)]


def test_a_lock_that_was_cut_short_is_shown_and_freed(capsys: pytest.CaptureFixture[str]) -> None:
    """Pulumi itself ends with an error over it, at every update."""
    for content in (b"", b"[]", b'{"pid": "x"}', b'{"pid": 1, "username": 2, "hostname": "h", "timestamp": "soon"}'):
        world = world_with(held=content, state=GOOD)
        assert "cannot be read, so who wrote it is unknown" in ask(world, capsys).out
        assert ask(world, capsys, "--yes").code == 0
        assert (BUCKET, LOCK) not in world.objects


def test_an_update_that_ends_while_it_is_looked_at_has_no_lock(capsys: pytest.CaptureFixture[str]) -> None:
    world = world_with(held=lock(), state=GOOD)
    world.before["GetObject"] = lambda: world.objects.pop((BUCKET, LOCK), None)
    seen = ask(world, capsys)
    assert (seen.code, "is not locked" in seen.out) == (0, True)


def test_what_a_lock_says_cannot_steer_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    said = {"pid": 7, "username": "a\x1b[2Jb", "hostname": "c\x1b[2Jd", "timestamp": "2026-11-22T11:45:13Z"}
    seen = ask(world_with(held=json.dumps(said).encode(), state=GOOD), capsys)
    assert "a\N{REPLACEMENT CHARACTER}[2Jb@c\N{REPLACEMENT CHARACTER}[2Jd, process 7" in seen.out


def test_what_was_left_half_done_is_told_by_name_never_by_value(capsys: pytest.CaptureFixture[str]) -> None:
    left = (("creating", MEDIA), ("creating", MIGRATE), ("updating", SERVICE))
    world = world_with(held=lock(), state=state(*left))
    for options in ((), ("--json",), ("--yes",)):
        seen = ask(world, capsys, *options)
        assert VALUE not in seen.out + seen.err
        assert f"creating {MEDIA}" in (seen.err if options == ("--json",) else seen.out)
    seen = ask(world, capsys)
    assert f"updating {SERVICE} (the next update looks it up)" in seen.out
    assert f"creating {MIGRATE} (a step of the update, nothing in AWS" in seen.out
    assert "pulumi refresh --stack staging --clear-pending-creates --yes --skip-preview" in seen.out


def test_a_creation_that_a_later_update_has_repeated_is_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    """An update that goes well leaves the mark where it is, and says nothing of it (seen on the real engine)."""
    world = world_with(state=state(("creating", MEDIA), resources=(MEDIA,)))
    seen = ask(world, capsys, "--json")
    (told,) = json.loads(seen.out)["pending_operations"]
    assert (told["operation"], told["made_since"], told["needs_a_person"]) == ("creating", True, True)
    assert "made since by a later update" in seen.err


def test_what_the_next_update_looks_up_by_itself_asks_nobody_to_act(capsys: pytest.CaptureFixture[str]) -> None:
    seen = ask(world_with(state=state(("updating", SERVICE))), capsys)
    assert "clear-pending-creates" not in seen.out


@pytest.mark.parametrize("content", [b"", b"{", b'{"checkpoint": 1}', b"\x1f\x8b"], ids=["empty", "cut", "odd", "gzip"])
def test_a_state_that_cannot_be_read_keeps_no_lock(content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    world = world_with(held=lock(), state=content)
    seen = ask(world, capsys, "--yes", "--json")
    answer = json.loads(seen.out)
    assert (seen.code, answer["pending_operations"], answer["freed"]) == (0, None, [LOCK])
    assert "what was left half done is unknown" in seen.err


def test_a_stack_that_is_not_at_the_backend_is_told_rather_than_called_free(capsys: pytest.CaptureFixture[str]) -> None:
    seen = ask(world_with(), capsys)
    assert seen.code == 2
    assert f"at s3://{BUCKET}?region=us-east-1&awssdk=v2 (PULUMI_BACKEND_URL)" in seen.err
    assert "--backend" in seen.err


def test_what_the_way_out_shows_is_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    """docs/releases.md, "An interrupted update": its examples, line by line."""
    section = (ROOT / "docs/releases.md").read_text().partition("## An interrupted update\n")[2].partition("\n## ")[0]
    examples = [block.partition("```")[0].splitlines() for block in section.split("```console\n")[1:]]
    of_ours = {lines[0].split("-m ops ")[1]: lines[1:-1] for lines in examples if "-m ops " in lines[0]}
    assert list(of_ours) == ["state --stack staging", "state --stack staging --yes"], "first it is looked at"
    world = world_with(held=lock(), state=state(("creating", MEDIA), ("updating", SERVICE)))
    digest = "sha256:1dcfb64525802312c6d42f4da7dc7bdb1ecbcc0eedda5e315278b38c9da9ae6a"
    begun = dataclasses.replace(
        flight(digest, seen_at="2026-11-22T11:47:52Z"), who="ana", host="runner-7", began_at="2026-11-22T11:45:31Z"
    )
    world.remember(Record(in_flight=begun))
    for command, told in of_ours.items():
        seen = run_ops(world, capsys, *command.split(), environment=BACKEND)
        printed = [line.strip() for line in seen.out.splitlines()]
        assert [line.strip() for line in told] == [line for line in printed if line in map(str.strip, told)]
    remedy = next(lines[0].strip().removeprefix("$ ") for lines in examples if "pulumi refresh" in lines[0])
    assert remedy in printed, "the command that is printed is the one that is explained"


def test_the_rights_it_needs_stand_in_the_accounts_page(capsys: pytest.CaptureFixture[str]) -> None:
    world = world_with(held=lock(), state=GOOD)
    ask(world, capsys, "--yes")
    actions = {"ListObjectsV2": "s3:ListBucket", "GetObject": "s3:GetObject", "DeleteObject": "s3:DeleteObject"}
    needed = {actions[name] for name, _ in world.calls if name not in {"GetCallerIdentity", "GetItem"}}
    row = next(line for line in (ROOT / "docs/account.md").read_text().splitlines() if line.startswith("| `state` |"))
    assert needed == {action for action in actions.values() if f"`{action}`" in row}, "no more, and no less"


def test_a_directory_of_this_machine_is_a_backend_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for key, content in ((LOCK, lock()), (STATE, GOOD)):
        (tmp_path / key).parent.mkdir(parents=True)
        (tmp_path / key).write_bytes(content)
    world = world_with()
    options = ("state", "--stack", "staging", "--backend", f"file://{tmp_path}")
    assert run_ops(world, capsys, *options).code == 1
    assert (tmp_path / LOCK).exists(), "it was only asked"
    assert run_ops(world, capsys, *options, "--yes").code == 0
    assert not (tmp_path / LOCK).exists()
    assert (tmp_path / STATE).read_bytes() == GOOD
    assert run_ops(world, capsys, *options).code == 0
