"""The lock of a stack's state, as the CLI keeps it in a bucket: one object for each process that has it."""

import contextlib
import getpass
import json
import os
import socket
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from rehearsal.errors import RehearsalError


class LockedError(RehearsalError):
    """Another process has the stack."""


@dataclass(frozen=True, kw_only=True)
class StateLock:
    """The locks of one stack in the backend `s3://BUCKET?...`."""

    s3: Any
    backend: str
    project: str
    stack: str
    _own: str = field(default_factory=lambda: str(uuid.uuid4()))

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Have the stack to oneself. LockedError, in the CLI's words, where another has it.

        A process that is killed leaves its lock behind, as the CLI does.
        """
        self._check()
        self.s3.put_object(Bucket=self._bucket, Key=f"{self._prefix}{self._own}.json", Body=json.dumps(_content()))
        try:
            # Two may have looked at the same moment: then both go.
            self._check()
            yield
        finally:
            self.s3.delete_object(Bucket=self._bucket, Key=f"{self._prefix}{self._own}.json")

    def keep_state(self) -> None:
        """Have a state in the bucket: there is nothing to lock without one. What it would hold, the rehearsal keeps."""
        key = f".pulumi/stacks/{self.project}/{self.stack}.json"
        state = {"version": 3, "checkpoint": {"stack": f"organization/{self.project}/{self.stack}", "latest": {}}}
        self.s3.put_object(Bucket=self._bucket, Key=key, Body=json.dumps(state))

    def cancel(self) -> None:
        """Remove every lock, whoever has it."""
        for key in self._keys():
            self.s3.delete_object(Bucket=self._bucket, Key=key)

    def _check(self) -> None:
        others = [key for key in self._keys() if not key.endswith(f"/{self._own}.json")]
        if others:
            listing = "".join(f"\n  {self._told(key)}" for key in others)
            raise LockedError(
                f"the stack is currently locked by {len(others)} lock(s). Either wait for the other process(es) to end"
                f" or delete the lock file with `pulumi cancel`.{listing}"
            )

    def _told(self, key: str) -> str:
        holder = json.loads(self.s3.get_object(Bucket=self._bucket, Key=key)["Body"].read())
        who = f"{holder['username']}@{holder['hostname']} (pid {holder['pid']})"
        return f"s3://{self._bucket}/{key}: created by {who} at {holder['timestamp']}"

    def _keys(self) -> list[str]:
        found = self.s3.list_objects_v2(Bucket=self._bucket, Prefix=self._prefix)
        return [each["Key"] for each in found.get("Contents", [])]

    @property
    def _prefix(self) -> str:
        return f".pulumi/locks/organization/{self.project}/{self.stack}/"

    @property
    def _bucket(self) -> str:
        parts = urlsplit(self.backend)
        if parts.scheme != "s3" or not parts.netloc:
            raise RehearsalError(
                f"PULUMI_BACKEND_URL={self.backend} is no s3://BUCKET.",
                remedy="Give the address that bootstrap answers as state_url.",
            )
        return parts.netloc


def _content() -> dict[str, Any]:
    return {
        "pid": os.getpid(),
        "username": getpass.getuser(),
        "hostname": socket.gethostname(),
        "timestamp": datetime.now(tz=UTC).isoformat(),
    }
