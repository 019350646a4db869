"""rehearsal/cloudwatch/insights: the query language, by the examples and rules of AWS's own documentation."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rehearsal.cloudwatch.insights.query import answer
from rehearsal.cloudwatch.insights.values import MOST_FIELDS, Line, Natural
from rehearsal.cloudwatch.insights.words import QueryError

NOON = 1_750_000_020_000 - 1_750_000_020_000 % 60_000
Found = list[dict[str, str]]


def lines(*messages: str | dict[str, Any]) -> list[Line]:
    """One line a second, from noon on."""
    texts = [each if isinstance(each, str) else json.dumps(each) for each in messages]
    return [
        Line(timestamp=NOON + number * 1000, message=text, log="123456789012:/web", stream="s", pointer=f"p{number}")
        for number, text in enumerate(texts)
    ]


def ask(query: str, *messages: str | dict[str, Any], pointers: bool = False) -> Found:
    """The rows of an answer."""
    hidden = "" if pointers else "@ptr"
    rows = answer(query, lines(*messages)).rows
    return [{name: value for name, value in row.items() if name != hidden} for row in rows]


def column(found: Found) -> list[str | None]:
    """The values of an answer's only column."""
    return [next(iter(row.values()), None) for row in found]


F = [{"f1": "an Exception here"}, {"f1": "exception"}, {"f1": "Exception"}, {"f1": "none"}]


# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Filter.html
@pytest.mark.parametrize(
    ("condition", "held"),
    [
        ("f1 like /Exception/", ["an Exception here", "Exception"]),
        ("f1 =~ /Exception/", ["an Exception here", "Exception"]),
        ('f1 like "Exception"', ["an Exception here", "Exception"]),
        ("f1 like /(?i)Exception/", ["an Exception here", "exception", "Exception"]),
        ("f1 =~ /^(?i)Exception$/", ["exception", "Exception"]),
        ("f1 not like /(?i)exception/", ["none"]),
        ('f1 in ["exception", "none"]', ["exception", "none"]),
        ('f1 not in ["exception", "none"]', ["an Exception here", "Exception"]),
        ('f1 = "none" or f1 like "an" and f1 = "nothing"', ["none"]),
        ('(f1 = "none" or f1 like "an") and f1 like "E"', ["an Exception here"]),
        ('not f1 = "none" AND f1 LIKE "ion"', ["an Exception here", "exception", "Exception"]),
    ],
)
def test_the_documented_filters_find_the_documented_lines(condition: str, held: list[str]) -> None:
    assert column(ask(f"filter {condition} | sort @timestamp asc | display f1", *F)) == held


@pytest.mark.parametrize(
    ("condition", "held"),
    [
        ("statusCode in [300,400,500]", ["400", "500"]),
        ("statusCode like /2\\d\\d/", ["200"]),
        ("statusCode >= 400 and statusCode < 500", ["400", "404"]),
        ("statusCode != 200", ["400", "404", "500"]),
        ('statusCode = "404"', ["404"]),
        ("statusCode % 100 = 4", ["404"]),
        ("2 ^ 3 = 8 and statusCode / 2 = 200", ["400"]),
        ("-statusCode < -404", ["500"]),
        ("strlen(path) = 2", ["404"]),
    ],
)
def test_numbers_compare_as_numbers(condition: str, held: list[str]) -> None:
    given = [{"statusCode": code, "path": "/a" if code == 404 else "/"} for code in (200, 400, 404, 500)]
    assert column(ask(f"filter {condition} | sort @timestamp asc | display statusCode", *given)) == held


def test_what_a_line_lacks_fulfils_no_condition_and_no_opposite_is_made_up() -> None:
    assert ask("filter gone = 1 or gone > 0 or gone like /./ or gone in [1]", {"a": 1}) == []
    for condition in ("gone != 1", "not gone = 1", "gone not in [1]", "gone not like /x/", "strlen(gone) = 0"):
        with pytest.raises(QueryError, match="AWS's documentation does not say"):
            ask(f"filter {condition}", {"a": 1})
    assert len(ask("filter not ispresent(gone) or gone != 1", {"a": 1}, {"gone": 2}, {"gone": 1})) == 2
    assert len(ask("filter isempty(gone) and isblank(gone) and not isempty(a)", {"a": " "})) == 1
    assert column(ask("fields coalesce(gone, a) as it", {"a": "x"})) == ["x"]


def test_fields_are_discovered_in_nested_json_and_in_lists() -> None:
    event = {"userIdentity": {"type": "IAMUser"}, "items": [{"instanceId": "i-abcde123"}], "@odd": 1, "none": None}
    query = "fields userIdentity.type, items.0.instanceId, @@odd, ispresent(none) as there, ispresent(items) as list"
    assert ask(query, event) == [
        {"userIdentity.type": "IAMUser", "items.0.instanceId": "i-abcde123", "@@odd": "1", "there": "0", "list": "0"}
    ]
    assert ask("fields a", "no json", '{"a": ', "[1]") == [{}, {}, {}]


