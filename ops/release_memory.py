"""The release memory: one DynamoDB item per stack, written by these commands only, safe against any number of writers.

Every write says which version it was made from, and DynamoDB refuses it when another came in between; then the change
is made again, on what is there now.
"""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from ops.clock import Deadline
from ops.errors import CannotAct, OpsError, code_of
from ops.release_pruning import pruned
from ops.release_record import Record, UnreadableRecord, dump, load

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from ops.command import Context

Answer = TypeVar("Answer")

TRIES = 25
_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 1.0
_MISSING_PAUSE_SECONDS = 1.0


class NoTable(CannotAct):
    """The stack has no release memory, as before its first update has made one."""


@dataclass(frozen=True, kw_only=True)
class _Stored:
    record: Record
    version: int
    """0: there is no item yet."""
    writer: str


class Memory:
    """One stack's record, read and changed."""

    def __init__(self, context: Context, *, missing_patience_seconds: float = 0, tries: int = TRIES) -> None:
        """Take the patience to have with a table that is not there (yet), and how often a change is tried."""
        self._context = context
        self._dynamodb = context.aws.dynamodb
        self._table = context.stack.releases_table
        self._missing_patience_seconds = missing_patience_seconds
        self._tries = tries
        # Fairness between writers, no secret.
        self._random = random.Random()  # noqa: S311

    def read(self) -> Record:
        """Return the record; an empty one when nothing was written yet.

        Raises:
            CannotAct: there is no table, or what is in it cannot be read.

        """
        return self._load().record

    def change(self, change: Callable[[Record], Record]) -> Record:
        """Apply a pure change to the record, and return what was written; nothing is, when nothing changed.

        `change` may be called several times, and may refuse by an exception.

        Raises:
            CannotAct: there is no table, or what is in it cannot be read.
            OpsError: other writers were faster every time.

        """
        for tried in range(self._tries):
            stored = self._load()
            changed = change(stored.record)
            if changed == stored.record:
                return changed
            changed = pruned(changed)
            writer = str(uuid.uuid4())
            if self._write(changed, stored.version, writer):
                return changed
            # The SDK repeats a request whose answer was lost: then it was our own first one that came in between.
            now = self._load()
            if (now.version, now.writer) == (stored.version + 1, writer):
                return changed
            self._context.clock.sleep(self._pause_seconds(tried))
        raise OpsError(
            f"the release memory ({self._table}) was changed by others {self._tries} times while this tried to "
            "change it. Nothing was changed by this command; run it again.",
        )

    def _pause_seconds(self, tried: int) -> float:
        most = min(_FIRST_PAUSE_SECONDS * 2**tried, _LONGEST_PAUSE_SECONDS)
        return self._random.uniform(_FIRST_PAUSE_SECONDS / 2, most)

    def _load(self) -> _Stored:
        item = self._get()
        if item is None:
            return _Stored(record=Record(), version=0, writer="")
        try:
            return _Stored(
                record=load(item["record"]["S"]), version=int(item["version"]["N"]), writer=item["writer"]["S"]
            )
        except (UnreadableRecord, KeyError, ValueError) as error:
            raise CannotAct(
                f"the release memory cannot be read: item {self._context.stack.name} of table {self._table}: {error}\n"
                "Nothing was changed. Only these commands write it: if it was edited by hand, correct it, or restore "
                "the table to a moment before that (point-in-time recovery).",
            ) from error

    def _get(self) -> dict[str, AttributeValueTypeDef] | None:
        key = {"stack": {"S": self._context.stack.name}}
        # Without ConsistentRead the answer may be older than our own last write.
        return self._patiently(
            lambda: self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        )

    def _patiently(self, ask: Callable[[], Answer]) -> Answer:
        """Ask again while the table is not there; a new one may be known to a read and not yet to a write."""
        patience = Deadline(self._context.clock, self._missing_patience_seconds)
        while True:
            try:
                return ask()
            except self._dynamodb.exceptions.ResourceNotFoundException as error:
                if patience.passed:
                    raise self._no_table() from error
            self._context.clock.sleep(_MISSING_PAUSE_SECONDS)

    def _no_table(self) -> NoTable:
        return NoTable(
            f"there is no DynamoDB table {self._table} in this account and region, where the releases of "
            f"{self._context.stack} are remembered. Check --stack, --project, the account and the region, or make "
            "the table by `pulumi up`.",
        )

    def _write(self, record: Record, version: int, writer: str) -> bool:
        """Write it as the version after this one; False when that is not the one that is there."""
        item: dict[str, AttributeValueTypeDef] = {
            "stack": {"S": self._context.stack.name},
            "version": {"N": str(version + 1)},
            "record": {"S": dump(record)},
            "writer": {"S": writer},
        }
        try:
            self._patiently(lambda: self._put(item, version))
        except self._dynamodb.exceptions.ClientError as error:
            if code_of(error) == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def _put(self, item: dict[str, AttributeValueTypeDef], version: int) -> None:
        if version:
            self._dynamodb.put_item(
                TableName=self._table,
                Item=item,
                ConditionExpression="#version = :seen",
                ExpressionAttributeNames={"#version": "version"},
                ExpressionAttributeValues={":seen": {"N": str(version)}},
            )
        else:
            self._dynamodb.put_item(
                TableName=self._table,
                Item=item,
                ConditionExpression="attribute_not_exists(#stack)",
                ExpressionAttributeNames={"#stack": "stack"},
            )
