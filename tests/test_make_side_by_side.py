"""The Makefile's targets side by side: where their output may go."""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
from pathlib import Path

import pytest

from tests.recorder import ROOT

# Linux' struct flock: kind, whence, begin, length (0: to the end), whose.
READ_LOCK = struct.pack("hhqqi4x", fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0)
SHOWING = "include Makefile\nshown:\n\t@echo $(filter output-sync,$(.FEATURES)): $(SIDE_BY_SIDE) >&2\n"


def make(*words: str, stdout: int, makefile: str = "") -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        ["make", *words],
        cwd=ROOT,
        env=environment,
        input=makefile,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=True,
    )


@pytest.mark.skipif(not hasattr(fcntl, "F_OFD_SETLK"), reason="only Linux has a lock like dockerd's")
def test_nobody_who_locks_dev_null_makes_us_wait() -> None:
    """Docker's engine has such a lock for as long as it runs, and `--output-sync` would wait until it ends."""
    with Path(os.devnull).open() as null:
        fcntl.fcntl(null, fcntl.F_OFD_SETLK, READ_LOCK)
        make("--dry-run", "test", stdout=subprocess.DEVNULL)


def test_output_comes_in_one_piece_wherever_somebody_reads_it() -> None:
    read, unread = (
        make("-f", "-", "shown", stdout=to, makefile=SHOWING).stderr for to in (subprocess.PIPE, subprocess.DEVNULL)
    )
    able, _, options = read.partition(":")
    assert options.split()[1:] == (["--output-sync=target"] if able else []), "lines would be mixed"
    assert unread.partition(":")[2].split()[1:] == []
