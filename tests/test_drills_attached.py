"""Updates that drills kill: that one was really killed, and everything with it, is known and not supposed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from rehearsal import processes
from rehearsal.drills.attached_update import MARK, AttachedUpdate
from rehearsal.drills.drill import DrillError
from tests.drill_fakes import until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="processes are found by their environment on Linux only"
)


def _update(tmp_path: Path, script: str) -> AttachedUpdate:
    mark = f"test-{os.getpid()}-{time.monotonic_ns()}"
    log = tmp_path / "update.log"
    log.write_text("what it wrote", encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        env={**os.environ, MARK: mark},
        stdin=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    return AttachedUpdate(process=process, log=log, mark=mark)


def test_an_update_that_runs_is_killed(tmp_path: Path) -> None:
    update = _update(tmp_path, "import time; time.sleep(60)")
    update.kill()
    assert update.process.returncode == -signal.SIGKILL


def test_an_update_that_had_ended_by_itself_was_not_killed(tmp_path: Path) -> None:
    update = _update(tmp_path, "raise SystemExit(3)")
    until(lambda: update.ended)
    with pytest.raises(DrillError, match="was not killed: it ended with exit code 3\nwhat it wrote"):
        update.kill()
    update.end()


def test_a_process_that_survives_the_kill_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    update = _update(tmp_path, "import time; time.sleep(60)")
    found = iter([[], [4711]])
    monkeypatch.setattr(processes, "with_environment", lambda *_: next(found))
    with pytest.raises(DrillError, match=r"go on: \[4711\]"):
        update.kill()
