"""What the host's kernel knows of a container: CPU time, memory, and when it began. Linux only, as root."""

import os
import re
import time
from pathlib import Path

from benchmarks.errors import MeasurementError

PROC = Path("/proc")
CGROUPS = Path("/sys/fs/cgroup")
_PSS = re.compile(r"^Pss:\s+(\d+) kB$", re.MULTILINE)
_USAGE = re.compile(r"^usage_usec (\d+)$", re.MULTILINE)


def cpu_seconds(pid: int, *, proc: Path = PROC, cgroups: Path = CGROUPS) -> float:
    """CPU time of all processes of a container so far, also of those that have ended; `pid` is its first process."""
    directories = _cgroup_directories(pid, proc, cgroups)
    for directory in directories:
        version_1, version_2 = directory / "cpuacct.usage", directory / "cpu.stat"
        if version_1.is_file():
            return int(version_1.read_text(encoding="ascii")) / 1e9
        if version_2.is_file() and (usage := _USAGE.search(version_2.read_text(encoding="ascii"))):
            return int(usage[1]) / 1e6
    raise MeasurementError(
        f"The CPU time of process {pid} is in none of {', '.join(map(str, directories)) or 'its cgroups'}.",
        remedy="Run the benchmark on the machine of the Docker engine itself, not in a container.",
    )


def pss_mib(pid: int, *, proc: Path = PROC, cgroups: Path = CGROUPS) -> float:
    """Memory of a container's processes, shared pages divided among those that share them."""
    kib = 0
    for each in _processes(pid, proc, cgroups):
        try:
            found = _PSS.search((proc / str(each) / "smaps_rollup").read_text(encoding="ascii"))
        except (FileNotFoundError, ProcessLookupError):
            # It ended since the list was made, as a health check does.
            continue
        kib += int(found[1]) if found else 0
    if not kib:
        raise MeasurementError(f"No memory was found for the container of process {pid}.", remedy="Run it as root.")
    return kib / 1024


def running_seconds(pid: int, *, now: float | None = None, proc: Path = PROC) -> float:
    """How long ago the process was made; `now` is a `time.clock_gettime(CLOCK_BOOTTIME)`."""
    fields = (proc / str(pid) / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    # proc(5): starttime, the 22nd field, in ticks since boot.
    started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return (time.clock_gettime(time.CLOCK_BOOTTIME) if now is None else now) - started


def _processes(pid: int, proc: Path, cgroups: Path) -> list[int]:
    for directory in _cgroup_directories(pid, proc, cgroups):
        listing = directory / "cgroup.procs"
        if listing.is_file():
            return [int(line) for line in listing.read_text(encoding="ascii").split()]
    raise MeasurementError(f"The processes of the container of process {pid} are not to be found.")


def _cgroup_directories(pid: int, proc: Path, cgroups: Path) -> list[Path]:
    """Where a container's accounts may be: under cpuacct in version 1, else in the one tree of version 2."""
    candidates: list[Path] = []
    for line in (proc / str(pid) / "cgroup").read_text(encoding="utf-8").splitlines():
        number, controllers, path = line.split(":", 2)
        if "cpuacct" in controllers.split(","):
            candidates += [cgroups / name / path.lstrip("/") for name in ("cpuacct", controllers)]
        elif number == "0":
            candidates += [cgroups / path.lstrip("/"), cgroups / "unified" / path.lstrip("/")]
    return [directory for directory in candidates if directory.is_dir()]