def test_cloudwatch_extracts_no_more_fields_than_it_says() -> None:
    many = {f"f{number}": number for number in range(MOST_FIELDS + 1)}
    assert ask(f"fields f{MOST_FIELDS - 1}, f{MOST_FIELDS}", many) == [{"f199": "199"}]


def test_without_fields_a_line_is_its_time_and_its_message_the_newest_first() -> None:
    found = ask("filter 1 = 1", "one", "two", pointers=True)
    assert found == [
        {"@timestamp": "2025-06-15 15:07:01.000", "@message": "two", "@ptr": "p1"},
        {"@timestamp": "2025-06-15 15:07:00.000", "@message": "one", "@ptr": "p0"},
    ]
    assert ask("fields @log, @logStream", "x") == [{"@log": "123456789012:/web", "@logStream": "s"}]


def test_the_last_display_alone_is_shown_and_every_fields_without_one() -> None:
    query = "fields a, b | fields abs(b - 5) as far"
    assert ask(query, {"a": 1, "b": 2}) == [{"a": "1", "b": "2", "far": "3"}]
    assert ask(f"{query} | display a | display far, b", {"a": 1, "b": 2}) == [{"far": "3", "b": "2"}]
    assert ask(
        "fields `foo-bar`, concat(Operation, '-', StatusCode) as opStatus",
        {"foo-bar": 1, "Operation": "get", "StatusCode": 200},
    ) == [{"foo-bar": "1", "opStatus": "get-200"}]


def test_comments_are_ignored() -> None:
    assert ask("# | filter @message like /delay/\nfields @message\n    # | limit 0\n    | limit 1", "a", "b") == [
        {"@message": "b"}
    ]


def test_a_regular_expression_extracts_its_named_groups() -> None:
    line = "25 May 2019 10:24:39,474 [ERROR] {foo=2, bar=data} The error was: DataIntegrityException"
    pattern = r"/\[(?<level>\S+)\]\s+(?<config>\{.*\})\s+The error was: (?<exception>\S+)/"
    assert ask(f"parse @message {pattern} | display level, config, exception", line, "another") == [
        {},
        {"level": "ERROR", "config": "{foo=2, bar=data}", "exception": "DataIntegrityException"},
    ], "AWS's own example; a line that does not match has none of the fields"
    assert ask(f"parse @message {pattern} | filter level = 'ERROR' | stats count(*) by level", line) == [
        {"level": "ERROR", "count(*)": "1"}
    ]


TIMES: list[dict[str, Any]] = [
    {"f1": 10, "f2": "a"}, {"f1": 20.5, "f2": "b"}, {"f1": 30, "f2": "a"}, {"f2": "b", "id": "last"}
]  # fmt: skip


@pytest.mark.parametrize(
    ("function", "of_a", "of_b"),
    [
        ("avg (f1)", "20", "20.5"),
        ("count(*)", "2", "2"),
        ("count()", "2", "2"),
        ("count(f1)", "2", "1"),
        ("count_distinct(f2)", "1", "1"),
        ("sum(f1)", "40", "20.5"),
        ("min(f1)", "10", "20.5"),
        ("max(f1)", "30", "20.5"),
        ("median(f1)", "20", "20.5"),
        ("pct(f1, 90)", "28", "20.5"),
        ("latest(id)", None, "last"),
        ("earliest(f1)", "10", "20.5"),
        ("latest(f1)", "30", None),
        ("sortsLast(f1)", "30", "20.5"),
        ("sortsFirst(f1)", "10", "20.5"),
        ("max(toMillis(@timestamp))", str(NOON + 2000), str(NOON + 3000)),
        ("sum(coalesce(f1, 0) * 2)", "80", "41"),
    ],
)
def test_stats_are_of_the_values_that_are_there_by_group(function: str, of_a: str | None, of_b: str | None) -> None:
    found = ask(f"stats {function} as it by f2 | sort f2 asc", *TIMES)
    assert [(row["f2"], row.get("it")) for row in found] == [("a", of_a), ("b", of_b)]
    assert function in ask(f"filter ispresent(f1) | stats {function}", TIMES[0] | {"id": 1})[0], (
        "named as it is written"
    )


def test_stats_by_bin_count_by_beginnings_of_the_period() -> None:
    assert ask("stats count(*) as lines by bin(2s) as begin, f2 | sort begin, f2", *TIMES) == [
        {"begin": "2025-06-15 15:07:00.000", "f2": "a", "lines": "1"},
        {"begin": "2025-06-15 15:07:00.000", "f2": "b", "lines": "1"},
        {"begin": "2025-06-15 15:07:02.000", "f2": "a", "lines": "1"},
        {"begin": "2025-06-15 15:07:02.000", "f2": "b", "lines": "1"},
    ]
    assert ask("stats count(*) by f2 | stats max(`count(*)`) as most", *TIMES) == [{"most": "2"}]


# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Sort.html
NATURAL = [
    "!:",
    "#",
    "*%04",
    "0#",
    "5A",
    "111A",
    "2345_",
    "@",
    "@_",
    "A",
    "A9876fghj",
    "a12345hfh",
    "0",
    "01",
    "2",
    "3",
]


