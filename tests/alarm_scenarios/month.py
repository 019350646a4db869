"""A month of a healthy stack: days and quiet nights, noise, deployments, accidents that nobody need be told of."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

from tests.alarm_scenarios.world import HEALTHY, HEALTHY_TASKS, traffic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.alarm_scenarios.world import Minute

DAYS, DAY = 30, 1440
# One request in five thousand fails, and one in 250 is slow: a fifth, and two fifths, of what was promised.
FAILING, SLOW = 1 / 5000, 1 / 250
BUSIEST, NIGHT_REQUESTS = 900, 2
DEPLOYMENTS = {620, 940}  # minutes of a working day: 10:20 and 15:40
NIGHTLY_DEPLOYMENT, NIGHTLY_WEEKDAY = 120, 2
DEPLOYMENT_MINUTES = 8
JOB_AT, LONGEST_JOB = 195, 40
WEEKEND = (5, 6)
# Few, so that there are few distinct times in all: each is counted by itself.
SLOWNESS = (1.0, 1.1, 1.2)


def month(seed: int) -> Iterator[tuple[int, Minute]]:
    """The minutes of a month that begins on a Monday at midnight, the same for a seed."""
    chance = random.Random(seed)  # noqa: S311 - a made-up month
    job_ended, deployed = JOB_AT - DAY, -DAY
    job_takes = chance.randrange(1, LONGEST_JOB)
    for minute in range(DAYS * DAY):
        day, of_day = divmod(minute, DAY)
        weekday = day % 7
        if of_day == JOB_AT + job_takes:
            job_ended, job_takes = minute, chance.randrange(1, LONGEST_JOB)
        nightly = weekday == NIGHTLY_WEEKDAY and of_day == NIGHTLY_DEPLOYMENT
        if nightly or (weekday not in WEEKEND and of_day in DEPLOYMENTS):
            deployed = minute
        happening = _traffic(chance, _busy(of_day, weekday in WEEKEND), minute - deployed)
        happening |= _tasks(chance, minute - deployed)
        happening["SecondsSinceSuccess"] = float(minute - job_ended) * 60
        if chance.random() < 1 / DAY:  # the watch's own accidents, and the network's
            happening |= {"Watched": None, "ReadinessFailing": None, "TasksMissing": None, "SecondsSinceSuccess": None}
        elif chance.random() < 1 / (3 * DAY):
            happening["ReadinessFailing"] = 1
        yield minute, happening


def _busy(of_day: int, weekend: bool) -> float:
    """Requests to expect in a minute: most of them at 15:00, hardly any between 22:00 and 07:00."""
    hours = of_day / 60
    if not 7 <= hours < 22:
        return NIGHT_REQUESTS
    height = math.sin(math.pi * (hours - 7) / 15)
    return NIGHT_REQUESTS + BUSIEST * height * (0.3 if weekend else 1)


def _many(chance: random.Random, expected: float) -> int:
    """About so many, by chance: by the normal distribution where there are many, by single chances where few."""
    if expected > 20:
        return max(0, round(chance.gauss(expected, math.sqrt(expected))))
    whole = int(expected * 4)
    return sum(chance.random() < 1 / 4 for _ in range(whole)) + (chance.random() < expected - whole / 4)


def _traffic(chance: random.Random, expected: float, since_deployment: int) -> Minute:
    if chance.random() < 1 / DAY:  # a spike: somebody wrote about us
        expected *= 4
    requests = _many(chance, expected)
    errors = _many(chance, requests * FAILING)
    if requests > BUSIEST // 2 and chance.random() < 1 / (2 * DAY):  # a page that somebody reloads and reloads
        errors += 6
    slow, broken_off = min(requests, _many(chance, requests * SLOW)), 0
    slowness = chance.choice(SLOWNESS)
    if 0 <= since_deployment < DEPLOYMENT_MINUTES:  # first requests are slow, and connections of old tasks may break
        slow, slowness = min(requests, slow + _many(chance, requests / 50)), slowness * 1.3
        broken_off = min(requests - slow, 2) if since_deployment == DEPLOYMENT_MINUTES // 2 else 0
    return traffic(requests, app_errors=min(errors, requests), broken_off=broken_off, slow=slow, slowness=slowness)


def _tasks(chance: random.Random, since_deployment: int) -> Minute:
    """New tasks take two minutes to start; so does one that autoscaling asks for, now and then."""
    if 0 <= since_deployment < 2:
        return {"TasksMissing": 2}
    if since_deployment < DEPLOYMENT_MINUTES:
        return {HEALTHY_TASKS: 4}
    return {"TasksMissing": 1} if chance.random() < 3 / DAY else {"TasksMissing": HEALTHY["TasksMissing"]}
