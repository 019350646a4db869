"""A stage on a server of the test's own, which needs no bringing back."""

from __future__ import annotations

from rehearsal.drills.stage import Stage
from rehearsal.place import Place
from rehearsal.smoke import Live
from rehearsal.updater import Updater

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