def test_sorting_is_natural_as_in_the_documents_list() -> None:
    assert sorted(set(NATURAL), key=Natural) == NATURAL
    given = [{"it": value} for value in reversed(NATURAL)]
    assert column(ask("fields it | sort it desc", *given)) == NATURAL[::-1]


def test_digits_within_a_text_are_in_order_of_their_length_first() -> None:
    assert sorted(["007x", "10x", "9x"], key=Natural) == ["9x", "10x", "007x"]


def test_a_text_of_digits_is_a_number_beside_a_number_alone() -> None:
    assert len(ask("filter id = 7 and id < 8", {"id": "007"})) == 1
    assert ask('filter id = "7"', {"id": "007"}) == []


def test_lines_of_one_moment_keep_their_order() -> None:
    same = [Line(timestamp=NOON, message=text, log="l", stream="s", pointer=text) for text in ("first", "then", "last")]
    for order, messages in (("asc", ["first", "then", "last"]), ("desc", ["last", "then", "first"])):
        assert [row["@message"] for row in answer(f"sort @timestamp {order}", same).rows] == messages


def test_dedup_keeps_the_first_and_every_line_without_a_value() -> None:
    given: list[dict[str, Any]] = [
        {"server": "a", "n": 1},
        {"server": "a", "n": 2},
        {"n": 3},
        {"n": 4},
        {"server": "b", "n": 5},
    ]
    assert column(ask("fields n | dedup server", *given)) == ["5", "4", "3", "2"], "the newest, for want of an order"
    assert column(ask("fields n | sort @timestamp asc | dedup server | limit 3", *given)) == ["1", "3", "4"]


def test_limits_and_what_matched() -> None:
    found = answer("filter n < 4 | limit 2", lines(*({"n": n} for n in range(6))))
    assert (len(found.rows), found.matched) == (2, 4)
    assert len(answer("filter 1 = 1 | limit 3", lines(*["x"] * 9), limit=2).rows) == 2
    assert len(answer("limit 1 | limit 3", lines(*["x"] * 9)).rows) == 1
    assert len(answer("filter 1 = 1", lines(*["x"] * 10_001)).rows) == 10_000
    assert answer("filter n < 4 | stats count(*)", lines(*({"n": n} for n in range(6)))).matched == 4


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "unexpected symbol found <EOF> at line 1 and position 0"),
        ("fields a\n| count()", "unexpected symbol found count at line 2 and position 2: the commands that are"),
        ("pattern @message", "unexpected symbol found pattern"),
        ("stats count(*) by a | sort bin(1d) desc", r"field is missing|Unknown symbols|unexpected symbol found"),
        ("stats count(*) as n by a | filter b = 1", "Unknown symbols found in or after stats: b"),
        ("fields a as x | fields b as x", "the field x is made twice"),
        ("fields a as x | parse @message /(?<x>.)/ | display x", "the field x is made twice"),
        ("filter a like /x/i", "unexpected symbol found i"),
        ("filter a like /(/", "this regular expression is not covered here"),
        ('parse @message "[*] *" as level, rest | display level', "regular expression/ only"),
        ("parse @message /x(y)/ | display a", "groups with names"),
        ("parse @message /(?<a>.)/", "needs display"),
        ("fields jsonParse(@message) as it", "the function jsonParse is not covered here"),
        ("stats stddev(a)", "the function stddev is not covered here"),
        ("stats count(*) by bin(1w)", r"bin\(1w\) is not covered here"),
        ("filter @ingestionTime > 1", "the field @ingestionTime is not covered here"),
        ("filter a", "filter needs a condition"),
        ("filter a and b = 1", "stands where a condition should be"),
        ("filter a < 5", "says of `sort` only"),
        ("stats max(@timestamp)", "is no number"),
        ("stats latest(@timestamp)", "latest of a time"),
        ("stats sum(n) / count(*)", "unexpected symbol found /"),
        ("filter flag = 1", "flag is a JSON boolean"),
        ("sort gone desc", "sort meets a row without gone"),
        ("filter n / 0 = 1", "division"),
        ("filter a + 1 = 1", "is no number"),
        ("limit 0", "limit takes a number from 1 to 10000"),
        ("limit 1 | filter a = 1", "filter after limit is not covered here"),
        ("dedup a | sort a", "after dedup there can only be limit"),
        ("stats count(*) as a | stats sum(a) as b | stats sum(b)", "at most 2 stats"),
        ("stats count(*) as a, sum(n) as a", "makes a twice"),
        ("filter a = 'x' extra", "unexpected symbol found extra"),
        ("filter strlen(a, b) = 1", "strlen does not take 2 values"),
        (r"filter a = 'x\d'", "what .* means in a text is not covered here"),
    ],
)
def test_what_is_wrong_or_not_covered_is_said_and_never_passed_over(query: str, said: str) -> None:
    with pytest.raises(QueryError, match=said):
        ask(query, {"a": "x", "b": 1, "n": 2, "flag": True})
