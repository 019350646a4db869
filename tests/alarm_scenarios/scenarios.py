"""What may happen to a stack, and what its alarms must do about it: who is told, and within how many minutes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rehearsal.cloudwatch.alarm import MINUTE
from rehearsal.cloudwatch.recording import Recording
from rehearsal.cloudwatch.replay import Replay
from tests.alarm_scenarios.world import GIB, HEALTHY, HEALTHY_TASKS, Minute, outage, publish, traffic

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.alarm_scenarios.registered import Registered

BEGIN = 1_790_002_800
DAY, HOUR = 1440, 60  # minutes
# The longest window that an alarm looks at must be full of healthy traffic first, as it is in a stack that lives.
BEFORE = DAY
LOOKED_AT_BEFORE = 15


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """So many minutes of something, after a day of `usual` and with some of it afterwards.

    `within` says which alarms must be raised, and by how many minutes after the beginning; `only` names all that may
    tell anybody, those in `within` included, unless it is None.
    """

    name: str
    minutes: int
    happens: Callable[[int], Minute]
    within: Mapping[str, int] = field(default_factory=dict)
    only: frozenset[str] | None = None
    usual: Minute = field(default_factory=lambda: HEALTHY)
    afterwards: int = 2 * HOUR
    late_too: bool = True
    """Whether the limits hold, too, when CloudWatch gets each minute's numbers a minute late."""


@dataclass(frozen=True, kw_only=True)
class Raised:
    """An alarm that told somebody: minutes from the beginning until it was raised and cleared (None: not yet)."""

    label: str
    audience: str
    after: int
    cleared: int | None
    times: int


def constantly(minute: Minute) -> Callable[[int], Minute]:
    """The same in each minute."""
    return lambda _: minute


def nothing() -> frozenset[str]:
    """What may be raised when nobody has to be told."""
    return frozenset()


