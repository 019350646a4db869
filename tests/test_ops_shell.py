"""A person beside the application: a task of their own, a session in it, and no task left behind."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import pytest

from ops.errors import Terminated
from tests.ops_fakes.account import OLD_RELEASE, RELEASE, Refused
from tests.ops_fakes.world import Outcome, World, run_ops

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def world() -> World:
    world = World()
    world.serve(world.deployment(world.define("web", 4), "COMPLETED", running=2))
    world.define("shell", 9)
    starts(world)
    return world


def starts(world: World, *, agent: bool = True) -> None:
    """Let the next task run after two seconds, and its agent after eight."""

    def happen(task: dict[str, Any]) -> None:
        container = task["containers"][0]
        agents = {"managedAgents": [{"name": "ExecuteCommandAgent", "lastStatus": "PENDING"}]} if agent else {}
        world.clock.at(2, lambda: task.update(lastStatus="RUNNING", startedAt=world.clock.date()))
        world.clock.at(2, lambda: container.update(runtimeId="f00d-42", **agents))
        if agent:
            world.clock.at(8, lambda: container["managedAgents"][0].update(lastStatus="RUNNING"))

    world.on_run = happen


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """A stand-in for the session's program: it keeps what it was called with."""
    program = tmp_path / "session-manager-plugin"
    program.write_text(f'#!/bin/sh\nfor word; do echo "$word"; done > {tmp_path}/called\n')
    program.chmod(0o755)
    return program


def shell(world: World, capsys: pytest.CaptureFixture[str], plugin: Path, *words: str) -> Outcome:
    return run_ops(world, capsys, "shell", "--stack", "staging", *words, environment={"PATH": str(plugin.parent)})


def stops(world: World) -> int:
    return len(world.asked("StopTask"))


def test_a_session_is_opened_in_a_task_of_its_own_which_is_stopped_afterwards(
    world: World, capsys: pytest.CaptureFixture[str], plugin: Path
) -> None:
    seen = shell(world, capsys, plugin)
    assert seen.code == 0, seen.err
    (started,) = world.asked("RunTask")
    assert started["taskDefinition"].endswith("pactum-staging-shell:9")
    assert started["enableExecuteCommand"] is True, "without it nobody can enter the task"
    (entered,) = world.asked("ExecuteCommand")
    assert (entered["container"], entered["command"]) == ("shell", "python manage.py shell"), "the image has no sh"
    assert world.clock.time >= 8, "the agent refuses sessions until it runs"
    session, region, action, profile, target, endpoint = (plugin.parent / "called").read_text().splitlines()
    assert json.loads(session)["tokenValue"] == "t0ken"
    assert (region, action, profile) == ("us-east-1", "StartSession", "")
    assert json.loads(target) == {"Target": "ecs:pactum-staging_f00d_f00d-42"}
    assert endpoint == "https://ecs.us-east-1.amazonaws.com"
    assert stops(world) == 1
    assert "Task f00d was stopped." in seen.out
    assert f"pactum-staging-shell:9, release {RELEASE}" in seen.out
    assert "t0ken" not in seen.out + seen.err, "whoever has it is in the session"


def test_a_command_can_be_given_and_the_sessions_exit_code_is_ours(
    world: World, capsys: pytest.CaptureFixture[str], plugin: Path
) -> None:
    plugin.write_text("#!/bin/sh\nexit 7\n")
    assert shell(world, capsys, plugin, "--", "manage.py", "shell", "-c", "print(1)").code == 7
    assert world.asked("ExecuteCommand")[0]["command"] == "python manage.py shell -c 'print(1)'"
    assert stops(world) == 1


def test_a_task_without_a_listed_agent_is_entered_when_it_runs(
    world: World, capsys: pytest.CaptureFixture[str], plugin: Path
) -> None:
    """As in the rehearsal, whose emulator lists none."""
    starts(world, agent=False)
    assert shell(world, capsys, plugin).code == 0
    assert world.clock.time < 4


def test_an_agent_that_cannot_be_reached_yet_is_asked_again(
    world: World, capsys: pytest.CaptureFixture[str], plugin: Path
) -> None:
    world.refused_sessions = 3
    assert shell(world, capsys, plugin).code == 0
    world.refused_sessions = 10**6
    starts(world, agent=False)
    seen = shell(world, capsys, plugin)
    assert seen.code == 1
    assert "cannot be entered: The execute command failed" in seen.err
    assert "ssmmessages" in seen.err
    assert stops(world) == 2


