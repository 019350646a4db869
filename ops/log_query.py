"""The log of one process across all its tasks, read from CloudWatch Logs: once, or as it grows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ops.errors import CannotAct
from ops.log_lines import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_logs import CloudWatchLogsClient

    from ops.stack import Stack

# CloudWatch Logs shows lines some seconds after they were written, and those of several tasks in no order.
OVERLAP_SECONDS = 30
_AT_ONCE = 10_000


class LogQuery:
    """The lines of one log group from a moment on, each handed out once, the oldest first."""

    def __init__(self, logs: CloudWatchLogsClient, stack: Stack, process: str, since_ms: int, pattern: str) -> None:
        self._logs = logs
        self._stack = stack
        self._group = stack.log_group(process)
        self._since_ms = since_ms
        self._pattern = pattern
        self._newest_ms = since_ms
        self._seen: dict[str, int] = {}

    def new_lines(self) -> Iterator[Line]:
        """Read the lines that were not handed out before.

        Raises:
            CannotAct: there is no such log group.

        """
        start = max(self._since_ms, self._newest_ms - OVERLAP_SECONDS * 1000)
        request: dict[str, Any] = {"logGroupName": self._group, "startTime": start, "limit": _AT_ONCE}
        request |= {"filterPattern": self._pattern} if self._pattern else {}
        while True:
            try:
                page = self._logs.filter_log_events(**request)
            except self._logs.exceptions.ResourceNotFoundException as error:
                raise self._no_group() from error
            lines = [Line.of(event) for event in page["events"]]
            fresh = [line for line in lines if line.identity not in self._seen]
            self._seen.update((line.identity, line.timestamp_ms) for line in fresh)
            self._newest_ms = max([self._newest_ms, *(line.timestamp_ms for line in lines)])
            self._forget(self._newest_ms - OVERLAP_SECONDS * 1000)
            yield from fresh
            # A page may be empty before the end: only a missing token is the end.
            if page.get("nextToken"):
                request["nextToken"] = page["nextToken"]
            elif len(lines) >= _AT_ONCE and fresh:
                # As full as an answer may be, and no token (the rehearsal's emulator has none): go on from its last.
                request["startTime"] = lines[-1].timestamp_ms
            else:
                return

    def _forget(self, before_ms: int) -> None:
        """What is not read again need not be known."""
        self._seen = {identity: at for identity, at in self._seen.items() if at >= before_ms}

    def _no_group(self) -> CannotAct:
        prefix = self._stack.log_group("")
        found = self._logs.describe_log_groups(logGroupNamePrefix=prefix)["logGroups"]
        processes = ", ".join(sorted(item.get("logGroupName", "").removeprefix(prefix) for item in found))
        return CannotAct(
            f"there is no log group {self._group} in this account and region. "
            + (
                f"Give --process one of: {processes}."
                if processes
                else "Check --stack, --project, the account and the region, or deploy the stack first (`pulumi up`)."
            )
        )
