"""Logs Insights in the emulator: saved queries are kept, and asked ones are answered or refused in AWS's shapes."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from conftest import Emulator
from emulator_cloud import Cloud

GROUPS = ("/queried/web", "/queried/mail")
BEGAN = int(time.time()) - 600
COUNT = 'filter logger = "r" and status >= 500 | stats count(*) as answers, latest(id) as last by path | sort path'


@pytest.fixture(scope="module")
def logs(emulator: Emulator) -> Iterator[Any]:
    """A client, and two log groups with a line a second from BEGAN on."""
    client = Cloud(emulator.port, "").logs
    for number, group in enumerate(GROUPS):
        client.create_log_group(logGroupName=group)
        client.create_log_stream(logGroupName=group, logStreamName="s")
        lines = [
            {"logger": "r", "status": 500 + second % 2 * 3, "path": f"/{second % 2}", "id": f"{number}-{second}"}
            for second in range(5)
        ]
        events = [{"timestamp": (BEGAN + at) * 1000, "message": json.dumps(line)} for at, line in enumerate(lines)]
        client.put_log_events(logGroupName=group, logStreamName="s", logEvents=events)
    yield client
    for group in GROUPS:
        client.delete_log_group(logGroupName=group)


def ask(logs: Any, query: str, begin: int = BEGAN, end: int = BEGAN + 60, **changes: Any) -> dict[str, Any]:
    """Ask a query of both groups, or as `changes` say; the whole answer."""
    asked = {"logGroupNames": list(GROUPS), "queryString": query, "startTime": begin, "endTime": end, **changes}
    found: dict[str, Any] = logs.get_query_results(queryId=logs.start_query(**asked)["queryId"])
    assert found["status"] == "Complete"
    return found


def refused(call: Any, **asked: Any) -> dict[str, Any]:
    """What AWS's error says of a call that must fail."""
    with pytest.raises(ClientError) as caught:
        call(**asked)
    response: dict[str, Any] = caught.value.response
    return response


def test_lines_of_several_groups_are_counted_together(logs: Any) -> None:
    found = ask(logs, COUNT)
    assert found["results"] == [
        [{"field": "path", "value": "/0"}, {"field": "answers", "value": "6"}, {"field": "last", "value": "1-4"}],
        [{"field": "path", "value": "/1"}, {"field": "answers", "value": "4"}, {"field": "last", "value": "1-3"}],
    ], "MiniStack by itself would answer ten lines"
    newest = [row[0]["value"] for row in ask(logs, "fields id | limit 3")["results"]]
    assert newest == ["1-4", "0-4", "1-3"], "of several groups in the order of time, not of groups"
    told = found["statistics"]
    assert (told["recordsMatched"], told["recordsScanned"]) == (10, 10)
    assert told["bytesScanned"] > 10 * len('{"logger": "r"}')


def test_both_ends_of_the_time_are_included(logs: Any) -> None:
    found = ask(logs, "fields id | sort @timestamp asc", BEGAN + 1, BEGAN + 2, logGroupNames=[GROUPS[0]])
    assert [row[0]["value"] for row in found["results"]] == ["0-1", "0-2"]
    backwards = refused(lambda: ask(logs, "fields id", BEGAN + 2, BEGAN + 1))
    assert backwards["Error"]["Code"] == "InvalidParameterException"


def test_a_line_is_told_with_its_group_and_a_pointer_to_the_whole(logs: Any) -> None:
    found = ask(logs, "fields @timestamp, @log, @logStream | limit 1", logGroupNames=[GROUPS[1]])
    row = {cell["field"]: cell["value"] for cell in found["results"][0]}
    assert row.pop("@timestamp") == time.strftime("%Y-%m-%d %H:%M:%S.000", time.gmtime(BEGAN + 4))
    whole = logs.get_log_record(logRecordPointer=row.pop("@ptr"))["logRecord"]
    assert json.loads(whole["@message"])["id"] == "1-4"
    assert row == {"@log": "123456789012:/queried/mail", "@logStream": "s"}


