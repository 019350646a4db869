"""`python -m ops watch`: a pass by hand, of what the stack's function looks at."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ops.stack import Stack
from tests.ops_fakes.account import Refused
from tests.ops_fakes.world import Outcome, run_ops
from tests.watch_fakes import ENVIRONMENT, KEY, Watched

if TYPE_CHECKING:
    import pytest

CLOSED = "127.0.0.1:1"
NAMES = {"Watched", "ReadinessFailing", "TasksMissing", "SecondsSinceSuccess", "SecretAgeDays"}


def watch(world: Watched, capsys: pytest.CaptureFixture[str], *arguments: str) -> Outcome:
    environment = {"OPS_CONNECT_TO": CLOSED}
    return run_ops(world, capsys, "watch", "--stack", "staging", *arguments, environment=environment)


def test_a_pass_is_printed_and_published(capsys: pytest.CaptureFixture[str]) -> None:
    world = Watched(services_={"web": (3, 1), "mail": (1, 1)})
    world.put_value(KEY, 12.25, "AWSCURRENT")
    seen = watch(world, capsys)
    assert seen.code == 0, seen.err
    lines = seen.out.splitlines()
    assert [line.split() for line in lines if line.split()[0] in NAMES] == [
        ["Watched", "1"],
        ["ReadinessFailing", "1"],
        ["TasksMissing", "web", "2"],
        ["TasksMissing", "mail", "0"],
        ["SecondsSinceSuccess", "nightly", "2,592,000"],
        ["SecretAgeDays", "12.25"],
    ], "by hand every gauge is read"
    assert len({len(line) for line in lines if line.split()[0] in NAMES}) == 1, "in columns"
    assert "published 6 metrics in pactum/staging" in seen.out
    (asked,) = world.published
    assert [datum["MetricName"] for datum in asked["MetricData"]][:2] == ["Watched", "ReadinessFailing"]


def test_a_dry_run_publishes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    world = Watched()
    seen = watch(world, capsys, "--dry-run")
    assert seen.code == 0
    assert "would publish 5 metrics in pactum/staging" in seen.out
    assert world.published == []


def test_a_program_gets_the_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    answer = json.loads(watch(Watched(), capsys, "--json", "--dry-run").out)
    assert {"name": "TasksMissing", "dimensions": {"Service": "web"}, "value": 0.0, "unit": "Count"} in answer[
        "measures"
    ]
    assert answer["failed"] == {}


def test_what_cannot_be_read_is_said_and_is_the_answer_no(capsys: pytest.CaptureFixture[str]) -> None:
    world = Watched()

    def refused() -> None:
        raise Refused("AccessDeniedException", "not you")

    world.before["DescribeServices"] = refused
    seen = watch(world, capsys)
    assert seen.code == 1
    assert "NOT READ: tasks: " in seen.out
    assert "not you" in seen.out
    assert world.published, "the others are published"


def test_without_a_function_there_is_nothing_to_look_at(capsys: pytest.CaptureFixture[str]) -> None:
    seen = run_ops(Watched(), capsys, "watch", "--stack", "prod")
    assert seen.code == 2
    assert "there is no function pactum-prod-watch" in seen.err
    assert "pulumi up" in seen.err
    assert Stack(project="pactum", name="prod").watch == "pactum-prod-watch", "the name that the program gives it"


def test_a_function_that_is_told_too_little_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    told = {name: value for name, value in ENVIRONMENT.items() if name != "SERVICES"}
    seen = watch(Watched(configuration={"Environment": {"Variables": told}}), capsys)
    assert seen.code == 2
    assert "pactum-staging-watch: the function's environment has no SERVICES" in seen.err
