"""The log of one container of one task, read from CloudWatch Logs as it grows."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from ops.errors import code_of, explain

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_ecs.type_defs import TaskDefinitionTypeDef
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import OutputLogEventTypeDef

    from ops.clock import Clock

LAST_LINES = 20
_LOOK_AGAIN_SECONDS = 0.5


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


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long to wait for the last lines of an ended container, which CloudWatch Logs shows seconds later."""

    quiet_seconds: float
    """Once there are lines, this long without a new one is taken for the end."""
    most_seconds: float


WITH_A_SUCCESS = Patience(quiet_seconds=0.5, most_seconds=2)
# What a person's command wrote is its answer, well or not.
WITH_A_COMMAND = Patience(quiet_seconds=2, most_seconds=10)
# The very last lines tell why it failed: the traceback often comes alone, some seconds after what was written before.
WITH_A_FAILURE = Patience(quiet_seconds=3, most_seconds=10)


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

    def drain(self, clock: Clock, patience: Patience) -> list[str]:
        """Return what is left of an ended container's lines, the late ones too."""
        lines = self.new_lines()

        def look() -> bool:
            late = self.new_lines()
            lines.extend(late)
            return bool(late)

        if not self.problem:
            _look_until_quiet(look, clock, patience, has_lines=bool(self.last_lines))
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


def last_lines(
    logs: CloudWatchLogsClient, stream: LogStream | None, clock: Clock, patience: Patience | None
) -> tuple[list[str], str]:
    """Return a container's last lines, and in words why there are none; without patience, by one look."""
    if stream is None:
        return [], LogTail(logs, None).problem
    try:
        events = _newest_events(logs, stream)

        def look() -> bool:
            nonlocal events
            before, events = events, _newest_events(logs, stream)
            return events != before

        if patience:
            _look_until_quiet(look, clock, patience, has_lines=bool(events))
    except (ClientError, BotoCoreError) as error:
        return [], str(explain(error))
    return [event.get("message", "") for event in events], "" if events else "it wrote nothing"


def _newest_events(logs: CloudWatchLogsClient, stream: LogStream) -> list[OutputLogEventTypeDef]:
    try:
        page = logs.get_log_events(
            logGroupName=stream.group, logStreamName=stream.name, startFromHead=False, limit=LAST_LINES
        )
    except logs.exceptions.ResourceNotFoundException:
        return []
    return page["events"]


def _look_until_quiet(look: Callable[[], bool], clock: Clock, patience: Patience, *, has_lines: bool) -> None:
    """Look again and again, as long as patience says; `look` tells whether something new was there."""
    began = clock.now()
    newest = began if has_lines else None
    while clock.now() - began < patience.most_seconds:
        if newest is not None and clock.now() - newest >= patience.quiet_seconds:
            return
        clock.sleep(_LOOK_AGAIN_SECONDS)
        if look():
            newest = clock.now()
