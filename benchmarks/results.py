"""benchmarks/results.json: every measurement of one whole run, and the machine it was made on."""

import json
import os
import platform
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.errors import MeasurementError
from benchmarks.samples import Samples
from rehearsal.docker_client import DockerClient
from rehearsal.place import PROJECT_ROOT

FILE = PROJECT_ROOT / "benchmarks" / "results.json"
SIGNIFICANT_DIGITS = 6


@dataclass(frozen=True, kw_only=True)
class Results:
    """What the README's table is made of."""

    machine: dict[str, Any]
    runs: int
    samples: Samples


def machine(docker: DockerClient, python_image: str) -> dict[str, Any]:
    """Where and when; `load` is the machine's load average before the first measurement."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "commit": _git("rev-parse", "--short=12", "HEAD"),
        "changed_since_commit": bool(_git("status", "--porcelain", "--", "app_image", "benchmarks/usual")),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory / 2**30),
        "kernel": platform.release(),
        "docker": docker.run("version", "--format", "{{.Server.Version}}", timeout_seconds=30).strip(),
        "base_image": python_image,
        "load": round(os.getloadavg()[0], 1),
    }


def write(results: Results, path: Path = FILE) -> None:
    values = {
        metric: {side: [float(f"{value:.{SIGNIFICANT_DIGITS}g}") for value in each] for side, each in sides.items()}
        for metric, sides in results.samples.values.items()
    }
    content = {"machine": results.machine, "runs": results.runs, "values": values, "notes": results.samples.notes}
    path.write_text(_with_short_lists(json.dumps(content, indent=2)) + "\n", encoding="utf-8")


def read(path: Path = FILE) -> Results:
    content = json.loads(path.read_text(encoding="utf-8"))
    samples = Samples(values=content["values"], notes=content["notes"])
    return Results(machine=content["machine"], runs=content["runs"], samples=samples)


def _with_short_lists(text: str) -> str:
    """The five figures of a list on one line: a person reads them across."""
    lines: list[str] = []
    inside: list[str] | None = None
    for each in text.splitlines():
        if each.endswith("["):
            inside = [each]
        elif inside is None:
            lines.append(each)
        else:
            inside.append(each.strip())
            if each.strip() in {"]", "],"}:
                lines.append(inside[0] + " ".join(inside[1:-1]) + inside[-1])
                inside = None
    return "\n".join(lines)


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=30, check=False
    )
    if done.returncode:
        raise MeasurementError(f"`git {arguments[0]}` failed: {done.stderr.strip()}", remedy="Run it in a clone.")
    return done.stdout.strip()