def test_a_missing_program_is_told_before_anything_is_started(
    world: World, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    seen = run_ops(world, capsys, "shell", "--stack", "staging", environment={"PATH": str(tmp_path)})
    assert seen.code == 2
    assert "session-manager-plugin is not on the PATH" in seen.err
    assert "session-manager-working-with-install-plugin.html" in seen.err
    assert not world.asked("RunTask")


def test_ctrl_c_belongs_to_the_session(world: World, capsys: pytest.CaptureFixture[str], plugin: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    plugin.write_text("#!/bin/sh\nkill -INT $PPID\nsleep 0.2\nexit 5\n")
    assert shell(world, capsys, plugin).code == 5, "it interrupts what runs in the shell, and not ops"
    assert signal.getsignal(signal.SIGINT) is before
    assert stops(world) == 1


def test_ctrl_c_reaches_the_sessions_own_program(
    world: World, capsys: pytest.CaptureFixture[str], plugin: Path
) -> None:
    plugin.write_text("#!/bin/sh\ntrap 'exit 9' INT\nkill -INT $$\nsleep 0.2\nexit 1\n")
    assert shell(world, capsys, plugin).code == 9, "an ignored signal would stay ignored there"


@pytest.mark.parametrize(("how", "code"), [(KeyboardInterrupt, 130), (Terminated, 143)])
def test_an_interruption_before_the_session_stops_the_task(
    world: World, capsys: pytest.CaptureFixture[str], plugin: Path, how: type[BaseException], code: int
) -> None:
    def interrupt() -> None:
        raise how

    world.clock.at(4, interrupt)
    seen = shell(world, capsys, plugin)
    assert seen.code == code
    assert "interrupted. Task f00d was stopped." in seen.err


def test_a_program_that_cannot_be_run_stops_the_task_too(
    world: World, capsys: pytest.CaptureFixture[str], plugin: Path
) -> None:
    plugin.write_text("#!/no/such/interpreter\n")
    seen = shell(world, capsys, plugin)
    assert seen.code == 2
    assert f"{plugin} could not be run" in seen.err
    assert stops(world) == 1


def test_a_task_that_ends_before_it_can_be_entered_says_why(
    world: World, capsys: pytest.CaptureFixture[str], plugin: Path
) -> None:
    def fail(task: dict[str, Any]) -> None:
        world.end(task, exit_code=None, reason="CannotPullContainerError: not found", code="TaskFailedToStart")

    world.on_run = fail
    seen = shell(world, capsys, plugin)
    assert seen.code == 1
    assert "ended before it could be entered:\n  stopped reason: CannotPullContainerError: not found" in seen.err
    assert not world.asked("ExecuteCommand")


def test_an_agent_that_never_runs_ends_the_wait(world: World, capsys: pytest.CaptureFixture[str], plugin: Path) -> None:
    seen = shell(world, capsys, plugin, "--timeout", "5")
    assert seen.code == 1
    assert "could not be entered after 5 s (--timeout)" in seen.err
    assert stops(world) == 1


def test_a_refused_session_is_told_and_the_task_stopped(
    world: World, capsys: pytest.CaptureFixture[str], plugin: Path
) -> None:
    def refuse() -> None:
        raise Refused("AccessDeniedException", "not authorized")

    world.before["ExecuteCommand"] = refuse
    seen = shell(world, capsys, plugin)
    assert seen.code == 2
    assert "AWS refused ExecuteCommand" in seen.err
    assert stops(world) == 1


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_a_session_is_not_mixed_with_an_answer_for_programs(
    world: World, capsys: pytest.CaptureFixture[str], plugin: Path, more: list[str]
) -> None:
    seen = shell(world, capsys, plugin, "--json", *more)
    assert seen.code == 2
    assert "there is no --json. Nothing was started." in json.loads(seen.out)["error"]
    assert "python -m ops run --stack staging --json -- manage.py" in seen.err
    assert not world.asked("RunTask")


def test_a_dry_run_starts_nothing(world: World, capsys: pytest.CaptureFixture[str], plugin: Path) -> None:
    seen = shell(world, capsys, plugin, "--dry-run")
    assert seen.code == 0
    assert "would start one task of pactum-staging-shell:9" in seen.out
    assert not world.asked("RunTask")


def test_the_shell_is_that_of_the_release_that_serves(
    world: World, capsys: pytest.CaptureFixture[str], plugin: Path
) -> None:
    """After a rollback the family's newest revision is that of the release that was taken away."""
    world.define("shell", 10, release=OLD_RELEASE)
    seen = shell(world, capsys, plugin)
    assert world.asked("RunTask")[0]["taskDefinition"].endswith("pactum-staging-shell:9"), seen.err
    assert "takes the newest" not in seen.out


def test_without_a_revision_of_that_release_the_newest_is_taken_and_said(
    world: World, capsys: pytest.CaptureFixture[str], plugin: Path
) -> None:
    world.define("shell", 9, release=OLD_RELEASE)
    seen = shell(world, capsys, plugin)
    assert world.asked("RunTask")[0]["taskDefinition"].endswith("pactum-staging-shell:9")
    assert f"no revision of pactum-staging-shell runs the release that serves, {RELEASE}: takes the newest" in seen.out
