"""What a rehearsal needs of the machine, what it says when that is missing, and what it removes."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from rehearsal import base_images, children, cleanup, docker_engine, emulator_process, processes, virtualenv
from rehearsal.docker_client import DockerClient, last_lines
from rehearsal.errors import RehearsalError
from rehearsal.place import Place

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def docker_script(tmp_path: Path) -> Callable[[str], str]:
    """Makes a `docker` of its own that notes its arguments and does what the given shell lines say."""

    def make(body: str) -> str:
        path = tmp_path / "docker"
        path.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n{body}\n')
        path.chmod(0o755)
        return str(path)

    return make


def test_no_docker_command_at_all_says_what_to_do() -> None:
    with pytest.raises(docker_engine.NoEngineError, match=r"no docker command.*\n.*make docker-engine"):
        docker_engine.find(iter([]))


def test_an_engine_that_does_not_answer_is_told_with_dockers_words(docker_script: Callable[[str], str]) -> None:
    path = docker_script('echo "Cannot connect to the Docker daemon" >&2; exit 1')
    with pytest.raises(docker_engine.NoEngineError, match="Cannot connect to the Docker daemon"):
        docker_engine.find(iter([path]))


def test_a_client_without_buildkit_is_refused_and_told(docker_script: Callable[[str], str]) -> None:
    path = docker_script('case "$1" in version) echo 27;; build) echo "ERROR: buildx is missing" >&2; exit 1;; esac')
    with pytest.raises(RehearsalError, match="no client builds with BuildKit") as raised:
        docker_engine.find(iter([path]))
    assert "buildx is missing" in str(raised.value), "the reader must see what the client said"
    assert not isinstance(raised.value, docker_engine.NoEngineError), "installing an engine would not help"


def test_the_first_client_that_builds_is_taken(docker_script: Callable[[str], str], tmp_path: Path) -> None:
    working = docker_script('[ "$1" = version ] && echo 27; exit 0')
    missing = str(tmp_path / "elsewhere" / "docker")
    with pytest.raises(RehearsalError, match="cannot be run"):
        docker_engine.find(iter([missing]))
    assert docker_engine.find(iter([working])).executable == working
    calls = (tmp_path / "calls").read_text()
    assert "image rm" in calls, "the image of the trial build must be removed again"


def test_no_engine_is_installed_by_a_user_who_is_not_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker_engine, "candidates", lambda: iter([]))
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr(docker_engine, "_install", lambda _: pytest.fail("nothing may be installed"))
    with pytest.raises(docker_engine.NoEngineError):
        docker_engine.ensure(print)


def test_no_engine_is_installed_where_docker_host_names_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    monkeypatch.setattr(docker_engine, "candidates", lambda: iter([]))
    monkeypatch.setattr(docker_engine, "_install", lambda _: pytest.fail("the user chose another engine"))
    with pytest.raises(docker_engine.NoEngineError):
        docker_engine.ensure(print)


def test_root_on_debian_gets_an_engine_installed_and_is_told(
    monkeypatch: pytest.MonkeyPatch, docker_script: Callable[[str], str]
) -> None:
    steps: list[str] = []
    path = docker_script('[ "$1" = version ] && echo 27; exit 0')
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr(docker_engine, "candidates", lambda: iter([path] if "start" in steps else []))
    monkeypatch.setattr(docker_engine, "_can_install", lambda: True)
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr(docker_engine, "_install", lambda _: steps.append("install"))
    monkeypatch.setattr(docker_engine, "_start", lambda _: steps.append("start"))
    told: list[str] = []
    assert docker_engine.ensure(told.append).executable == path
    assert steps == ["install", "start"]
    assert "Installing the distribution's" in told[0], "nothing is installed without a word"


def test_a_nearly_full_disk_is_refused(docker_script: Callable[[str], str], tmp_path: Path) -> None:
    client = DockerClient(executable=docker_script(f"echo {tmp_path}"))
    docker_engine.check_disk(client, tmp_path, minimum_gib=0)
    with pytest.raises(RehearsalError, match=rf"Docker engine's disk \({tmp_path}\) has .* GiB free; .* needs 1000000"):
        docker_engine.check_disk(client, tmp_path, minimum_gib=1_000_000)


def test_a_taken_port_is_refused_with_the_variable_that_moves_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(RehearsalError, match=rf"Port {port} .*\n.*REHEARSAL_FRONT_PORT"):
            emulator_process.check_ports(Place(gateway_port=0, front_port=port))


def test_an_emulator_that_ends_at_once_is_told_with_its_last_words(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = Place(root=tmp_path, gateway_port=0, front_port=free.getsockname()[1])
    (tmp_path / "python").write_text('#!/bin/sh\necho "emulator: wrong MiniStack" >&2\nexit 2\n')
    (tmp_path / "python").chmod(0o755)
    images = base_images.BaseImages(prefix="pactum-standin")
    with pytest.raises(RehearsalError, match=r"ended at once:\n    emulator: wrong MiniStack"):
        emulator_process.start(place, tmp_path / "python", images, "/usr/bin/docker")
    assert not place.emulator_record.exists(), "nothing is left to clean up"


def test_only_one_rehearsal_has_a_port() -> None:
    place = Place(gateway_port=1)
    with cleanup.only_one(place), pytest.raises(cleanup.BusyError, match="Another rehearsal runs on port 1"):
        cleanup.only_one(place).__enter__()


def test_a_recorded_process_is_ended_and_a_recycled_id_is_not(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    record = tmp_path / "emulator.json"
    try:
        processes.record(record, process.pid)
        assert processes.recorded(record) == process.pid
        record.write_text(record.read_text().replace('"started_at": "', '"started_at": "9'))
        assert processes.recorded(record) is None, "another process got that id since: it is not ours to end"
    finally:
        processes.end(process.pid, grace_seconds=5)
    assert process.wait(5) != 0, "the process was ended"
    assert processes.started_at(process.pid) is None


def test_the_emulators_environment_is_made_again_when_a_pin_changes(tmp_path: Path) -> None:
    pins = tmp_path / "requirements.txt"
    pins.write_text("ministack==1.5.33\n")
    before = virtualenv.fingerprint(pins)
    pins.write_text("ministack==1.5.34\n")
    assert virtualenv.fingerprint(pins) != before


def test_a_child_that_takes_too_long_ends_with_its_own_children(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    with pytest.raises(subprocess.TimeoutExpired):
        children.run(["/bin/sh", "-c", f"sleep 60 & echo $! > {pid_file}; wait"], timeout_seconds=0.5)
    grandchild = int(pid_file.read_text())
    deadline = time.monotonic() + 5
    while processes.started_at(grandchild) is not None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert processes.started_at(grandchild) is None, "nothing that a command started may go on"


def test_no_child_is_started_once_the_rehearsal_ends() -> None:
    children.end_all()
    try:
        with pytest.raises(children.StoppedError):
            children.run(["/bin/true"], timeout_seconds=5)
    finally:
        children.allow()
    assert children.run(["/bin/echo", "on"], timeout_seconds=5).stdout == "on\n"


def test_the_end_of_a_build_is_shown_without_cache_digests() -> None:
    text = "#5 [2/2] RUN false\n#5 sha256:31a5\n\n#5 ERROR: exit code: 1\n"
    assert last_lines(text) == "    #5 [2/2] RUN false\n    #5 ERROR: exit code: 1"
