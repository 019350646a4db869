"""DynamoDB in memory: whole items by one key, and the two conditions the release memory puts on a write."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ops.release_record import Record, dump, load
from tests.ops_fakes.account import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

_CONDITION = re.compile(r"attribute_not_exists\((?P<absent>#\w+)\)|(?P<name>#\w+) = (?P<value>:\w+)")


@dataclass
class RecordsFake:
    """The release memories of the account, by table and stack."""

    records_exist: bool = True
    """Whether there are tables."""
    items: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    after_read: Callable[[], object] = lambda: None
    """Called after an item was read and before its reader is told."""
    after_write: Callable[[], object] = lambda: None
    """Called after an item was written and before its writer is told; may raise what the network does."""
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def record(self, table: str = "pactum-staging-releases", stack: str = "staging") -> Record:
        item = self.items.get((table, stack))
        return load(item["record"]["S"]) if item else Record()

    def remember(self, record: Record, table: str = "pactum-staging-releases", stack: str = "staging") -> None:
        """Put a record there, as if a command had written it."""
        version = int(self.items.get((table, stack), {}).get("version", {"N": "0"})["N"]) + 1
        self.items[(table, stack)] = {
            "stack": {"S": stack},
            "version": {"N": str(version)},
            "record": {"S": dump(record)},
            "writer": {"S": f"test {version}"},
        }

    def get_item(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._table(asked)
        assert asked["ConsistentRead"] is True, "an eventually consistent answer may be older than our own write"
        with self._one_at_a_time:
            item = self.items.get((asked["TableName"], asked["Key"]["stack"]["S"]))
            found = {"Item": dict(item)} if item else {}
        self.after_read()
        return found

    def put_item(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._table(asked)
        key = (asked["TableName"], asked["Item"]["stack"]["S"])
        with self._one_at_a_time:
            if not _holds(asked, self.items.get(key, {})):
                raise Refused("ConditionalCheckFailedException", "The conditional request failed")
            self.items[key] = dict(asked["Item"])
        self.after_write()
        return {}

    def _table(self, asked: dict[str, Any]) -> None:
        if not self.records_exist:
            raise Refused("ResourceNotFoundException", f"Requested resource not found: {asked['TableName']}")


def _holds(asked: dict[str, Any], item: dict[str, Any]) -> bool:
    condition = asked.get("ConditionExpression")
    if condition is None:
        return True
    parts = _CONDITION.fullmatch(condition)
    assert parts, f"a condition this fake does not know: {condition}"
    names = asked["ExpressionAttributeNames"]
    if parts["absent"]:
        return names[parts["absent"]] not in item
    value: object = asked["ExpressionAttributeValues"][parts["value"]]
    return bool(item.get(names[parts["name"]]) == value)
