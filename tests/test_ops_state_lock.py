"""Whether the process that wrote a lock still runs, asked of real processes of this machine."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ops import state_lock
from ops.in_flight import this_host
from ops.state_lock import Lock

if TYPE_CHECKING:
    from collections.abc import Iterator

SINCE = dt.datetime(2026, 11, 22, 11, 45, tzinfo=dt.UTC)


def lock_of(pid: int, host: str | None = None) -> Lock:
    return Lock(key="k", user="root", host=host or this_host(), pid=pid, since=SINCE)


@pytest.fixture
def pulumi(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is called as the CLI is."""
    sleep = shutil.which("sleep")
    assert sleep
    shutil.copy(sleep, tmp_path / "pulumi")
    with subprocess.Popen([tmp_path / "pulumi", "60"]) as process:
        # The kernel gives it its name a moment after it has begun.
        until = time.monotonic() + 10
        while Path(f"/proc/{process.pid}/comm").read_text().strip() != "pulumi" and time.monotonic() < until:
            time.sleep(0.01)
        yield process
        process.kill()


def test_a_pulumi_that_runs_here_lives_until_it_is_killed(pulumi: subprocess.Popen[bytes]) -> None:
    lock = lock_of(pulumi.pid)
    assert lock.lives
    assert "it still runs on this machine" in lock.told(SINCE)
    pulumi.kill()
    until = time.monotonic() + 10
    while lock.lives and time.monotonic() < until:
        time.sleep(0.01)
    assert pulumi.returncode is None, "nobody has asked for its end yet: it is a zombie"
    assert not lock.lives
    pulumi.wait()
    assert not lock.lives
    assert "no longer runs on this machine: it was killed" in lock.told(SINCE)


def test_another_program_that_has_got_its_number_since_is_not_taken_for_it() -> None:
    assert not lock_of(os.getpid()).lives


def test_another_machines_process_is_not_looked_for_here(pulumi: subprocess.Popen[bytes]) -> None:
    lock = lock_of(pulumi.pid, host="elsewhere")
    assert not lock.lives
    assert lock.as_json()["alive"] is None, "not known is not dead"
    assert "another machine's, so whether it still runs cannot be seen from here" in lock.told(SINCE)


def test_where_proc_does_not_tell_its_number_is_asked_for(
    pulumi: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As on macOS, where many a laptop runs `make up`."""
    monkeypatch.setattr(state_lock, "_PROCESSES", tmp_path / "none")
    assert lock_of(pulumi.pid).lives
    assert lock_of(1).lives, "somebody else's runs too"
    pulumi.kill()
    pulumi.wait()
    assert not lock_of(pulumi.pid).lives


@pytest.mark.parametrize(
    ("passed", "told"),
    [
        ({"seconds": -3}, "0 s"),
        ({"seconds": 119}, "119 s"),
        ({"minutes": 119}, "119 min"),
        ({"hours": 47}, "47 h"),
        ({"days": 2}, "2 days"),
    ],
)
def test_its_age_is_told_in_the_unit_a_person_thinks_in(passed: dict[str, int], told: str) -> None:
    assert f"since 2026-11-22T11:45:00Z ({told} ago)" in lock_of(1, "elsewhere").told(SINCE + dt.timedelta(**passed))
