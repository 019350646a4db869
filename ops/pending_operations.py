"""What Pulumi had begun in AWS and not heard the end of, as a stack's state says: types and names, never a value."""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ops.errors import CannotAct

if TYPE_CHECKING:
    from ops.stack import Stack
    from ops.state_backend import Files

CREATING = "creating"
# The steps of an update that are commands of ours: they make nothing in AWS that Pulumi should know.
_COMMAND = "command:local:Command"


@dataclass(frozen=True, kw_only=True)
class PendingOperation:
    """One operation on one resource."""

    operation: str
    """Such as CREATING, `updating` or `deleting`."""
    urn: str
    made_since: bool
    """Whether the state has a resource of that URN: of a creation, that another update has made it since."""

    @property
    def needs_a_person(self) -> bool:
        """Whether the next update leaves it there. All others it looks up in AWS first (`refresh: always`)."""
        return self.operation == CREATING

    @property
    def of_a_command(self) -> bool:
        """Whether it is a step of the update, rather than a thing in AWS."""
        return self.urn.split("::")[2:3] == [_COMMAND] or f"${_COMMAND}::" in self.urn

    def __str__(self) -> str:
        return f"{self.operation} {self.urn}"

    def as_json(self) -> dict[str, Any]:
        """Return it for a program."""
        return {
            "operation": self.operation,
            "urn": self.urn,
            "made_since": self.made_since,
            "needs_a_person": self.needs_a_person,
        }


def pending_operations(files: Files, stack: Stack) -> list[PendingOperation] | None:
    """Return what was begun and has not ended; None when the backend has no such stack.

    Raises:
        CannotAct: the state cannot be read.

    """
    path = f".pulumi/stacks/{stack.project}/{stack.name}.json"
    for key in (path, f"{path}.gz", f"{path}.zst"):
        content = files.read(key)
        if content is not None:
            return _pending(key, content)
    return None


def _pending(key: str, content: bytes) -> list[PendingOperation]:
    if key.endswith(".zst"):
        raise CannotAct(f"{key} is compressed by zstd, which this does not read")
    try:
        latest = json.loads(gzip.decompress(content) if key.endswith(".gz") else content)["checkpoint"]["latest"] or {}
        urns = {resource["urn"] for resource in latest.get("resources") or []}
        return [
            PendingOperation(
                operation=str(each["type"]),
                urn=str(each["resource"]["urn"]),
                made_since=each["resource"]["urn"] in urns,
            )
            for each in latest.get("pending_operations") or []
        ]
    except (ValueError, KeyError, TypeError, AttributeError, OSError, EOFError, zlib.error) as error:
        raise CannotAct(f"{key} is no state this can read ({type(error).__name__})") from error
