"""Programs that stages run: a host's cancellation reaches them once, and they are waited for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from ops.errors import CannotAct
from ops.pipeline import child
from tests.recorder import ROOT

if TYPE_CHECKING:
    from pathlib import Path

# Ends well when it is interrupted once, as Pulumi does, and writes down how often it was.
_PROGRAM = """
import signal, sys, time
count = 0
def note(number, frame):
    global count
    count += 1
    open(sys.argv[1], "w").write(f"{signal.Signals(number).name} {count}")
signal.signal(signal.SIGINT, note)
signal.signal(signal.SIGTERM, note)
print("begun", flush=True)
deadline = time.monotonic() + 60
while not count and time.monotonic() < deadline:
    time.sleep(0.01)
time.sleep(0.5)
print("state written", flush=True)
sys.exit(7)
"""
_STAGE = """
import os, signal, sys
from pathlib import Path
from ops.errors import Terminated
from ops.pipeline import child
def terminate(number, frame): raise Terminated
signal.signal(signal.SIGTERM, terminate)
try:
    child.stream([sys.executable, "-c", *sys.argv[1:]], directory=Path.cwd(), environment=os.environ, told="Told so.")
except KeyboardInterrupt as error:
    print(type(error).__name__, error, flush=True)
    sys.exit(130)
"""


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ([signal.SIGTERM], "Terminated"),
        ([signal.SIGINT], "KeyboardInterrupt"),
        ([signal.SIGINT] * 3, "KeyboardInterrupt"),
    ],
)
def test_an_interruption_is_passed_on_once_and_the_program_is_waited_for(
    tmp_path: Path, sent: list[signal.Signals], told: str
) -> None:
    count = tmp_path / "count"
    command = [sys.executable, "-c", _STAGE, _PROGRAM, str(count)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as stage:
        assert stage.stdout is not None
        assert stage.stdout.readline() == "begun\n"
        for number in sent:
            stage.send_signal(number)
            time.sleep(0.1)
        said, errors = stage.communicate(timeout=60)
    assert count.read_text() == "SIGINT 1", "asked twice, Pulumi leaves its state in the middle of a write"
    assert said.startswith("state written\n"), "it was waited for"
    assert f"{told} `python" in said
    assert "has ended with exit code 7. Told so." in said
    assert "interrupted again" in errors if len(sent) > 1 else "interrupted again" not in errors
    assert stage.returncode == 130


def test_an_interruption_while_the_program_is_being_started_reaches_it_once(capfd: pytest.CaptureFixture[str]) -> None:
    """It comes when there is no program yet, or just before the stage looks whether one came."""
    sent: list[int] = []
    program: Any = type("Program", (), {"send_signal": staticmethod(sent.append)})
    early, late = (child._Interruption(name="pulumi up") for _ in range(2))
    early.note(signal.SIGTERM, None)
    early.process = program
    early.pass_on()
    late.process = program
    late.note(signal.SIGTERM, None)
    late.pass_on()
    assert sent == [signal.SIGINT] * 2, "each of the two once"
    assert "asking `pulumi up` to end" in capfd.readouterr().err


def test_the_terminals_own_interruption_does_not_reach_the_program_beside_ours(tmp_path: Path) -> None:
    group = [sys.executable, "-c", "import os; print(os.getpgid(0))"]
    ran = child.capture(group, directory=tmp_path, environment=os.environ, told="")
    assert int(ran.text) != os.getpgid(0)


def test_words_and_exit_code_are_kept(tmp_path: Path) -> None:
    command = ["bash", "-c", "echo one; echo two >&2; pwd; exit 3"]
    ran = child.capture(command, directory=tmp_path, environment=os.environ, told="")
    assert (ran.code, ran.text, ran.errors) == (3, f"one\ntwo\n{tmp_path}\n", "")
    apart = child.capture(command, directory=tmp_path, environment=os.environ, told="", apart=True)
    assert (apart.text, apart.errors) == (f"one\n{tmp_path}\n", "two\n")


def test_it_has_nothing_to_read_and_cannot_ask(tmp_path: Path) -> None:
    ran = child.capture(["cat"], directory=tmp_path, environment=os.environ, told="")
    assert (ran.code, ran.text) == (0, "")


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(CannotAct, match="no-such-program cannot be started: No such file"):
        child.stream(["no-such-program"], directory=tmp_path, environment=os.environ, told="")


def test_handlers_are_as_before_afterwards(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    child.capture(["true"], directory=tmp_path, environment=os.environ, told="")
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
