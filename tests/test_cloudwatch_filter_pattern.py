"""Filter patterns of CloudWatch Logs, against the examples and sentences of its documentation."""

from __future__ import annotations

import json

import pytest

from rehearsal.cloudwatch.filter_pattern import LONGEST_PATTERN, matches, value
from rehearsal.cloudwatch.json_pattern import FilterPatternError

REQUESTS = (
    "[ERROR 400] BAD REQUEST",
    "[ERROR 401] UNAUTHORIZED REQUEST",
    "[ERROR 419] MISSING ARGUMENTS",
    "[ERROR 420] INVALID ARGUMENTS",
    "[INFO] REQUEST FAILED",
    "[ERROR 500] INTERNAL SERVER ERROR",
)
EVENT = json.dumps(
    {
        "eventType": "UpdateTrail",
        "sourceIPAddress": "111.111.111.111",
        "arrayKey": ["value", "another value"],
        "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
        "SomeObject": None,
        "cluster.name": "c",
        "errorCode": 400,
        "latency": 0.25,
        "failed": True,
        "kept": False,
        "zero": 0,
        "trace": "first\nlast",
        "quoted": 'say "no"',
        "two-words": 1,
    }
)
PEOPLE = json.dumps(
    {
        "user": {"id": 1, "email": "John.Stiles@example.com"},
        "users": [{"id": 2, "email": "John.Doe@example.com"}, {"id": 3, "email": "Jane.Doe@example.com"}],
        "actions": ["GET", "PUT", "DELETE"],
        "coordinates": [[0, 1, 2], [4, 5, 6], [7, 8, 9]],
    }
)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("ERROR", "0 1 2 3 5"),
        ("ERROR ARGUMENTS", "2 3"),
        ("?REQUEST ?ARGUMENTS", "0 1 2 3 4"),
        ('"INTERNAL SERVER ERROR"', "5"),
        ("ERROR -ARGUMENTS", "0 1 5"),
        ('-"SERVER ERROR" ERROR', "0 1 2 3"),
        ('"[ERROR 419]"', "2"),
        ("AUTHORIZED", ""),
        ("error", ""),
        ('" "', "0 1 2 3 4 5"),
        ("", "0 1 2 3 4 5"),
    ],
)
def test_terms_find_the_lines_that_awss_examples_say(pattern: str, found: str) -> None:
    assert [str(number) for number, line in enumerate(REQUESTS) if matches(pattern, line)] == found.split()


@pytest.mark.parametrize(
    "condition",
    [
        '$.eventType = "UpdateTrail"',
        "$.eventType = UpdateTrail",
        '$.eventType = "Update*"',
        "$.eventType = *Tr*l",
        '$.eventType != "Update"',
        "$.sourceIPAddress != 123.123.*",
        '$.arrayKey[0] = "value"',
        '$.objectList[1].name = "b"',
        "$.['cluster.name'] = \"c\"",
        "$.SomeObject IS NULL",
        "$.failed IS TRUE",
        "$.kept IS FALSE",
        "$.SomeOtherObject NOT EXISTS",
        "$.errorCode = 400",
        "$.errorCode = 4e+2",
        "$.errorCode = 4*",
        "$.errorCode != 500",
        "$.errorCode >= 400",
        "$.errorCode<=400",
        "$.latency < 0.3",
        "$.latency > 1e-1",
        "$.two-words = 1",
        '$.errorCode = "400"',
        '$.trace = "first*last"',
        r'$.quoted = "say \"no\""',
    ],
)
def test_a_condition_on_json_holds(condition: str) -> None:
    assert matches(f"{{ {condition} }}", EVENT)


