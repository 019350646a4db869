"""The end of an emulator, in every way it may come."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import docker
import pytest
from rehearsal.emulator import labels
from rehearsal.emulator.settings import CannotStartError, Settings

from conftest import Emulator, free_port, start
from emulator_cloud import CLUSTER, LOG_GROUP, Cloud, until
from emulator_functions import function

NAP = ["python3", "-c", "import time; print('up', flush=True); time.sleep(600)"]


def left(docker_client: Any, port: int) -> list[Any]:
    """Containers, volumes and networks with the emulator's label."""
    filters = {"label": f"pactum.rehearsal={port}"}
    return [
        *docker_client.containers.list(all=True, filters=filters),
        *docker_client.volumes.list(filters=filters),
        *docker_client.networks.list(filters=filters),
    ]


def occupy(emulator: Emulator, image: str) -> None:
    """Have a task with a volume running."""
    cloud = Cloud(emulator.port, image)
    cloud.ecs.create_cluster(clusterName=CLUSTER)
    cloud.logs.create_log_group(logGroupName=LOG_GROUP)
    mount = {"sourceVolume": "v", "containerPath": "/v"}
    definition = cloud.task_definition(command=NAP, volumes=[{"name": "v"}], mountPoints=[mount])
    arn = cloud.run(definition)
    until(lambda: cloud.task(arn)["lastStatus"] == "RUNNING", 20, "RUNNING")


@pytest.fixture(scope="module")
def image(cloud: Cloud, docker_client: Any) -> str:
    """A local image: these emulators have empty registries."""
    docker_client.images.get(f"localhost:{cloud.port}/tests:1").tag("pactum-emulator-tests", str(cloud.port))
    return f"pactum-emulator-tests:{cloud.port}"


def test_a_terminated_emulator_leaves_nothing(tmp_path: Path, image: str, docker_client: Any) -> None:
    emulator = start(tmp_path)
    occupy(emulator, image)
    assert len(left(docker_client, emulator.port)) == 3, "one container, one volume, one network"
    began = time.monotonic()
    assert emulator.end() == 0, "an end that was asked for is no failure"
    assert time.monotonic() - began < 10, "Ctrl-C must not feel stuck"
    assert left(docker_client, emulator.port) == [], "nothing stays behind"


def test_an_emulator_whose_parent_was_killed_ends_by_itself(tmp_path: Path, image: str, docker_client: Any) -> None:
    parent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"])
    emulator = start(tmp_path, REHEARSAL_PARENT_PID=str(parent.pid))
    occupy(emulator, image)
    parent.send_signal(signal.SIGKILL)
    parent.wait(timeout=5)
    assert emulator.process.wait(timeout=20) == 0, "it notices and ends"
    assert left(docker_client, emulator.port) == [], "a killed rehearsal leaves nothing running"


def test_what_a_killed_emulator_left_is_removed_by_the_next_on_its_port(
    tmp_path: Path, image: str, docker_client: Any
) -> None:
    killed = start(tmp_path)
    occupy(killed, image)
    os.kill(killed.process.pid, signal.SIGKILL)
    killed.process.wait(timeout=5)
    assert len(left(docker_client, killed.port)) == 3, "the label finds what a kill leaves"
    following = start(tmp_path, REHEARSAL_PORT=str(killed.port))
    containers = docker_client.containers.list(all=True, filters={"label": f"pactum.rehearsal={killed.port}"})
    following.end()
    assert containers == [], "a new emulator starts from nothing"
    assert left(docker_client, killed.port) == [], "and leaves nothing"


def test_functions_leave_nothing_either(tmp_path: Path) -> None:
    killed = start(tmp_path)
    cloud = Cloud(killed.port, "")
    function(cloud, "left")
    cloud.client("lambda").invoke(FunctionName="left", Payload="{}")
    kept = tmp_path / f"temporary-{killed.port}"
    (code,) = kept.glob("ministack-lambda-left-*")
    os.kill(killed.process.pid, signal.SIGKILL)
    killed.process.wait(timeout=5)
    following = start(tmp_path, REHEARSAL_PORT=str(killed.port))
    assert not code.exists(), "a new emulator starts from nothing"
    assert following.end() == 0
    assert not kept.exists(), "and leaves nothing"