def _filling(minute: int) -> Minute:
    return {"RDS FreeStorageSpace": max(20 * GIB - minute * GIB // 4, GIB // 10)}


def _deployment(minute: int) -> Minute:
    """New tasks start beside the old ones, a few requests break off, and answers are slow while code is first run."""
    if minute < 2:
        return {"TasksMissing": 2}
    if minute == 4:
        return traffic(600, broken_off=3, slow=12, slowness=1.4) | {HEALTHY_TASKS: 4}
    return traffic(600, slow=3, slowness=1.2) | {HEALTHY_TASKS: 4}


def _spike(minute: int) -> Minute:
    """Autoscaling has brought more tasks after some minutes."""
    helped = minute > 6
    return traffic(6000, slow=10, slowness=1.2 if helped else 1.6) | {"ECS CPUUtilization": 60 if helped else 97}


def _flapping(minute: int) -> Minute:
    return traffic(600, app_errors=60) if minute % 2 == 0 else HEALTHY


def _gap(_: int) -> Minute:
    return dict.fromkeys(HEALTHY, None)


NIGHT = HEALTHY | traffic(2)
NOBODY_COMES = HEALTHY | traffic(0)
MISSED_RUN_SECONDS = 3 * DAY * MINUTE

SCENARIOS = (
    Scenario(
        name="total outage: no tasks",
        minutes=30,
        happens=constantly(outage(600)),
        within={"balancer-errors": 3, "not-ready": 3},
    ),
    Scenario(
        name="total outage: every answer is 500",
        minutes=30,
        happens=constantly(traffic(600, app_errors=600)),
        within={"target-errors": 3},
    ),
    Scenario(
        name="zero tasks, no traffic",
        minutes=30,
        usual=NOBODY_COMES,
        happens=constantly(outage(0)),
        # A target group without targets has no data, and CloudWatch looks at what it had before first.
        within={"not-ready": 3, "no-healthy-target": 4},
    ),
    Scenario(
        name="2 % errors",
        minutes=2 * HOUR,
        happens=constantly(traffic(600, app_errors=12)),
        # 1.44 % of an hour's requests are bad after 1.44 / 2 of the hour.
        within={"target-errors": 3, "availability-burn-fast": 44},
    ),
    Scenario(
        name="2 % errors, little traffic",
        minutes=2 * HOUR,
        usual=HEALTHY | traffic(100),
        happens=constantly(traffic(100, app_errors=2)),
        within={"availability-burn-fast": 44},
    ),
    Scenario(
        name="burn of 14.4",
        minutes=2 * HOUR,
        usual=HEALTHY | traffic(625),
        happens=constantly(traffic(625, app_errors=9)),
        within={"availability-burn-fast": 60},
    ),
    Scenario(
        name="burn of 14.4, little traffic",
        minutes=2 * HOUR,
        usual=HEALTHY | traffic(277),
        happens=constantly(traffic(277, app_errors=4)),
        within={"availability-burn-fast": 60},
    ),
    Scenario(
        name="slow burn: 0.8 % errors",
        minutes=8 * HOUR,
        usual=HEALTHY | traffic(250),
        happens=constantly(traffic(250, app_errors=2)),
        within={"availability-burn-medium": 270},
    ),
    Scenario(
        name="slow burn: 0.4 % errors",
        minutes=DAY,
        usual=HEALTHY | traffic(250),
        happens=constantly(traffic(250, app_errors=1)),
        within={"availability-burn-slow": 1080},
        only=frozenset({"availability-burn-slow"}),
        afterwards=6 * HOUR,
    ),
    Scenario(
        name="latency doubled",
        minutes=HOUR,
        usual=HEALTHY | traffic(600, slow=40, jam=0.8),
        happens=constantly(traffic(600, slow=40, jam=1.6, slowness=2)),
        within={"slow-p95": 4},
    ),
    Scenario(
        name="one request in five takes 3 s",
        minutes=HOUR,
        happens=constantly(traffic(600, slow=120)),
        within={"slow-p95": 4, "latency-burn-fast": 44},
    ),
    Scenario(
        name="disk filling",
        minutes=2 * HOUR,
        happens=_filling,
        # 5 GiB are a tenth of what the database began with; 15 are gone after an hour. Three windows of five minutes.
        within={"database-storage": 60 + 15},
        only=frozenset({"database-storage"}),
    ),
    Scenario(
        name="job not run",
        minutes=2 * HOUR,
        happens=lambda minute: {"SecondsSinceSuccess": MISSED_RUN_SECONDS + minute * MINUTE},
        within={"job-overdue-clear-sessions": 10},
        only=frozenset({"job-overdue-clear-sessions"}),
    ),
    Scenario(
        name="one error at night", minutes=1, usual=NIGHT, happens=constantly(traffic(2, app_errors=1)), only=nothing()
    ),
    Scenario(
        name="spike: ten times the traffic",
        minutes=20,
        happens=_spike,
        only=nothing(),
    ),
    Scenario(name="deployment", minutes=8, happens=_deployment, only=nothing()),
    Scenario(name="no metrics for 2 minutes", minutes=2, happens=_gap, only=nothing(), late_too=False),
    Scenario(
        name="flapping: errors every other minute",
        minutes=HOUR,
        happens=_flapping,
        within={"target-errors": 4, "availability-burn-fast": 20},
    ),
)


def play(scenario: Scenario, stack: Registered, late_minutes: int = 0) -> list[Raised]:
    """What alarms told anybody of it, first come first; numbers are known so many minutes after their own."""
    minutes = BEFORE + scenario.minutes + scenario.afterwards
    recording = Recording(begin=BEGIN, minutes=minutes)

    def happening(minute: int) -> Minute:
        since = minute - BEFORE
        return scenario.usual | scenario.happens(since) if 0 <= since < scenario.minutes else scenario.usual

    publish(recording, stack.alarms.values(), ((minute, happening(minute)) for minute in range(minutes)))
    start = BEGIN + BEFORE * MINUTE
    replay = Replay(
        source=recording,
        begin=start - LOOKED_AT_BEFORE * MINUTE,
        end=BEGIN + minutes * MINUTE,
        late=late_minutes * MINUTE,
    )
    found = []
    for label, changes in replay.changes(stack.alarms, stack.composites).items():
        times = [((at - start) // MINUTE, state) for at, state in changes]
        raised = [after for after, state in times if state == "ALARM"]
        audience = stack.telling.get(label, "")
        if raised and audience in ("pages", "tickets"):
            cleared = [after for after, state in times if state == "OK" and after > raised[-1]]
            found.append(
                Raised(
                    label=label,
                    audience=audience,
                    after=raised[0],
                    cleared=cleared[0] if cleared else None,
                    times=len(raised),
                )
            )
    return sorted(found, key=lambda one: (one.after, one.label))
