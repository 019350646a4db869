"""One pass: all gauges at once, none of which keeps the others from being read."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ops.watch import jobs, readiness, secret_age, tasks
from ops.watch.measure import Measure

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Mapping

    from ops.watch.assignment import Assignment
    from ops.watch.clients import Clients

    Gauge = Callable[[], Iterable[Measure]]

logger = logging.getLogger("watch")
# What has not been read by then is published without.
PATIENCE_SECONDS = 30


@dataclass(frozen=True, kw_only=True)
class Pass:
    """What was read, and which gauges could not be, with why."""

    measures: tuple[Measure, ...]
    failed: Mapping[str, str]

    @property
    def all(self) -> tuple[Measure, ...]:
        """With `Watched`: 1 when everything could be read.

        0 keeps a gauge that nobody can read, for want of a permission say, from being a silence that looks like peace.
        """
        return Measure(name="Watched", value=float(not self.failed)), *self.measures


def read(assignment: Assignment, clients: Clients, now: dt.datetime, *, by_hand: bool) -> Pass:
    """Read the gauges that are due; by hand every one of them, and nothing is remembered."""
    gauges: dict[str, Gauge] = {
        "readiness": lambda: readiness.gauge(assignment),
        "tasks": lambda: tasks.gauge(assignment, clients),
        "jobs": lambda: jobs.gauge(assignment, clients, now, by_hand=by_hand),
    }
    if by_hand or secret_age.is_due(now):
        gauges["secret age"] = lambda: secret_age.gauge(assignment, clients, now)
    return run(gauges, PATIENCE_SECONDS)


def run(gauges: Mapping[str, Gauge], patience_seconds: float) -> Pass:
    """Read gauges side by side, and wait so long for all of them together."""
    found: dict[str, list[Measure]] = {name: [] for name in gauges}
    failed: dict[str, str] = {}

    def read_one(name: str, gauge: Gauge) -> None:
        try:
            for measure in gauge():
                found[name].append(measure)
        except Exception as error:  # whatever it is, it is this gauge's
            logger.exception("the gauge %s could not be read", name)
            failed[name] = f"{type(error).__name__}: {error}"

    threads = {
        name: threading.Thread(target=read_one, args=(name, gauge), daemon=True) for name, gauge in gauges.items()
    }
    for thread in threads.values():
        thread.start()
    deadline = time.monotonic() + patience_seconds
    for thread in threads.values():
        thread.join(max(0.0, deadline - time.monotonic()))
    late = [name for name, thread in threads.items() if thread.is_alive()]
    if late:
        logger.error("no answer within %g s: %s", patience_seconds, ", ".join(late))
    return Pass(
        measures=tuple(measure for read in found.values() for measure in read),
        failed={**failed, **dict.fromkeys(late, f"no answer within {patience_seconds:g} s")},
    )