@pytest.mark.parametrize(
    "condition",
    [
        '$.eventType = "Update"',
        '$.eventType = "updatetrail"',
        "$.eventType != UpdateTrail",
        "$.eventType > 1",
        "$.errorCode > 400",
        "$.errorCode < 400",
        "$.errorCode != 400",
        "$.errorCode NOT EXISTS",
        "$.SomeObject NOT EXISTS",
        "$.SomeObject IS FALSE",
        "$.kept IS NULL",
        "$.failed IS FALSE",
        "$.kept = 0",
        "$.zero IS FALSE",
        '$.failed != "false"',
        "$.absent IS NULL",
        "$.absent != 1",
        '$.absent = "*"',
        '$.arrayKey != "value"',
        '$.arrayKey[5] = "value"',
        '$.eventType.more = "x"',
        '$.eventType[0] = "U"',
    ],
)
def test_a_condition_on_json_does_not_hold(condition: str) -> None:
    assert not matches(f"{{ {condition} }}", EVENT)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ('($.user.id = 1) && ($.users[0].email = "John.Doe@example.com")', True),
        ('$.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "no" && $.actions[2] = "no"', True),
        ('($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "no") && $.actions[2] = "no"', False),
        ('($.user.id = 2 && $.users[0].email = "no") || $.actions[2] = "GET"', False),
        ("$.coordinates[1][2] = 6 && ($.user.id = 9 || ($.user.id = 1))", True),
    ],
)
def test_brackets_bind_before_and_and_that_before_or(condition: str, holds: bool) -> None:
    assert matches(f"{{{condition}}}", PEOPLE) is holds, "AWS's own examples of compound expressions"


@pytest.mark.parametrize("line", ["no JSON", "", '"text"', "[1]", "7", "null"])
def test_other_lines_match_no_json_pattern(line: str) -> None:
    assert not matches('{ $.level = "*" }', line), "a log also has lines of the interpreter's own"


def test_a_line_that_is_no_json_lacks_nothing() -> None:
    assert not matches("{ $.level NOT EXISTS }", "Traceback (most recent call last):")


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("[ip, user, status = 4*]", "fields between spaces"),
        ("%AUTH%", "%AUTH%"),
        ("a.b", "double quotes"),
        ("?ERROR WARN", "ignores"),
        ("?ERROR -WARN", "ignores"),
        ("{ $.level = %ERR% }", "%ERR%"),
        ("{ $.level EXISTS }", 'no EXISTS: = "*"'),
        ("{ $.level IS NOT NULL }", "IS NOT"),
        ("{ $.level NOT NULL }", "'NOT'"),
        ("{ $.items[*] = 1 }", "without *"),
        ("{ level = 1 }", "'level' is no selector"),
        ("{ $.level = }", "ends too early"),
        ("{ $.level > high }", "no number"),
        ("{ $.level = 1", "'}'"),
        ("{ ($.level = 1 }", "')'"),
        ("{ $.level = 1 $.level = 2 }", "goes on with '$.level'"),
        ('{ $.level = "open }', "not covered"),
        ("{ $.level == 1 }", "'='"),
        ("x" * (LONGEST_PATTERN + 1), f"at most {LONGEST_PATTERN}"),
    ],
)
def test_a_pattern_that_is_not_covered_is_refused_by_name(pattern: str, said: str) -> None:
    with pytest.raises(FilterPatternError) as error:
        matches(pattern, "{}")
    assert said in str(error.value), "a filter that silently counts nothing is an alarm that never comes"


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("$.eventType", "UpdateTrail"),
        ("$.errorCode", "400"),
        ("$.latency", "0.25"),
        ("$.objectList[1].id", "2"),
        ("$.['cluster.name']", "c"),
        ("$.SomeObject", None),
        ("$.failed", None),
        ("$.arrayKey", None),
        ("$.absent", None),
    ],
)
def test_a_selector_reads_a_text_or_a_number(selector: str, found: str | None) -> None:
    assert value(selector, EVENT) == found
    assert value(selector, "no JSON") is None


@pytest.mark.parametrize("selector", ["eventType", "$", "$.a[*]", "$.a b", "1"])
def test_a_selector_that_is_not_covered_is_refused(selector: str) -> None:
    with pytest.raises(FilterPatternError, match="no selector"):
        value(selector, EVENT)
