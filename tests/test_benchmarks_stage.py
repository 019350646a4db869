"""Nothing of a benchmark is left, and nothing of another that still runs is touched."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, cast

from benchmarks import stage

if TYPE_CHECKING:
    from rehearsal.docker_client import DockerClient


class Engine:
    """Lists what there is, and writes down what is removed."""

    def __init__(self, label: str) -> None:
        self._listed = {
            "ps": f"other=1,{label}=\n",
            "image": f"python\n{label}-usual\n",
            "network": "bridge\n",
            "volume": f"{label}\n",
        }
        self.removed: list[tuple[str, ...]] = []

    def attempt(self, *arguments: str, timeout_seconds: float) -> subprocess.CompletedProcess[str]:
        assert timeout_seconds, "an engine that hangs must not keep the benchmark from ending"
        output = ""
        if "rm" in arguments:
            self.removed.append(arguments)
        elif "--quiet" in arguments:
            output = "c1 c2\n"
        elif "--filter" in arguments:
            output = f"{self._listed['image'].split()[1]}:built\n"
        else:
            output = self._listed[arguments[0]]
        return subprocess.CompletedProcess([], 0, output, "")


def ended_process() -> int:
    """The id of a process that has ended and is collected."""
    done = subprocess.Popen(["true"])
    done.wait()
    return done.pid


def test_what_a_killed_run_left_is_removed() -> None:
    label = f"{stage.NAME}-{ended_process()}"
    engine = Engine(label)
    stage.clear_ended(cast("DockerClient", engine))
    assert engine.removed == [
        ("rm", "--force", "--volumes", "c1", "c2"),
        ("network", "rm", label),
        ("volume", "rm", label),
        ("image", "rm", "--force", f"{label}-usual:built"),
    ]


def test_a_run_that_still_goes_on_is_left_alone() -> None:
    engine = Engine(f"{stage.NAME}-{os.getpid()}")
    stage.clear_ended(cast("DockerClient", engine))
    assert engine.removed == []


def test_a_run_names_what_it_makes_after_itself() -> None:
    assert stage.label_of_this_run() == f"pactum-benchmark-{os.getpid()}"
