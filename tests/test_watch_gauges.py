"""ops/watch: what a pass reads of services and secrets, and that one gauge's trouble stays its own."""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from typing import TYPE_CHECKING

import pytest

from ops.watch import gauges, secret_age, tasks
from ops.watch.assignment import AssignmentError, read
from ops.watch.measure import Measure, publish
from tests.ops_fakes.account import BASE_TIME, Refused
from tests.watch_fakes import ENVIRONMENT, KEY, LOGIN, Watched, assignment_of, clients_of

if TYPE_CHECKING:
    from collections.abc import Iterator


def missing(world: Watched, services: str = "web,mail") -> dict[str, float]:
    found = tasks.gauge(assignment_of(SERVICES=services), clients_of(world))
    assert {one.name for one in found} == {"TasksMissing"}
    return {one.dimensions["Service"]: one.value for one in found}


def test_tasks_that_do_not_run_are_missing_service_by_service() -> None:
    assert missing(Watched(services_={"web": (3, 1), "mail": (1, 1)})) == {"web": 2.0, "mail": 0.0}


def test_during_a_rollout_there_are_more_tasks_than_wanted_and_none_is_missing() -> None:
    assert missing(Watched(services_={"web": (2, 4), "mail": (1, 2)})) == {"web": 0.0, "mail": 0.0}


def test_a_service_that_is_gone_lacks_a_task_whatever_is_known_of_it() -> None:
    world = Watched(services_={"mail": (0, 0)}, inactive={"mail"})
    assert missing(world) == {"web": 1.0, "mail": 1.0}, "nobody else would notice"


def test_more_services_than_ecs_tells_of_at_once_are_all_asked_for() -> None:
    names = [f"w{number}" for number in range(21)]
    world = Watched(services_=dict.fromkeys(names, (1, 0)))
    assert missing(world, ",".join(names)) == dict.fromkeys(names, 1.0)
    assert len(world.asked("DescribeServices")) == 3


def age(world: Watched) -> list[float]:
    return [one.value for one in secret_age.gauge(assignment_of(), clients_of(world), BASE_TIME)]


def test_the_age_is_that_of_the_oldest_value_that_tasks_are_given() -> None:
    world = Watched()
    world.put_value(KEY, 500, "AWSPREVIOUS")
    world.put_value(KEY, 2, "AWSCURRENT")
    world.put_value(LOGIN, 40.5, "AWSCURRENT")
    assert age(world) == [40.5], "neither the previous value, nor the youngest secret"


def test_a_value_that_was_taken_back_is_as_old_as_it_was() -> None:
    world = Watched()
    world.put_value(KEY, 400, "AWSCURRENT")
    world.put_value(KEY, 1, "AWSPREVIOUS")
    assert age(world) == [400.0]


def test_without_any_value_there_is_no_age() -> None:
    assert age(Watched()) == []


def test_no_value_is_asked_for() -> None:
    world = Watched()
    age(world)
    assert {name for name, _ in world.calls} == {"ListSecretVersionIds"}


@pytest.mark.parametrize(("minute", "due"), [(0, True), (1, False), (14, False), (15, True), (45, True)])
def test_secrets_are_looked_at_every_quarter_of_an_hour(minute: int, *, due: bool) -> None:
    world = Watched()
    world.put_value(KEY, 1, "AWSCURRENT")
    moment = BASE_TIME.replace(minute=minute)
    seen = gauges.read(assignment_of(**refusing()), clients_of(world), moment, by_hand=False)
    assert ("SecretAgeDays" in {one.name for one in seen.measures}) is due, "a look a minute would cost per secret"


def refusing() -> dict[str, str]:
    """Where nobody listens."""
    return {"READINESS_URL": "http://127.0.0.1:1/readyz"}


def test_by_hand_every_gauge_is_read() -> None:
    world = Watched()
    world.put_value(KEY, 1, "AWSCURRENT")
    moment = BASE_TIME.replace(minute=7)
    seen = gauges.read(assignment_of(**refusing()), clients_of(world), moment, by_hand=True)
    names = [one.name for one in seen.all]
    assert names == [
        "Watched",
        "ReadinessFailing",
        "TasksMissing",
        "TasksMissing",
        "SecondsSinceSuccess",
        "SecretAgeDays",
    ]
    assert seen.all[0].value == 1.0


