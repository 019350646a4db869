"""The log of a process: the lines that were asked for, each once, laid out to be read."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

import pytest

from ops.errors import Terminated
from ops.log_lines import Choice
from tests.ops_fakes.world import Outcome, World, run_ops

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def world() -> World:
    world = World()
    world.clock.time = 3600
    return world


def logs(world: World, capsys: pytest.CaptureFixture[str], *arguments: str) -> Outcome:
    return run_ops(world, capsys, "logs", "--stack", "staging", *arguments)


def entry(message: str, level: str = "INFO", **more: Any) -> dict[str, Any]:
    return {"timestamp": "t", "level": level, "logger": "pactum", "message": message, **more}


def ends(world: World, at: float, how: type[BaseException] = KeyboardInterrupt) -> None:
    def raise_it() -> None:
        raise how

    world.clock.at(at, raise_it)


def shown(seen: Outcome) -> list[str]:
    """The lines without their times."""
    return [line.split(" ", 1)[1] for line in seen.out.splitlines()]


def test_json_lines_are_laid_out_and_others_shown_as_they_are(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    trace = "Traceback (most recent call last):\n  File \"views.py\"\nKeyError: 'x'"
    world.write(
        3590, entry("GET / 500", method="GET", status=500, duration_ms=12, request_id="Root=1-a", release="sha256:0")
    )
    world.write(3590.5, entry("it broke", "ERROR", exception=trace))
    world.write(3591, "Booting worker with pid 7")
    seen = logs(world, capsys)
    assert seen.code == 0
    assert seen.out.splitlines() == [
        "2026-11-22T12:59:50.000Z INFO     GET / 500 duration_ms=12 [Root=1-a]",
        "2026-11-22T12:59:50.500Z ERROR    it broke",
        "  Traceback (most recent call last):",
        '    File "views.py"',
        "  KeyError: 'x'",
        "2026-11-22T12:59:51.000Z Booting worker with pid 7",
    ], "and nothing else: what ops has to say goes to standard error, so that the output can be piped"
    assert "account 123456789012" in seen.err


def test_every_page_is_read_the_empty_ones_too(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(7):
        world.write(3590 + number / 10, f"line {number}", task=f"t{number % 3}")
    assert shown(logs(world, capsys)) == [f"line {number}" for number in range(7)]


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        ([], ["old", "new"]),
        (["--since", "90s"], ["new"]),
        (["--since", "2h"], ["ancient", "old", "new"]),
        (["--since", "2026-11-22T12:30:00Z"], ["old", "new"]),
        (["--since", "2026-11-22T09:59:00-03:00"], ["new"]),
        (["--since", "2026-11-22T12:59:00"], ["new"]),
    ],
)
def test_since_is_a_duration_or_a_time(
    world: World, capsys: pytest.CaptureFixture[str], since: list[str], expected: list[str]
) -> None:
    for seconds, text in ((60, "ancient"), (3000, "old"), (3595, "new")):
        world.write(seconds, text)
    assert shown(logs(world, capsys, *since)) == expected


@pytest.mark.parametrize("since", ["15", "yesterday", "m15"])
def test_a_since_that_is_neither_says_what_to_give(
    world: World, capsys: pytest.CaptureFixture[str], since: str
) -> None:
    with pytest.raises(SystemExit) as stop:
        logs(world, capsys, "--since", since)
    assert stop.value.code == 2
    assert "give 90s, 15m, 2h, 1d or 2026-01-31T12:00:00Z" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--level", "WARNING"], ["slow", "broke", "down"]),
        (["--level", "error"], ["broke", "down"]),
        (["--request-id", "r1"], ["hello", "broke"]),
        (["--request-id", "r1", "--level", "ERROR"], ["broke"]),
        (["--grep", "ell"], ["hello"]),
        (["--grep", "plain"], ["plain r1"]),
        (["--limit", "2"], ["down", "plain r1"]),
        (["--limit", "1", "--level", "ERROR"], ["down"]),
    ],
)
@pytest.mark.parametrize("filters", ["by CloudWatch", "not by the emulator"])
def test_lines_are_chosen(
    world: World,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    expected: list[str],
    filters: str,
) -> None:
    if filters != "by CloudWatch":
        monkeypatch.setattr("tests.ops_fakes.log_events._matches", lambda _event, _pattern: True)
    world.write(3590, entry("hello", request_id="r1"))
    world.write(3591, entry("slow", "WARNING", request_id="r2"))
    world.write(3592, entry("broke", "ERROR", request_id="r1"))
    world.write(3593, entry("down", "CRITICAL"))
    world.write(3594, "plain r1")
    seen = logs(world, capsys, "--json", *options)
    lines = [json.loads(line) for line in seen.out.splitlines()]
    assert [line.get("message") or line["fields"]["message"] for line in lines] == expected


def test_cloudwatch_is_asked_for_no_more_than_needed() -> None:
    assert Choice(text="x").pattern == "", "its terms follow rules of their own: a part of a word may not match"
    assert Choice(request_id="r1").pattern == '{ ($.request_id = "r1") }'
    both = Choice(request_id="r1", level="ERROR").pattern
    assert both == '{ ($.request_id = "r1") && (($.level = "ERROR") || ($.level = "CRITICAL")) }'
    assert Choice(request_id='r"1').pattern == "", "a quote would end the pattern's text"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--since", "10s"], "no lines of web since 2026-11-22T12:59:50Z (--since)"),
        (["--level", "ERROR"], "no lines of web that were asked for since 2026-11-22T12:45:00Z (--since)"),
        (["--since", "2026-11-22T14:59:55+02:00"], "no lines of web since 2026-11-22T12:59:55Z (--since)"),
    ],
)
@pytest.mark.parametrize("more", [[], ["--limit", "5"], ["--json"]])
def test_nothing_to_show_is_said_beside_the_output(
    world: World, capsys: pytest.CaptureFixture[str], options: list[str], said: str, more: list[str]
) -> None:
    world.write(3580, entry("hello"))
    seen = logs(world, capsys, *options, *more)
    assert (seen.code, seen.out) == (0, ""), "standard output has the lines, and there are none"
    assert seen.err.splitlines()[-1] == said


@pytest.mark.parametrize("options", [[], ["--limit", "5"], ["--limit", "0"]])
def test_lines_there_are_are_not_called_missing(
    world: World, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    world.write(3590, "hello")
    assert "no lines" not in logs(world, capsys, *options).err


def test_json_lines_are_one_object_each(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.write(3590, entry("hello"))
    world.write(3591, "plain\x1b[2J")
    first, second = (json.loads(line) for line in logs(world, capsys, "--json").out.splitlines())
    assert first == {"timestamp": "2026-11-22T12:59:50.000Z", "stream": "web/web/t1", "fields": entry("hello")}
    assert second["message"] == "plain\x1b[2J", "escaped as JSON, and whole"


@pytest.mark.parametrize("message", ["a\x1b]0;owned\x07b\rc", entry("a\x1b]0;owned\x07b", exception="x\x1b[2J\ny")])
def test_lines_cannot_steer_the_terminal(world: World, capsys: pytest.CaptureFixture[str], message: Any) -> None:
    world.write(3590, message)
    out = logs(world, capsys).out
    assert "owned" in out
    assert not set("\x1b\x07\r") & set(out)


@pytest.mark.parametrize("level", [None, ["x"], {"a": 1}, 30])
def test_a_level_that_is_no_text_ends_no_command(world: World, capsys: pytest.CaptureFixture[str], level: Any) -> None:
    """Whatever writes to the log decides what is in it."""
    world.write(3590, {"level": level, "message": "hello"})
    seen = logs(world, capsys)
    assert (seen.code, seen.out.endswith("hello\n")) == (0, True)


@pytest.mark.parametrize("depth", [60, 900, 100_000])
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_deeply_nested_lines_are_shown_as_they_are(
    world: World, capsys: pytest.CaptureFixture[str], depth: int, options: list[str]
) -> None:
    world.write(3590, '{"a":' * depth + "1" + "}" * depth)
    seen = logs(world, capsys, *options)
    assert seen.code == 0
    assert "fields" not in seen.out
    assert seen.out.count("{") >= depth


def test_half_a_character_can_be_shown(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.write(3590, '{"message": "\\ud83d cut"}')
    assert shown(logs(world, capsys))[0].endswith("\ufffd cut")


@pytest.mark.parametrize("since", ["999999d", "0001-01-01", "1969-12-31T23:59:59Z"])
def test_before_all_time_is_from_the_beginning(world: World, capsys: pytest.CaptureFixture[str], since: str) -> None:
    world.write(3590, "hello")
    assert shown(logs(world, capsys, "--since", since)) == ["hello"]
    assert world.asked("FilterLogEvents")[0]["startTime"] == 0, "CloudWatch Logs refuses times before 1970"


def test_following_shows_each_line_once_the_late_ones_too(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.write(3595, "there already")
    write = functools.partial(functools.partial, world.write)
    world.clock.at(3604, write(3603, "new", task="t2"))
    world.clock.at(3610, write(3601, "late, and dated before what was shown"))
    world.clock.at(3612, write(3603, "new", task="t2"))
    ends(world, 3621)
    seen = logs(world, capsys, "--follow")
    assert shown(seen) == ["there already", "new", "late, and dated before what was shown", "new"]
    assert seen.code == 0, "Ctrl-C is how a person says that it is enough"
    assert "interrupted" not in seen.err
    reads = world.asked("FilterLogEvents")
    assert reads[-1]["startTime"] > reads[0]["startTime"], "what was read long ago is not read again and again"


def test_a_follow_that_is_told_to_end_says_so(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.write(3595, "there already")
    ends(world, 3605, Terminated)
    assert logs(world, capsys, "--follow").code == 143


def test_a_log_longer_than_one_answer_without_a_token_is_read_to_its_end(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.log_query._AT_ONCE", 3)
    world.has_tokens = False
    for number in range(8):
        world.write(3590 + number // 2, f"line {number}")
    assert shown(logs(world, capsys)) == [f"line {number}" for number in range(8)]


def test_a_process_without_a_log_group_names_those_there_are(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.write(0, "x")
    world.write(0, "x", process="migrate")
    seen = logs(world, capsys, "--process", "worker")
    assert seen.code == 2
    assert "no log group /pactum/staging/worker" in seen.err
    assert "Give --process one of: migrate, web." in seen.err
    empty: Callable[[], None] = world.log_events.clear
    empty()
    assert "pulumi up" in logs(world, capsys).err
