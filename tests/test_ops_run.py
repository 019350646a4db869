"""A command of the application in a task of its own: its output, its exit code, and never left running unwatched."""

from __future__ import annotations

import functools
import json
from typing import Any

import pytest

from ops.__main__ import main
from ops.errors import Terminated
from tests.ops_fakes.account import RELEASE, Refused
from tests.ops_fakes.world import Outcome, World, run_ops

STREAM = ("/pactum/staging/web", "web/web/f00d")


@pytest.fixture
def world() -> World:
    world = World()
    serving = world.define("web", 4)
    world.define("web", 5, release="sha256:newer")
    world.serve(world.deployment(serving, "COMPLETED", running=2))
    return world


def run(world: World, capsys: pytest.CaptureFixture[str], *words: str) -> Outcome:
    return run_ops(world, capsys, "run", "--stack", "staging", *words)


def script(world: World, exit_code: int | None, *lines: tuple[float, str], ends_at: float = 10) -> None:
    """Let the next task write these lines at their moments, and end."""

    def happen(task: dict[str, Any]) -> None:
        world.clock.at(1, lambda: task.update(lastStatus="RUNNING", startedAt=world.clock.date()))
        for at, line in lines:
            world.clock.at(at, functools.partial(world.logs[STREAM].append, line))
        world.clock.at(ends_at, lambda: world.end(task, exit_code=exit_code))

    world.on_run = happen


def test_a_command_runs_on_what_serves_now_and_its_output_is_all_there_is_on_standard_output(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    script(world, 0, (2, "Operations to perform:"), (3, "  \x1b[1mApply all migrations\x1b[0m"))
    seen = run(world, capsys, "--", "manage.py", "migrate", "--plan")
    assert seen.code == 0, seen.err
    assert seen.out == "Operations to perform:\n  \ufffd[1mApply all migrations\ufffd[0m\n"
    (asked,) = world.asked("RunTask")
    assert asked["taskDefinition"].endswith("task-definition/pactum-staging-web:4"), (
        "not the newest: the one that serves"
    )
    assert asked["overrides"] == {
        "containerOverrides": [{"name": "web", "command": ["python", "manage.py", "migrate", "--plan"]}]
    }
    network = asked["networkConfiguration"]["awsvpcConfiguration"]
    assert (network["subnets"], network["securityGroups"]) == (["subnet-live"], ["sg-live"])
    assert f"pactum-staging-web:4, release {RELEASE}, in cluster pactum-staging" in seen.err
    assert not world.asked("StopTask")


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["--", "sh", "-c", "echo $HOME"], ["sh", "-c", "echo $HOME"]),
        (["sh", "-c", "exit 3"], ["sh", "-c", "exit 3"]),
        (["--", "./manage.py", "check"], ["python", "./manage.py", "check"]),
    ],
)
def test_a_command_is_passed_on_word_for_word(
    world: World, capsys: pytest.CaptureFixture[str], words: list[str], command: list[str]
) -> None:
    script(world, 0)
    run(world, capsys, *words)
    assert world.asked("RunTask")[0]["overrides"]["containerOverrides"][0]["command"] == command


@pytest.mark.parametrize("exit_code", [1, 3, 137])
def test_the_commands_exit_code_is_ours(world: World, capsys: pytest.CaptureFixture[str], exit_code: int) -> None:
    script(world, exit_code, (2, "no such table"))
    seen = run(world, capsys, "--", "manage.py", "check")
    assert seen.code == exit_code
    assert seen.out == "no such table\n"