def test_the_limit_of_the_call_holds_too(logs: Any) -> None:
    assert len(ask(logs, "fields id | limit 3", limit=2)["results"]) == 2
    assert len(ask(logs, "fields id | limit 3", limit=9)["results"]) == 3


def test_what_is_not_understood_is_a_malformed_query_that_says_where(logs: Any) -> None:
    told = refused(lambda: ask(logs, "fields id\n| pattern @message"))
    assert told["Error"]["Code"] == "MalformedQueryException"
    assert "unexpected symbol found pattern at line 2 and position 2" in told["Error"]["Message"]
    assert told["queryCompileError"]["location"] == {"startCharOffset": 12, "endCharOffset": 19}
    with pytest.raises(logs.exceptions.MalformedQueryException):
        ask(logs, "filter status != 500 and gone != 1")


def test_a_group_that_is_not_there_is_an_error_and_none_at_all(logs: Any) -> None:
    with pytest.raises(logs.exceptions.ResourceNotFoundException, match="/queried/gone"):
        ask(logs, "fields id", logGroupNames=[GROUPS[0], "/queried/gone"])
    with pytest.raises(logs.exceptions.InvalidParameterException):
        ask(logs, "fields id", logGroupNames=[])


def test_a_query_that_has_ended_cannot_be_stopped(logs: Any) -> None:
    asked = {"logGroupNames": list(GROUPS), "queryString": "fields id", "startTime": BEGAN, "endTime": BEGAN}
    query = logs.start_query(**asked)["queryId"]
    assert refused(logs.stop_query, queryId=query)["Error"]["Code"] == "InvalidParameterException"
    assert refused(logs.stop_query, queryId="none")["Error"]["Code"] == "ResourceNotFoundException"
    assert logs.get_query_results(queryId=query)["status"] == "Complete", "MiniStack called it cancelled"


def test_definitions_are_kept_listed_replaced_and_removed(logs: Any) -> None:
    saved = {"name": "p/staging/errors", "queryString": "fields id", "logGroupNames": list(GROUPS)}
    first = logs.put_query_definition(**saved)["queryDefinitionId"]
    for number in range(2):
        logs.put_query_definition(name=f"p/other/{number}", queryString="fields id")
    (found,) = logs.describe_query_definitions(queryDefinitionNamePrefix="p/staging/")["queryDefinitions"]
    assert {key: found[key] for key in saved} == saved
    assert found["queryDefinitionId"] == first
    assert abs(found["lastModified"] / 1000 - time.time()) < 60
    logs.put_query_definition(queryDefinitionId=first, name="p/staging/all", queryString="fields path")
    (found,) = logs.describe_query_definitions(queryDefinitionNamePrefix="p/staging/")["queryDefinitions"]
    assert (found["name"], found["queryString"], found["logGroupNames"]) == ("p/staging/all", "fields path", [])
    names, request = [], {"maxResults": 2, "queryDefinitionNamePrefix": "p/"}
    while True:
        page = logs.describe_query_definitions(**request)
        names += [each["name"] for each in page["queryDefinitions"]]
        if "nextToken" not in page:
            break
        request["nextToken"] = page["nextToken"]
    assert sorted(names) == ["p/other/0", "p/other/1", "p/staging/all"]
    assert logs.delete_query_definition(queryDefinitionId=first)["success"] is True
    for call in (logs.delete_query_definition, logs.put_query_definition):
        asked = {"queryDefinitionId": first} | ({} if call == logs.delete_query_definition else saved)
        assert refused(call, **asked)["Error"]["Code"] == "ResourceNotFoundException"
    assert refused(logs.put_query_definition, name="x" * 256, queryString="q")["Error"]["Code"] == (
        "InvalidParameterException"
    )
