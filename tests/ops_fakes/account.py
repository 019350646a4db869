"""What the fakes share: the account's names, a clock that only moves when someone sleeps, and error answers."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

ACCOUNT = "123456789012"
REGION = "us-east-1"
ARN = f"arn:aws:{{}}:{REGION}:{ACCOUNT}:{{}}"
RELEASE = "sha256:" + "a" * 64
OLD_RELEASE = "sha256:" + "b" * 64
BASE_TIME = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)
DNS_NAME = "pactum-staging-1234.us-east-1.elb.amazonaws.com"
TARGET_GROUP = ARN.format("elasticloadbalancing", "targetgroup/web/0123456789abcdef")
STEP_LIMIT = 5000


class Refused(Exception):  # noqa: N818 - it is an answer
    """An error answer of AWS."""

    def __init__(self, code: str, message: str = "refused") -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class FakeClock:
    """A clock that only moves when someone sleeps, and lets planned things happen as it moves."""

    def __init__(self) -> None:
        self.time = 0.0
        self._plan: list[tuple[float, Callable[[], object]]] = []
        self._steps = 0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self._steps += 1
        assert self._steps < STEP_LIMIT, "the command waits without an end"
        self.time += seconds
        due = sorted((item for item in self._plan if item[0] <= self.time), key=lambda item: item[0])
        self._plan = [item for item in self._plan if item[0] > self.time]
        for _, happen in due:
            happen()

    def at(self, time: float, happen: Callable[[], object]) -> None:
        self._plan.append((time, happen))

    def date(self) -> dt.datetime:
        return BASE_TIME + dt.timedelta(seconds=self.time)
