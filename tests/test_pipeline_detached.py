"""`pulumi up` on Jenkins, whose way of ending a job would ask it to end several times over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from ops.errors import CannotAct
from ops.pipeline import child
from ops.pipeline.detached import Detached
from ops.pipeline.pulumi import Pulumi
from tests.pipeline_fakes import NEW, Project
from tests.recorder import ROOT

# What aborts a step looks for the first, what ends a `node` for the second.
ABORT, NODE = "JENKINS_SERVER_COOKIE", "JENKINS_NODE_COOKIE"
# Ends well when it is asked once, as Pulumi does, and writes down each time it was asked.
_PROGRAM = """
import os, signal, sys, time
asked = []
def note(number, frame):
    asked.append(signal.Signals(number).name)
    open(sys.argv[1], "w").write(" ".join(asked))
signal.signal(signal.SIGINT, note)
signal.signal(signal.SIGTERM, note)
print("begun", flush=True)
deadline = time.monotonic() + 60
while not asked and time.monotonic() < deadline:
    time.sleep(0.01)
time.sleep(1)
print("state written", flush=True)
sys.exit(7)
"""
_STAGE = """
import os, sys
from pathlib import Path
from ops import interruption
from ops.pipeline import child
interruption.termination_is_an_error()
try:
    child.stream([sys.executable, "-c", *sys.argv[2:]], directory=Path.cwd(), environment=os.environ, told="Told so.",
                 shielded=sys.argv[1] == "shielded")
except KeyboardInterrupt as error:
    print(error, flush=True)
"""


def end_as_jenkins_does(cookie: tuple[str, str]) -> None:
    """`ProcessTree.killAll`: of each process with the cookie all descendants, then itself, get SIGTERM."""
    children: dict[int, list[int]] = {}
    matching: list[int] = []
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            status = (directory / "status").read_text()
            environ = (directory / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        parent = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("PPid:"))
        children.setdefault(parent, []).append(int(directory.name))
        if "=".join(cookie).encode() in environ:
            matching.append(int(directory.name))
    assert len(matching) >= 3, "the shell, make's stand-in and the stage"
    for pid in matching:
        _end(pid, children)


def _end(pid: int, children: dict[int, list[int]]) -> None:
    for each in children.get(pid, []):
        _end(each, children)
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return
    time.sleep(0.05)


def asked_to_end(directory: Path, how: str) -> tuple[str, str]:
    """Run a stage below two shells, as `sh` and make are, and abort its step; answers what its program was asked."""
    asked = directory / "asked"
    cookies = {ABORT: f"durable-{uuid.uuid4().hex}", NODE: uuid.uuid4().hex}
    shells = ["sh", "-c", 'sh -c \'"$@"; :\' sh "$@"; :', "sh"]
    command = [*shells, sys.executable, "-c", _STAGE, how, _PROGRAM, str(asked)]
    with subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **cookies}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as job:
        assert job.stdout is not None
        assert job.stdout.readline() == "begun\n"
        end_as_jenkins_does((ABORT, cookies[ABORT]))
        said, errors = job.communicate(timeout=60)
    return asked.read_text(), said + errors


def test_who_aborts_a_job_of_jenkins_interrupts_the_program_once(tmp_path: Path) -> None:
    asked, said = asked_to_end(tmp_path, "shielded")
    assert asked == "SIGINT", "asked twice, Pulumi leaves its state in the middle of a write"
    assert "state written" in said
    assert "has ended with exit code 7. Told so." in said, "the stage has waited for it"


def test_what_is_not_shielded_is_asked_several_times_so_that_the_test_above_can_fail(tmp_path: Path) -> None:
    asked, _ = asked_to_end(tmp_path, "open")
    assert asked.count("SIG") > 1


def test_of_the_nodes_end_it_hears_nothing_either(tmp_path: Path) -> None:
    environment = {**os.environ, ABORT: "durable-1", NODE: "2", "KEPT": "yes"}
    ran = show(tmp_path, environment)
    assert (ran[ABORT], ran[NODE]) == ("dontKillMe", "dontKillMe")
    assert ran["KEPT"] == "yes"


@pytest.mark.parametrize("cookie", [ABORT, NODE])
def test_it_is_no_descendant_of_the_stage_and_in_no_group_with_it(tmp_path: Path, cookie: str) -> None:
    ran = show(tmp_path, {**os.environ, cookie: "2"})
    assert str(os.getpid()) not in {ran["PARENT"], ran["GRANDPARENT"]}
    assert int(ran["GROUP"]) != os.getpgid(0), "Ctrl-C goes to everything in a terminal's group"


def test_elsewhere_it_is_a_child_as_always(tmp_path: Path) -> None:
    without = {name: value for name, value in os.environ.items() if name not in {ABORT, NODE}}
    assert show(tmp_path, without)["PARENT"] == str(os.getpid()), "hosts that end a job's descendants end it, too"


def show(directory: Path, environment: dict[str, str]) -> dict[str, str]:
    """Return the environment of a shielded program, with its parent and group."""
    file = directory / "shown"
    above = 'sleep 0.2; echo "GRANDPARENT=$(ps -o ppid= -p $PPID | tr -d " ")"'
    script = f'env >{file}; {{ echo "PARENT=$PPID"; echo "GROUP=$(ps -o pgid= -p $$)"; {above}; }} >>{file}'
    ran = child.stream(["sh", "-c", script], directory=directory, environment=environment, told="", shielded=True)
    assert ran.code == 0
    return dict(line.split("=", 1) for line in file.read_text().splitlines() if "=" in line)


@pytest.mark.parametrize(("ending", "code"), [("exit 7", 7), ("kill -9 $$", -9), ("true", 0)])
def test_its_exit_code_is_known(tmp_path: Path, ending: str, code: int) -> None:
    program = Detached(["sh", "-c", ending], directory=tmp_path, environment=os.environ)
    assert (program.wait(), program.returncode) == (code, code)
    program.send_signal(signal.SIGINT)


@pytest.mark.parametrize("script", ["kill -9 $PPID", "sleep 0.5; kill -9 $PPID; sleep 0.2"])
def test_a_keeper_that_was_killed_is_no_success(tmp_path: Path, script: str) -> None:
    assert Detached(["sh", "-c", script], directory=tmp_path, environment=os.environ).wait() == -9


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    environment = {**os.environ, NODE: "2"}
    with pytest.raises(CannotAct, match="no-such-program cannot be started: No such file"):
        child.stream(["no-such-program"], directory=tmp_path, environment=environment, told="", shielded=True)


def test_an_update_is_shielded_and_its_words_and_code_come_through(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    project = Project(tmp_path)
    project.program("pulumi", '#!/bin/sh\necho "parent of $PPID, $JENKINS_NODE_COOKIE: $1"; exit 255\n')
    environment = project.push(JENKINS_NODE_COOKIE="2")
    assert Pulumi("staging", root=project.root, environment=environment).up(NEW) == 255
    said = capfd.readouterr().out
    assert "dontKillMe: up" in said
    assert f"parent of {os.getpid()}," not in said
