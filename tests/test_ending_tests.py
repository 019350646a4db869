"""tests/conftest.py: a run of tests that is told to end does, whatever program its tests have called before."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.recorder import ROOT

if TYPE_CHECKING:
    from pathlib import Path

TESTS = """
import signal
import time
import pytest

def answer(number, frame):
    raise RuntimeError("the answer of a program that has ended")

@pytest.fixture(scope="module")
def live():
    yield
    print("taken down")

def test_a_program_with_handlers_of_its_own():
    signal.signal(signal.SIGTERM, answer)

def test_that_takes_long(live):
    print("\\nbegun", flush=True)
    time.sleep(60)

def test_after_it():
    print("went on")
"""


def test_sigterm_ends_the_run_and_takes_down_what_is_up(tmp_path: Path) -> None:
    (tmp_path / "test_two.py").write_text(TESTS, encoding="utf-8")
    options = ["-q", "-s", "-p", "tests.conftest", "-p", "no:cacheprovider", "-c", os.devnull, f"--rootdir={tmp_path}"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", *options, tmp_path], cwd=ROOT, env=environment, stdout=-1, stderr=-2, text=True
    ) as run:
        assert run.stdout is not None
        try:
            before = "".join(itertools.takewhile("begun\n".__ne__, run.stdout))
            run.send_signal(signal.SIGTERM)
            said, _ = run.communicate(timeout=30)
        finally:
            run.kill()
    assert run.returncode == 2, f"as after Ctrl-C, which pytest counts as an interruption: {before}{said}"
    assert "taken down" in said, "what a fixture has up would stay on this machine"
    assert "went on" not in said
