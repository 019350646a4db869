"""Saved Logs Insights queries, and CloudWatch's answers to them: asked for, and had some seconds later."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.ops_fakes.account import Refused

PAGE = 2


@dataclass
class QueriesFake:
    """The definitions of every stack in the account, two a page; one query at a time is under way."""

    saved_definitions: list[dict[str, Any]] = field(default_factory=list)
    query_rows: list[dict[str, str]] = field(default_factory=list)
    """What the next query answers."""
    query_statuses: list[str] = field(default_factory=lambda: ["Scheduled", "Running", "Complete"])
    """What each look at the query finds; the last one stays."""
    query_refusal: Refused | None = None
    query_looks: int = 0

    def save(self, name: str, text: str, *, groups: tuple[str, ...] = ("web",), stack: str = "staging") -> None:
        self.saved_definitions.append(
            {
                "queryDefinitionId": str(len(self.saved_definitions)),
                "name": f"pactum/{stack}/{name}",
                "queryString": text,
                "logGroupNames": [f"/pactum/{stack}/{group}" for group in groups],
            }
        )

    def describe_query_definitions(self, asked: dict[str, Any]) -> dict[str, Any]:
        found = [item for item in self.saved_definitions if item["name"].startswith(asked["queryDefinitionNamePrefix"])]
        start = int(asked.get("nextToken", "0"))
        more = {"nextToken": str(start + PAGE)} if start + PAGE < len(found) else {}
        return {"queryDefinitions": found[start : start + PAGE], **more}

    def start_query(self, _asked: dict[str, Any]) -> dict[str, Any]:
        if self.query_refusal:
            raise self.query_refusal
        self.query_looks = 0
        return {"queryId": "query-1"}

    def get_query_results(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert asked == {"queryId": "query-1"}
        status = self.query_statuses[min(self.query_looks, len(self.query_statuses) - 1)]
        self.query_looks += 1
        rows = [
            [{"field": name, "value": value} for name, value in {**row, "@ptr": "abc"}.items()]
            for row in self.query_rows
        ]
        return {
            "status": status,
            "results": rows if status == "Complete" else [],
            "statistics": {"recordsMatched": 12.0, "recordsScanned": 3400.0, "bytesScanned": 5.0 * 2**20},
        }

    def stop_query(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert asked == {"queryId": "query-1"}
        return {"success": True}
