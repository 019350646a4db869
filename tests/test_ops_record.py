"""The record's content: read back as it was written, whoever wrote it, and kept small without losing a way back."""

from __future__ import annotations

import dataclasses
import json

import pytest

from ops.release_record import (
    FAILED,
    LIVE,
    ROLLED_BACK,
    AppliedMigration,
    Decision,
    InFlight,
    Record,
    Release,
    UnreadableRecord,
    dump,
    load,
)

FULL = Record(
    releases=(
        Release(
            digest="sha256:aa",
            commit="c0ffee",
            who="ana",
            began_at="2026-11-22T12:00:00Z",
            ended_at="2026-11-22T12:01:00Z",
            task_definition="arn:web:2",
            verdict=LIVE,
            migrations=(AppliedMigration(name="app.0002_x", undoable=False, why="drops a column"),),
            verified_at="2026-11-22T12:01:00Z",
        ),
        Release(digest="sha256:bb", verdict=FAILED, cause="interrupted"),
    ),
    denials={"sha256:cc": Decision(who="ben", at="2026-11-22T11:00:00Z", reason="leaks")},
    hold=Decision(who="ana", at="2026-11-22T11:30:00Z", reason="release party"),
    in_flight=InFlight(
        kind="update", digest="sha256:dd", who="ana", host="ci-1", began_at="t0", seen_at="t1", commit="beef", beat=4
    ),
    stopped={"mailer": 2},
)


def good(number: int, **changes: str) -> Release:
    return Release(digest=f"good{number}", verdict=LIVE, verified_at=f"2026-01-01T00:{number:02}:00Z", **changes)  # type: ignore[arg-type]


def bad(number: int) -> Release:
    return Release(digest=f"bad{number}", verdict=FAILED)


def test_a_record_is_read_back_as_it_was_written() -> None:
    assert load(dump(FULL)) == FULL
    assert load(dump(Record())) == Record()


def test_the_keys_are_what_is_documented() -> None:
    plain = json.loads(dump(FULL))
    assert set(plain) == {"format", "releases", "denials", "hold", "in_flight", "stopped"}
    assert plain["releases"][0]["migrations"] == [{"name": "app.0002_x", "undoable": False, "why": "drops a column"}]
    assert plain["releases"][1]["migrations"] is None, "unknown is not the same as none"
    assert plain["denials"]["sha256:cc"]["reason"] == "leaks"
    assert plain["in_flight"]["beat"] == 4


@pytest.mark.parametrize("stopped", [["mailer"], {"mailer": "two"}])
def test_what_was_stopped_is_numbers_by_name(stopped: object) -> None:
    with pytest.raises(UnreadableRecord, match="no object of numbers"):
        load(json.dumps({"stopped": stopped}))


def test_keys_of_a_newer_version_are_kept_when_an_older_one_writes() -> None:
    """A pipeline of last month's branch must not destroy what this month's wrote."""
    plain = json.loads(dump(FULL))
    plain["ring"] = 1
    plain["releases"][0]["approved_by"] = ["eva"]
    plain["releases"][0]["migrations"][0]["seconds"] = 3
    plain["denials"]["sha256:cc"]["ticket"] = "OPS-1"
    plain["hold"]["until"] = "tomorrow"
    plain["in_flight"]["pid"] = 7
    read = load(json.dumps(plain))
    read = read.replacing(read.releases[0], dataclasses.replace(read.releases[0], cause="changed"))
    plain["releases"][0]["cause"] = "changed"
    assert json.loads(dump(read)) == plain


def test_the_live_release_is_the_good_one_that_was_seen_to_serve_last() -> None:
    """After a rollback it is not the newest one."""
    record = Record(releases=(bad(1), dataclasses.replace(good(5), verdict=ROLLED_BACK), good(2), good(4), good(3)))
    assert record.live == good(4)
    assert Record(releases=(bad(1),)).live is None


@pytest.mark.parametrize("older", ['{"releases": [{"digest": "d"}]}', "{}"])
def test_keys_that_are_missing_have_a_meaning(older: str) -> None:
    assert load(older).hold is None
    assert all(item.migrations is None for item in load(older).releases)
