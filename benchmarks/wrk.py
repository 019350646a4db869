"""Load by wrk: connections that are kept where the server keeps them, and every answer counted."""

import re
import shutil
from dataclasses import dataclass

from benchmarks.errors import MeasurementError
from rehearsal.docker_client import last_lines
from rehearsal.docker_engine import Announce, install_packages

CONNECTIONS = 16
MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}

_COUNT = re.compile(r"^\s*(\d+) requests in ([\d.]+)(us|ms|s|m), ", re.MULTILINE)
_P99 = re.compile(r"^\s*99%\s+([\d.]+)(us|ms|s|m)\s*$", re.MULTILINE)
_SOCKET_ERRORS = re.compile(r"^\s*Socket errors: (.+)$", re.MULTILINE)
_BAD_ANSWERS = re.compile(r"^\s*Non-2xx or 3xx responses: (\d+)$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Load:
    """What one run of wrk saw."""

    requests: int
    seconds: float
    p99_ms: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


def command(url: str, host: str, seconds: int) -> list[str]:
    """One thread is enough to keep a Django app busy, and leaves it the other processors."""
    return ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-H", f"Host: {host}", url]


def parse(output: str) -> Load:
    """Read wrk's report. MeasurementError when an answer was bad, a connection failed, or a figure is missing."""
    for what, pattern in (("answers that are no success", _BAD_ANSWERS), ("socket errors", _SOCKET_ERRORS)):
        if found := pattern.search(output):
            raise MeasurementError(f"wrk saw {what}: {found[1]}")
    count, p99 = _COUNT.search(output), _P99.search(output)
    if not count or not p99:
        raise MeasurementError(
            f"wrk's report lacks the count of requests or the 99th percentile:\n{last_lines(output)}"
        )
    return Load(
        requests=int(count[1]),
        seconds=float(count[2]) * MILLISECONDS[count[3]] / 1000,
        p99_ms=float(p99[1]) * MILLISECONDS[p99[2]],
    )


def provide(announce: Announce) -> None:
    """Install Debian's wrk where there is none."""
    if shutil.which("wrk") is None:
        if shutil.which("apt-get") is None:
            raise MeasurementError("There is no wrk to make load with.", remedy="Install wrk from your distribution.")
        install_packages(["wrk"], announce)
