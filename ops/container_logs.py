"""The log of one container of one task, read from CloudWatch Logs as it grows."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from ops.errors import code_of, explain

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import TaskDefinitionTypeDef
    from mypy_boto3_logs import CloudWatchLogsClient

    from ops.clock import Clock

LAST_LINES = 20


def task_id(task_arn: str) -> str:
    """Return the last part of a task's ARN, which is what log streams are named by."""
    return task_arn.rsplit("/", 1)[-1]


@dataclass(frozen=True, kw_only=True)
class LogStream:
    """Where a container's lines are kept."""

    group: str
    name: str

    def __str__(self) -> str:
        return f"log group {self.group}, stream {self.name}"


def log_stream(definition: TaskDefinitionTypeDef, container: str, task_arn: str) -> LogStream | None:
    """Say where the awslogs driver puts a container's lines; None when the container does not use it."""
    for candidate in definition.get("containerDefinitions", []):
        configuration = candidate.get("logConfiguration")
        if candidate.get("name") != container or not configuration or configuration.get("logDriver") != "awslogs":
            continue
        options = configuration.get("options", {})
        group, prefix = options.get("awslogs-group"), options.get("awslogs-stream-prefix")
        if group and prefix:
            return LogStream(group=group, name=f"{prefix}/{container}/{task_id(task_arn)}")
    return None


class LogTail:
    """Reads a stream from its beginning, each line once, and remembers the last ones.

    A log that cannot be read never fails what it is the log of: `problem` says why, and there are no lines.
    """

    def __init__(self, logs: CloudWatchLogsClient, stream: LogStream | None) -> None:
        self._logs = logs
        self._stream = stream
        self._token: str | None = None
        self.last_lines: deque[str] = deque(maxlen=LAST_LINES)
        self.problem = "" if stream else "the container does not use the awslogs driver with a stream prefix"

    def new_lines(self) -> list[str]:
        """Return the lines that arrived since the last call."""
        if self._stream is None or self.problem:
            return []
        try:
            lines = self._read(self._stream)
        except (ClientError, BotoCoreError) as error:
            # The stream appears with the container's first line.
            if not (isinstance(error, ClientError) and code_of(error) == "ResourceNotFoundException"):
                self.problem = str(explain(error))
            return []
        self.last_lines.extend(lines)
        return lines

    def drain(self, clock: Clock, patience_seconds: float) -> list[str]:
        """Return what is left of an ended container: lines reach CloudWatch Logs a little after they were written."""
        lines = self.new_lines()
        until = clock.now() + patience_seconds
        while clock.now() < until and not self.problem:
            clock.sleep(0.5)
            late = self.new_lines()
            if not late and self.last_lines:
                break
            lines += late
        return lines

    def _read(self, stream: LogStream) -> list[str]:
        lines: list[str] = []
        while True:
            request = {"nextToken": self._token} if self._token else {}
            page = self._logs.get_log_events(
                logGroupName=stream.group,
                logStreamName=stream.name,
                startFromHead=True,
                **request,  # type: ignore[arg-type]  # the stubs know no optional token
            )
            lines += [event.get("message", "") for event in page["events"]]
            # A page may be empty before the end; the end is where the token stays the same.
            if page["nextForwardToken"] == self._token:
                return lines
            self._token = page["nextForwardToken"]


def last_lines(logs: CloudWatchLogsClient, stream: LogStream | None, clock: Clock) -> tuple[list[str], str]:
    """Return a container's last lines, and in words why there are none."""
    if stream is None:
        return [], LogTail(logs, None).problem
    for attempt in range(3):
        if attempt:
            clock.sleep(1)
        try:
            page = logs.get_log_events(
                logGroupName=stream.group, logStreamName=stream.name, startFromHead=False, limit=LAST_LINES
            )
        except (ClientError, BotoCoreError) as error:
            if isinstance(error, ClientError) and code_of(error) == "ResourceNotFoundException":
                continue
            return [], str(explain(error))
        if page["events"]:
            return [event.get("message", "") for event in page["events"]], ""
    return [], "it wrote nothing"
