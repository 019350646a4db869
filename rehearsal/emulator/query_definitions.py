"""Saved Logs Insights queries: PutQueryDefinition and its siblings, which MiniStack does not know."""

import json
import time
from typing import Any

from ministack.services import cloudwatch_logs, ecs

from rehearsal.emulator.patching import Extension, replace

EXTENSION = Extension(
    name="query definitions",
    rule=(
        "A query definition is kept under its id, which PutQueryDefinition answers and an update names; an update "
        "retains nothing of what was there; they are listed by the beginning of their names"
    ),
    source="Amazon CloudWatch Logs API Reference, PutQueryDefinition, DescribeQueryDefinitions, DeleteQueryDefinition",
)
CALL = "(method, path, headers, body, query_params)"
LONGEST_NAME, LONGEST_QUERY, MOST_GROUPS = 255, 10_000, 50
MOST_AT_ONCE = 1000
MILLISECONDS = 1000
Record = dict[str, Any]


class QueryDefinitions:
    """The definitions of each account and region, by id."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], dict[str, Record]] = {}

    def put(self, asked: Record) -> Any:
        """Make one, or replace the one whose id is given."""
        definitions, given = self._here(), asked.get("queryDefinitionId")
        if given and given not in definitions:
            return _not_found()
        if problem := _problem_of(asked):
            return ecs.error_response_json("InvalidParameterException", problem)
        key = given or ecs.new_uuid()
        definitions[key] = {
            "queryDefinitionId": key,
            "queryLanguage": asked.get("queryLanguage", "CWLI"),
            "name": asked["name"],
            "queryString": asked["queryString"],
            "logGroupNames": asked.get("logGroupNames", []),
            "lastModified": int(time.time() * MILLISECONDS),
        }
        return ecs.json_response({"queryDefinitionId": key})

    def describe(self, asked: Record) -> Any:
        """List those whose names begin so, some at a time."""
        prefix, start = asked.get("queryDefinitionNamePrefix", ""), int(asked.get("nextToken", "0"))
        end = start + min(asked.get("maxResults", MOST_AT_ONCE), MOST_AT_ONCE)
        found = [each for each in self._here().values() if each["name"].startswith(prefix)]
        more = {"nextToken": str(end)} if end < len(found) else {}
        return ecs.json_response({"queryDefinitions": found[start:end], **more})

    def delete(self, asked: Record) -> Any:
        """Forget one."""
        if self._here().pop(asked.get("queryDefinitionId", ""), None) is None:
            return _not_found()
        return ecs.json_response({"success": True})

    def _here(self) -> dict[str, Record]:
        return self._kept.setdefault((ecs.get_account_id(), ecs.get_region()), {})


def _not_found() -> Any:
    return ecs.error_response_json("ResourceNotFoundException", "The specified query definition does not exist.")


def _problem_of(asked: Record) -> str:
    for name, longest in (("name", LONGEST_NAME), ("queryString", LONGEST_QUERY)):
        if not 1 <= len(asked.get(name, "")) <= longest:
            return f"{name} has 1 to {longest} characters, this one {len(asked.get(name, ''))}"
    groups = asked.get("logGroupNames", [])
    return f"at most {MOST_GROUPS} log groups, and not {len(groups)}" if len(groups) > MOST_GROUPS else ""


def install() -> None:
    """Answer these three calls; MiniStack's table of calls is inside the function that answers all of them."""
    kept = QueryDefinitions()
    answers = {
        "PutQueryDefinition": kept.put,
        "DescribeQueryDefinitions": kept.describe,
        "DeleteQueryDefinition": kept.delete,
    }

    async def handle(method: str, path: str, headers: Any, body: Any, query_params: Any) -> Any:
        answer = answers.get(headers.get("x-amz-target", "").rpartition(".")[2])
        if answer is None:
            return await original(method, path, headers, body, query_params)
        return answer(json.loads(body) if body else {})

    original = replace(cloudwatch_logs, "handle_request", CALL, handle)
