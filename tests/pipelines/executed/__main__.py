"""`python -m tests.pipelines.executed`: the whole matrix on the three hosts; its table goes into docs/pipelines.md.

`HOST` executes one host's, and `HOST SCENARIO...` some of it, of which the first is `push_to_main`; nothing is written.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rehearsal.place import PROJECT_ROOT, Place
from tests.pipelines.executed import report
from tests.pipelines.executed.hosts import KINDS
from tests.pipelines.executed.matrix import Matrix
from tests.pipelines.executed.runner import host
from tests.pipelines.executed.scenarios import SCENARIOS

HOST_SECONDS = 1800
# Apart: each database of a rehearsal has a port of its own, counted from the gateway's.
GATEWAY_PORT, FRONT_PORT, APART = 4744, 8744, 100
REPORT = "PIPELINES_REPORT"


def main(arguments: list[str]) -> int:
    """Execute; answers 0 when all went as it must."""
    # As Ctrl-C: what was started is ended, also in the background.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    return _one(arguments[0], arguments[1:]) if arguments else _all()


def _one(kind: str, names: list[str]) -> int:
    chosen = [scenario for scenario in SCENARIOS if not names or scenario.__name__ in names]
    began, failed = time.monotonic(), []
    with (
        tempfile.TemporaryDirectory(prefix="pactum-pipelines-") as directory,
        host(kind, Place(), Path(directory)) as on,
    ):
        matrix = Matrix(host=on)
        for scenario in chosen:
            at = time.monotonic()
            try:
                scenario(matrix)
            except Exception as error:  # noqa: BLE001 - the others are executed all the same
                failed.append(scenario.__name__)
                print(f"✗ {kind} {scenario.__name__}: {type(error).__name__}: {error}", flush=True)
            else:
                print(f"✓ {kind} {scenario.__name__} {time.monotonic() - at:.0f} s", flush=True)
    if failed:
        print(f"{kind}: {len(failed)} of {len(chosen)} failed: {', '.join(failed)}", file=sys.stderr)
        return 1
    if path := os.environ.get(REPORT):
        found = report.of_host(matrix.rows, seconds=time.monotonic() - began)
        Path(path).write_text(json.dumps(found), encoding="utf-8")
    return 0


def _all() -> int:
    with tempfile.TemporaryDirectory(prefix="pactum-pipelines-") as directory:
        paths = {kind: Path(directory) / f"{kind}.json" for kind in KINDS}
        first, *others = KINDS
        # Alone: its seconds are told.
        codes = [_apart(first, 0, paths[first])]
        with ThreadPoolExecutor() as workers:
            codes += workers.map(_apart, others, range(1, len(KINDS)), [paths[kind] for kind in others])
        if any(codes):
            return 1
        reports = {KINDS[kind].name: json.loads(path.read_text(encoding="utf-8")) for kind, path in paths.items()}
    if found := report.differences(reports):
        print("The hosts did not do the same:\n" + "\n".join(found), file=sys.stderr)
        return 1
    report.write(reports)
    return 0


def _apart(kind: str, number: int, path: Path) -> int:
    environment = {
        **os.environ,
        REPORT: str(path),
        "REHEARSAL_GATEWAY_PORT": str(GATEWAY_PORT + APART * number),
        "REHEARSAL_FRONT_PORT": str(FRONT_PORT + APART * number),
    }
    command = [sys.executable, "-m", "tests.pipelines.executed", kind]
    return subprocess.run(command, cwd=PROJECT_ROOT, env=environment, check=False, timeout=HOST_SECONDS).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