def test_a_gauge_that_cannot_be_read_keeps_no_other_from_it_and_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    world = Watched()

    def refused() -> None:
        raise Refused("AccessDeniedException", "no ecs:DescribeServices")

    world.before["DescribeServices"] = refused
    with caplog.at_level(logging.ERROR):
        seen = gauges.read(assignment_of(**refusing()), clients_of(world), BASE_TIME, by_hand=False)
    assert {one.name for one in seen.measures} == {"ReadinessFailing", "SecondsSinceSuccess"}
    assert list(seen.failed) == ["tasks"]
    assert "AccessDeniedException" in seen.failed["tasks"]
    assert "AccessDeniedException" in caplog.text, "the log is where watch-silent sends people"
    assert seen.all[0] == Measure(name="Watched", value=0.0), "alarms that stay as they were would be blind for ever"


def test_a_gauge_without_an_answer_is_given_up_and_the_others_are_there(caplog: pytest.LogCaptureFixture) -> None:
    answered = threading.Event()
    one = Measure(name="One", value=1.0)

    def late() -> list[Measure]:
        answered.wait(30)
        return [Measure(name="Late", value=1.0)]

    names = [f"late-{number}" for number in range(9)]
    began = time.monotonic()
    seen = gauges.run({**dict.fromkeys(names, late), "one": lambda: [one]}, patience_seconds=0.5)
    took = time.monotonic() - began
    answered.set()
    assert took < 3, "one after the other they would take longer than the function has"
    assert seen.measures == (one,)
    assert seen.failed == dict.fromkeys(names, "no answer within 0.5 s")
    assert "late-0, late-1" in caplog.text


def test_what_was_read_before_a_gauge_was_late_or_failed_is_published() -> None:
    answered = threading.Event()

    def begun(ends: bool) -> Iterator[Measure]:
        yield Measure(name="First", value=1.0, dimensions={"Late": str(not ends)})
        if ends:
            raise RuntimeError
        answered.wait(30)

    seen = gauges.run({"late": lambda: begun(ends=False), "lost": lambda: begun(ends=True)}, patience_seconds=0.5)
    answered.set()
    assert [one.dimensions["Late"] for one in seen.measures] == ["True", "False"]
    assert set(seen.failed) == {"late", "lost"}


def test_one_request_publishes_everything_of_a_moment() -> None:
    world = Watched()
    measures = [Measure(name="A", value=2.0), Measure(name="B", value=3.5, unit="Seconds", dimensions={"Job": "x"})]
    publish(clients_of(world).cloudwatch, "pactum/staging", BASE_TIME, measures)
    (asked,) = world.published
    assert asked["Namespace"] == "pactum/staging"
    assert asked["MetricData"] == [
        {"MetricName": "A", "Dimensions": [], "Timestamp": BASE_TIME, "Value": 2.0, "Unit": "Count"},
        {
            "MetricName": "B",
            "Dimensions": [{"Name": "Job", "Value": "x"}],
            "Timestamp": BASE_TIME,
            "Value": 3.5,
            "Unit": "Seconds",
        },
    ]


@pytest.mark.parametrize("variable", sorted(ENVIRONMENT))
def test_an_environment_that_lacks_something_says_what(variable: str) -> None:
    with pytest.raises(AssignmentError, match=variable):
        read({name: value for name, value in ENVIRONMENT.items() if name != variable})


@pytest.mark.parametrize("text", ["", "1", '["only one"]'])
def test_secrets_that_cannot_be_read_are_told_of(text: str) -> None:
    with pytest.raises(AssignmentError, match="SECRETS_BY_NAME"):
        read({**ENVIRONMENT, "SECRETS_BY_NAME": text})


def test_a_stack_without_jobs_asks_nothing_about_them() -> None:
    world = Watched()
    gauges.read(assignment_of(JOBS="", **refusing()), clients_of(world), BASE_TIME, by_hand=True)
    assert not world.asked("GetItem"), "its role may not"
    assert BASE_TIME.tzinfo is dt.UTC
