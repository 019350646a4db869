"""One emulator for all tests that need one, in a process of its own, and the image that its tasks run."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import pytest
from rehearsal.emulator import alarm_messages, alarms, service_calls
from rehearsal.emulator.deployment_alarms import DeploymentAlarms
from rehearsal.emulator.service_scheduler import Scheduler
from rehearsal.emulator.target_health import TargetRegistry
from rehearsal.emulator.task_stop import Stopper

from emulator_cloud import CLUSTER, LOG_GROUP, Cloud, build_context

ROOT = Path(__file__).parents[2]
BASE = os.environ.get("STAND_IN_PYTHON_IMAGE", "pactum-standin/python:3.13-slim-trixie")
PREFIX = os.environ.get("STAND_IN_IMAGE_PREFIX", "pactum-standin")
START_SECONDS = 40
BAKE_SECONDS = 100.0


@dataclass
class Clock:
    """A clock that stands still until told otherwise (seconds)."""

    now: float = 1_000_000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@dataclass
class Emulator:
    """A running emulator process."""

    process: subprocess.Popen[bytes]
    port: int
    front_port: int
    directory: Path

    def end(self) -> int:
        """Send SIGTERM and return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)


Starter = Callable[..., Emulator]


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(directory: Path, arguments: tuple[str, ...] = ("-m", "rehearsal.emulator"), **environment: str) -> Emulator:
    """Start an emulator on free ports and wait until it is ready. `arguments` are the interpreter's."""
    # Below the range from which the kernel hands out ports to others meanwhile.
    port, front_port = 10_000 + free_port() % 9_000, 20_000 + free_port() % 9_000
    port = int(environment.get("REHEARSAL_PORT", port))
    variables = os.environ | {
        "REHEARSAL_PORT": str(port),
        "REHEARSAL_FRONT_PORT": str(front_port),
        "REHEARSAL_DIRECTORY": str(directory),
        "REHEARSAL_IMAGE_PREFIX": PREFIX,
    }
    with (directory / "emulator.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=ROOT, env=variables | environment, stderr=log, stdout=log
        )
    emulator = Emulator(process, port, front_port, directory)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_rehearsal/extensions", timeout=2) as answer:
                if answer.status == 200:
                    return emulator
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    process.kill()
    raise AssertionError(f"the emulator did not start: {(directory / 'emulator.log').read_text()[-2000:]}")


@pytest.fixture(scope="session")
def bake_clock() -> Clock:
    """The clock by which deployments of `scheduler` bake."""
    return Clock()


@pytest.fixture(scope="session")
def scheduler(bake_clock: Clock) -> Scheduler:
    """A scheduler that is installed in this process, where no Docker engine is asked for anything."""
    watching = DeploymentAlarms(BAKE_SECONDS, bake_clock)
    made = Scheduler(None, TargetRegistry(lambda _: 0.0), Stopper(None, threading.Event()), alarms=watching)
    service_calls.install(made)
    alarms.install()
    alarm_messages.install()
    return made


@pytest.fixture(scope="session")
def docker_client() -> Iterator[Any]:
    """A client of the Docker engine."""
    client = docker.from_env()
    yield client
    client.close()


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """The emulator that most tests share."""
    running = start(
        tmp_path_factory.mktemp("emulator"), REHEARSAL_PARENT_PID=str(os.getpid()), REHEARSAL_BAKE_SECONDS="100"
    )
    yield running
    assert running.end() == 0, "an emulator that was asked to end must end well"


@pytest.fixture(scope="session")
def cloud(emulator: Emulator, docker_client: Any) -> Iterator[Cloud]:
    """AWS clients, with the test image pushed to ECR and a cluster and a log group made."""
    tag = f"localhost:{emulator.port}/tests"
    docker_client.images.build(fileobj=build_context(BASE), custom_context=True, tag=f"{tag}:1", rm=True)
    cloud = Cloud(emulator.port, "")
    uri = cloud.ecr.create_repository(repositoryName="tests", imageTagMutability="IMMUTABLE")["repository"][
        "repositoryUri"
    ]
    docker_client.images.push(tag, tag="1")
    digest = cloud.ecr.describe_images(repositoryName="tests")["imageDetails"][0]["imageDigest"]
    cloud.image = f"{uri}@{digest}"
    cloud.ecs.create_cluster(clusterName=CLUSTER)
    cloud.logs.create_log_group(logGroupName=LOG_GROUP)
    yield cloud
    docker_client.images.remove(f"{tag}:1", force=True)