def test_a_taken_port_and_a_missing_engine_are_one_clear_line(emulator: Emulator, tmp_path: Path) -> None:
    cases = {
        "REHEARSAL_PORT": {"REHEARSAL_PORT": str(emulator.port)},
        "Docker": {"REHEARSAL_PORT": "4699", "DOCKER_HOST": f"unix://{tmp_path}/none.sock"},
    }
    for expected, environment in cases.items():
        answer = subprocess.run(
            [sys.executable, "-m", "rehearsal.emulator"],
            cwd=Path(__file__).parents[2],
            timeout=30,
            check=False,
            env=os.environ | {"REHEARSAL_DIRECTORY": str(tmp_path)} | environment,
            capture_output=True,
            text=True,
        )
        assert answer.returncode == 2, answer.stderr
        assert answer.stderr.startswith("emulator: "), answer.stderr
        assert expected in answer.stderr, "the line names what is wrong"
        assert "Traceback" not in answer.stderr, "this is no fault of the program"


def refused(tmp_path: Path, **environment: str) -> str:
    """What an emulator that cannot start says in its last line."""
    answer = subprocess.run(
        [sys.executable, "-m", "rehearsal.emulator"],
        cwd=Path(__file__).parents[2],
        timeout=30,
        check=False,
        env=os.environ | {"REHEARSAL_DIRECTORY": str(tmp_path), "REHEARSAL_FRONT_PORT": "0"} | environment,
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 2, answer.stderr
    assert "Traceback" not in answer.stderr, "this is no fault of the program"
    return answer.stderr.splitlines()[-1]


def test_containers_of_other_ministacks_survive_a_start_and_an_end(
    tmp_path: Path, image: str, docker_client: Any
) -> None:
    foreign = [
        docker_client.containers.run(image, NAP, detach=True, labels={label: "ecs"})
        for label in ("ministack", "com.ministack.service")
    ]
    try:
        assert start(tmp_path).end() == 0, "an end that was asked for is no failure"
        for container in foreign:
            container.reload()
            assert container.status == "running", "whatever is not labelled as ours is somebody else's"
    finally:
        for container in foreign:
            with suppress(docker.errors.NotFound):
                container.remove(force=True, v=True)


def test_a_network_of_the_emulators_name_that_somebody_holds_is_refused(
    tmp_path: Path, image: str, docker_client: Any
) -> None:
    port = 10_000 + free_port() % 9_000
    network = docker_client.networks.create(f"pactum-rehearsal-{port}", labels={"pactum.rehearsal": str(port)})
    container = docker_client.containers.run(image, NAP, detach=True, network=network.name)
    try:
        line = refused(tmp_path, REHEARSAL_PORT=str(port))
        assert line.startswith(f"emulator: a network named {network.name} exists already"), line
        assert container.name in line, "whoever reads this must know what to disconnect"
        assert len(docker_client.networks.list(names=[network.name])) == 1, "Docker would make a second one"
    finally:
        container.remove(force=True, v=True)
        network.remove()


def test_an_engine_without_a_free_address_range_is_one_clear_line() -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise docker.errors.APIError("404", explanation="all predefined address pools have been fully subnetted")

    networks = SimpleNamespace(list=lambda **_: [], create=refuse)
    with pytest.raises(CannotStartError, match=r"fully subnetted.*docker network prune.*default-address-pools"):
        labels.create_network(SimpleNamespace(networks=networks), Settings.from_environment({}))


@pytest.fixture(autouse=True, scope="module")
def _forget_image(image: str) -> Any:
    yield
    docker.from_env().images.remove(image)
