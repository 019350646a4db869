"""`tests/app/run`: a test that fails can be read, though the app logs lines of JSON meanwhile."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

from tests.recorder import ROOT

if TYPE_CHECKING:
    from pathlib import Path

LOGGED = json.dumps({"level": "ERROR", "message": "Internal Server Error: /", "exception": "Traceback\n" * 400})
# Runs Django's tests as $CODE says, which log one exception; everything else it does at once.
DOCKER = """#!/usr/bin/env bash
case "$*" in *"manage.py test"*)
  echo "Found 3 test(s)."
  echo "$LOGGED"
  echo "FAIL: test_home (AssertionError: 500 != 200)" >&2
  exit "$CODE" ;;
esac
"""


def ran(directory: Path, code: int) -> subprocess.CompletedProcess[str]:
    (directory / "docker").write_text(DOCKER)
    (directory / "docker").chmod(0o755)
    path = f"{directory}{os.pathsep}{os.environ['PATH']}"
    told = {"IMAGE": "app", "POSTGRES_IMAGE": "postgres", "DJANGO_ONLY": "1", "CODE": str(code), "LOGGED": LOGGED}
    return subprocess.run(
        [ROOT / "tests/app/run"], env={"PATH": path, **told}, capture_output=True, text=True, timeout=60, check=False
    )


def test_what_fails_is_not_drowned_in_what_the_app_logs(tmp_path: Path) -> None:
    done = ran(tmp_path, 1)
    assert done.returncode == 1
    assert done.stderr == "FAIL: test_home (AssertionError: 500 != 200)\n"
    assert "Found 3 test(s).\n== What the app logged meanwhile" in done.stdout
    assert '"Internal Server Error: /"' in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 300


def test_what_tests_log_that_pass_is_nobodys_affair(tmp_path: Path) -> None:
    done = ran(tmp_path, 0)
    assert (done.returncode, "logged" in done.stdout, "Internal" in done.stdout) == (0, False, False)