def test_the_last_lines_are_not_lost_when_the_command_went_well(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    script(world, 0, (2, "first"), (11.5, "12 rows"), (13, "done"))
    assert run(world, capsys, "--", "manage.py", "report").out == "first\n12 rows\ndone\n"
    assert world.clock.time < 17


def test_long_lines_come_whole(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    script(world, 0, (2, "x" * 9000))
    assert len(run(world, capsys, "--", "manage.py", "dumpdata").out) == 9001, "the output is what was asked for"


def test_a_program_gets_each_line_and_the_end(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    script(world, 0, (2, "one"), (3, "two"))
    lines = [json.loads(line) for line in run(world, capsys, "--json", "--", "manage.py", "x").out.splitlines()]
    assert lines[:-1] == [{"line": "one"}, {"line": "two"}]
    well = lines[-1]
    assert (well["command"], well["stack"], well["task"]) == ("run", "staging", "f00d")
    assert (well["ok"], well["exit_code"], well["command_line"]) == (True, 0, ["python", "manage.py", "x"])
    script(world, 3, ends_at=world.clock.time + 5)
    (last,) = [json.loads(line) for line in run(world, capsys, "--json", "--", "manage.py", "x").out.splitlines()]
    assert (last["ok"], last["exit_code"]) == (False, 3)
    assert set(last) == set(well), "a program reads the end the same way, however it ended"
    (planned,) = run(world, capsys, "--json", "--dry-run", "--", "manage.py", "x").out.splitlines()
    assert json.loads(planned)["dry_run"] is True


@pytest.mark.parametrize("words", [[], ["--"]])
def test_no_command_is_answered_with_an_example(
    world: World, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    seen = run(world, capsys, *words)
    assert seen.code == 2
    assert "python -m ops run --stack staging -- manage.py showmigrations" in seen.err
    assert not world.asked("RunTask")


def test_a_dry_run_starts_nothing(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    seen = run(world, capsys, "--dry-run", "--", "manage.py", "flush", "--no input")
    assert seen.code == 0
    assert "would run `python manage.py flush '--no input'` by one task of pactum-staging-web:4" in seen.err
    assert not world.asked("RunTask")


@pytest.mark.parametrize(("how", "code"), [(KeyboardInterrupt, 130), (Terminated, 143)])
def test_an_interrupted_command_is_stopped(
    world: World, capsys: pytest.CaptureFixture[str], how: type[BaseException], code: int
) -> None:
    def interrupt() -> None:
        raise how

    script(world, 0, ends_at=100)
    world.clock.at(5, interrupt)
    seen = run(world, capsys, "--", "manage.py", "x")
    assert seen.code == code
    assert "interrupted. Task f00d was stopped." in seen.err
    assert [asked["reason"] for asked in world.asked("StopTask")] == ["ops run: interrupted"]


def test_stopping_is_said_before_it_is_waited_for(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """A task may take two minutes to stop: a person who sees nothing presses Ctrl-C again."""
    said: list[str] = []

    def interrupt() -> None:
        raise KeyboardInterrupt

    script(world, 0, ends_at=100)
    world.clock.at(5, interrupt)
    world.before["StopTask"] = lambda: said.append(capsys.readouterr().err)
    run(world, capsys, "--", "manage.py", "x")
    assert said[0].splitlines()[-1] == "stopping task f00d (interrupted), and waiting until it is gone"


def test_a_command_that_takes_too_long_is_stopped(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    script(world, 0, (2, "begun"), ends_at=500)
    seen = run(world, capsys, "--timeout", "30", "--", "manage.py", "x")
    assert (seen.code, seen.out) == (1, "begun\n")
    assert "had not ended after 30 s (--timeout). Task f00d was stopped." in seen.err
    assert len(world.asked("StopTask")) == 1


def test_a_task_that_cannot_be_stopped_is_told_with_the_way_to_do_it(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> None:
        raise Refused("AccessDeniedException", "not authorized")

    script(world, 0, ends_at=500)
    world.before["StopTask"] = refuse
    seen = run(world, capsys, "--timeout", "30", "--", "manage.py", "x")
    assert "Task f00d may still run, it could not be stopped" in seen.err
    assert "aws ecs stop-task --cluster pactum-staging --task arn:" in seen.err
    assert len(world.asked("StopTask")) == 1, "it was tried, and told"


def test_sight_lost_of_the_task_stops_it(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    def lose() -> None:
        world.before["DescribeTasks"] = fail

    def fail() -> None:
        del world.before["DescribeTasks"]
        raise Refused("ServerException", "try again")

    script(world, 0, ends_at=500)
    world.clock.at(5, lose)
    seen = run(world, capsys, "--", "manage.py", "x")
    assert seen.code == 1
    assert len(world.asked("StopTask")) == 1, "nothing goes on unwatched"


def test_a_task_that_never_started_says_why(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(task: dict[str, Any]) -> None:
        world.end(task, exit_code=None, reason="CannotPullContainerError: not found", code="TaskFailedToStart")

    world.on_run = fail
    seen = run(world, capsys, "--", "manage.py", "x")
    assert (seen.code, world.clock.time) == (1, 0.0)
    assert "did not run to its end: never started" in seen.err
    assert "CannotPullContainerError: not found" in seen.err


def test_an_output_that_cannot_be_read_is_said_and_the_exit_code_counts(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> None:
        raise Refused("AccessDeniedException", "not authorized")

    world.before["GetLogEvents"] = refuse
    script(world, 0)
    seen = run(world, capsys, "--", "manage.py", "x")
    assert seen.code == 0
    assert "its output could not be read: AWS refused GetLogEvents" in seen.err


def test_another_process_lends_its_settings(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.define("migrate", 7)
    script(world, 0)
    run(world, capsys, "--process", "migrate", "--", "manage.py", "x")
    (asked,) = world.asked("RunTask")
    assert asked["taskDefinition"].endswith("pactum-staging-migrate:7")
    assert asked["overrides"]["containerOverrides"][0]["name"] == "migrate"


def test_the_help_says_with_which_rights_a_command_runs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    assert "the application's own login to the database" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "told"), [("run", "shows it among the lines of the service"), ("logs", "What `ops run` ran is in")]
)
def test_the_help_says_where_the_output_is_kept(capsys: pytest.CaptureFixture[str], command: str, told: str) -> None:
    """Its stream is named as those of the service are: container and task."""
    with pytest.raises(SystemExit):
        main([command, "--help"])
    assert told in capsys.readouterr().out
