"""A stage on a server of the test's own, which needs no bringing back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rehearsal.drills.stage import Stage
from rehearsal.place import Place
from rehearsal.smoke import Live
from rehearsal.updater import Updater

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehearsal.load import Load

LIVE = Live(stack="staging", url="http://pactum.example.com", release="sha256:one", cluster="c", service="web")


class FakeStage(Stage):
    """A stack that needs no bringing back."""

    recovered = 0
    problem: Exception | None = None

    def recover(self) -> None:
        type(self).recovered += 1
        if self.problem:
            raise self.problem


def stage_at(gateway_port: int) -> FakeStage:
    """One whose balancer answers at this port."""
    updater = Updater(stack="staging", place=Place(gateway_port=gateway_port, front_port=1))
    updater.live = LIVE
    return FakeStage(updater=updater)


def asked(load: Load, more: int) -> None:
    """Wait until so many more requests were answered, however busy the machine is."""
    wanted = load.requests + more
    until(lambda: load.requests >= wanted)


def until(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it did not come about within 30 s"
        time.sleep(0.01)
