"""`ops logs query`: the saved queries a stack has, and what one of them answers."""

from __future__ import annotations

import json

import pytest

from ops.logs_query import LONGEST_CELL
from tests.ops_fakes.account import BASE_TIME, Refused
from tests.ops_fakes.world import Outcome, World, run_ops

SLOWEST = "# The slowest requests.\nfilter status > 0\n| sort duration_ms desc\n| limit 50\n| display path"
REQUEST = '# One request.\nfilter request_id = "REQUEST_ID"\n| limit 1000'


@pytest.fixture
def world() -> World:
    world = World()
    world.clock.time = 3600
    world.save("slowest", SLOWEST, groups=("web", "mail"))
    world.save("request", REQUEST)
    world.save("errors", "filter level = 1")
    world.save("other", "filter 1", stack="staging-two")
    return world


def ask(world: World, capsys: pytest.CaptureFixture[str], *arguments: str) -> Outcome:
    return run_ops(world, capsys, "logs", "query", *arguments, "--stack", "staging")


def test_an_answer_is_a_table_and_what_was_scanned_is_said_beside_it(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.query_rows = [
        {"path": "/", "answers": "7", "status": "500"},
        {"path": "/agreements/new/", "answers": "12", "method": "POST"},
    ]
    seen = ask(world, capsys, "slowest")
    assert seen.code == 0
    assert seen.out.splitlines() == [
        "path              answers  status  method",
        "/                       7     500",
        "/agreements/new/       12          POST",
    ], "numbers stand under each other; a value that a line lacks leaves its place empty"
    assert seen.err.splitlines()[-1] == (
        "2 rows since 2026-11-22T12:00:00Z (--since); 12 lines matched; 5.0 MiB of logs scanned"
    )


def test_columns_are_in_the_querys_order_whatever_the_first_row_lacks(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.save("steps", "filter x = 1\n| limit 10\n| display level, duration_ms, sql, exception")
    world.query_rows = [{"level": "ERROR", "exception": "RuntimeError"}, {"level": "INFO", "duration_ms": "1.4"}]
    for arguments in (["steps"], ["steps", "--limit", "5"]):
        assert ask(world, capsys, *arguments).out.splitlines()[0].split() == ["level", "duration_ms", "exception"]


def test_cloudwatch_is_asked_the_saved_query_over_its_own_logs(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(world, capsys, "slowest", "--since", "2h")
    (asked,) = world.asked("StartQuery")
    assert asked["queryString"] == SLOWEST
    assert asked["logGroupNames"] == ["/pactum/staging/web", "/pactum/staging/mail"]
    assert (asked["startTime"], asked["endTime"]) == (BASE_TIME.timestamp() - 3600, BASE_TIME.timestamp() + 3600)
    assert world.asked("StopQuery") == [], "it has ended by itself"


def test_the_second_that_has_begun_is_asked_about_too(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.clock.time = 3600.2
    ask(world, capsys, "slowest")
    (asked,) = world.asked("StartQuery")
    assert asked["endTime"] == BASE_TIME.timestamp() + 3601, "what was written a moment ago is what is looked for"


def test_a_limit_takes_the_place_of_the_querys_own(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    ask(world, capsys, "slowest", "--limit", "500")
    text = world.asked("StartQuery")[0]["queryString"]
    assert text.endswith("| display path\n| limit 500")
    assert text.count("limit") == 1, "the smaller of two would hold"


@pytest.mark.parametrize("given", ["1-67891233-abc", "Root=1-67891233-abc"])
def test_the_request_that_is_asked_for_takes_its_place(
    world: World, capsys: pytest.CaptureFixture[str], given: str
) -> None:
    assert ask(world, capsys, "request", "--request-id", given).code == 0
    assert 'request_id = "1-67891233-abc"' in world.asked("StartQuery")[0]["queryString"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["request"], "request is about one request: give --request-id ID"),
        (["slowest", "--request-id", "1-67891233"], "slowest is not about one request"),
        (["request", "--request-id", '" or 1=1'], "is no request's id"),
        (["nothing"], "no query nothing is saved with stack staging of project pactum. There are: errors, request, "),
        (["slowest", "errors"], "write `logs query NAME`"),
        (["slowest", "--level", "ERROR"], "--level is about the lines of one process"),
        (["slowest", "--follow"], "--follow is about the lines of one process"),
    ],
)
def test_what_does_not_go_together_is_said_before_anything_is_asked(
    world: World, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    seen = ask(world, capsys, *arguments)
    assert (seen.code, seen.out) == (2, "")
    assert said in seen.err
    assert world.asked("StartQuery") == [], "AWS charges for it"


@pytest.mark.parametrize("arguments", [["--list"], []])
def test_the_list_has_each_query_with_what_it_asks(
    world: World, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert ask(world, capsys, *arguments).out.splitlines() == [
        "errors",
        "request  One request.",
        "slowest  The slowest requests.",
    ], "of this stack only, and of every page"


def test_programs_get_objects(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.query_rows = [{"path": "/", "exception": "Traceback\n  line\nKeyError: 'x'"}]
    rows = [json.loads(line) for line in ask(world, capsys, "errors", "--json").out.splitlines()]
    assert rows == world.query_rows, "whole, and without CloudWatch's own pointer"
    listed = [json.loads(line) for line in ask(world, capsys, "--list", "--json").out.splitlines()]
    assert listed[2] == {
        "name": "slowest",
        "summary": "The slowest requests.",
        "log_groups": ["/pactum/staging/web", "/pactum/staging/mail"],
    }


def test_a_stack_without_queries_says_what_saves_them(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.saved_definitions.clear()
    assert "`pulumi up` saves them" in ask(world, capsys, "--list").err
    assert "`pulumi up` saves them" in ask(world, capsys, "errors").err


def test_no_rows_are_no_error(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    seen = ask(world, capsys, "errors")
    assert (seen.code, seen.out) == (0, "")
    assert "0 rows since" in seen.err


def test_a_cell_is_one_harmless_line(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.query_rows = [{"exception": "Traceback\n  File\nKeyError: '\x1b[2J'\n\n", "path": "x" * 500}]
    row = ask(world, capsys, "errors").out.splitlines()[1]
    assert row.startswith("KeyError: '\N{REPLACEMENT CHARACTER}[2J'"), "the exception itself is its last line"
    assert row.endswith("x…")
    assert len(row) < 2 * LONGEST_CELL


@pytest.mark.parametrize("status", ["Failed", "Cancelled", "Timeout"])
def test_a_query_that_ends_without_an_answer_says_how(
    world: World, capsys: pytest.CaptureFixture[str], status: str
) -> None:
    world.query_statuses = ["Running", status]
    seen = ask(world, capsys, "errors")
    assert (seen.code, seen.out) == (2, "")
    assert f"CloudWatch ended the query errors: {status}. Ask for less time with --since." in seen.err
    assert world.asked("StopQuery") == []


def test_a_query_that_takes_too_long_is_stopped(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.query_statuses = ["Running"]
    seen = ask(world, capsys, "errors", "--timeout", "20")
    assert seen.code == 2
    assert "has not answered errors within 20 s" in seen.err
    assert len(world.asked("StopQuery")) == 1, "AWS would go on scanning, and charge for it"
    assert 3620 <= world.clock.time < 3625


def test_one_that_ends_before_it_can_be_stopped_hides_nothing(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    def ended() -> None:
        raise Refused("InvalidParameterException", "the query is not running")

    world.before["StopQuery"] = ended
    world.query_statuses = ["Running"]
    seen = ask(world, capsys, "errors", "--timeout", "20")
    assert "has not answered errors within 20 s" in seen.err


def test_a_query_that_is_interrupted_is_stopped(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.query_statuses = ["Running"]

    def interrupt() -> None:
        raise KeyboardInterrupt

    world.clock.at(3603, interrupt)
    assert ask(world, capsys, "errors").code == 130
    assert len(world.asked("StopQuery")) == 1


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("ResourceNotFoundException", "a log group that slowest reads is not there"),
        ("MalformedQueryException", "does not understand the query slowest"),
        ("LimitExceededException", "too many queries are under way"),
    ],
)
def test_a_query_that_cannot_be_asked_says_why(
    world: World, capsys: pytest.CaptureFixture[str], code: str, said: str
) -> None:
    world.query_refusal = Refused(code, "the reason")
    seen = ask(world, capsys, "slowest")
    assert seen.code == 2
    assert said in seen.err
    assert "the reason" in seen.err


def test_the_list_is_no_option_of_the_lines(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    seen = run_ops(world, capsys, "logs", "--list", "--stack", "staging")
    assert (seen.code, "write `logs query --list`" in seen.err) == (2, True)
