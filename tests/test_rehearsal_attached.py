"""Updates from another process: what they attach to, when they refuse, and what a kill reaches."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rehearsal import __main__ as command_line
from rehearsal import attached, environment_file, processes
from rehearsal.attached import Attached
from rehearsal.docker_client import DockerClient
from rehearsal.drills.attached_update import MARK, AttachedUpdate
from rehearsal.emulator_process import EmulatorEndedError
from rehearsal.errors import RehearsalError
from rehearsal.place import PROJECT_ROOT, Place
from rehearsal.progress import Progress
from rehearsal.realisers.tables import realiser_of
from rehearsal.session import Rehearsal
from rehearsal.state import Tally
from tests.shop import STACK_FILE

DOCKER = DockerClient(executable="/nonexistent/docker")
IMAGE = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/pactum@sha256:{'a' * 64}"
OUTPUTS = {"url": "http://x", "release": "sha256:a", "cluster_name": "c", "service_name": "web", "image": IMAGE}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr(Place, "scratch", property(lambda _: tmp_path))
    return Place(gateway_port=4666, front_port=8000)


def _up(place: Place) -> None:
    """A rehearsal of staging is up here: this very process is its emulator."""
    attached.announce(place, stack="staging", overrides={"pactum:webMinimum": "2"}, docker=DOCKER)
    processes.record(place.emulator_record, os.getpid())


def test_a_rehearsal_that_is_up_can_be_attached_to(place: Place) -> None:
    _up(place)
    (place.scratch / "outputs-staging.json").write_text(json.dumps(OUTPUTS))
    updater = attached.attach(place, "staging", Progress())
    assert updater.overrides == {"pactum:webMinimum": "2"}, (
        "an update must not undo what the rehearsal was started with"
    )
    assert updater.tools.docker == DOCKER
    assert updater.live is not None
    assert updater.live.release == "sha256:a", "what is live is known from the last update, whoever ran it"


def test_an_update_reads_the_stack_file_that_the_rehearsal_was_started_with(place: Place) -> None:
    attached.announce(place, stack="shop", overrides={}, docker=DOCKER, config_file=STACK_FILE)
    processes.record(place.emulator_record, os.getpid())
    updater = attached.attach(place, "shop", Progress())
    assert updater._configuration(None).values["pactum:port"] == "9000"


@pytest.mark.parametrize("lacking", ["a record", "an emulator", "the same stack"])
def test_without_a_rehearsal_there_is_nothing_to_update(place: Place, lacking: str) -> None:
    if lacking != "a record":
        _up(place)
    if lacking == "an emulator":
        place.emulator_record.write_text('{"pid": 1, "started_at": "another time"}')
    stack = "prod" if lacking == "the same stack" else "staging"
    with pytest.raises(RehearsalError, match=f"No rehearsal of {stack} is up on port 4666") as raised:
        attached.attach(place, stack, Progress())
    assert f"make rehearse STACK={stack} KEEP=1" in str(raised.value)


def test_the_end_of_the_rehearsal_ends_the_update(place: Place) -> None:
    _up(place)
    updater = attached.attach(place, "staging", Progress())
    updater._watch()
    place.emulator_record.unlink()
    with pytest.raises(EmulatorEndedError):
        updater._watch()


def test_an_ended_rehearsal_leaves_no_state_to_the_next(place: Place) -> None:
    _up(place)
    for name in ("state-pactum.json", "outputs-staging.json", "operations.log"):
        (place.scratch / name).touch()
    attached.forget(place)
    left = {path.name for path in place.scratch.iterdir()} - {place.emulator_record.name}
    assert left == {"operations.log"}, "logs stay, for people; a state of what is gone would be believed"


def test_an_update_waits_before_the_resource_it_is_told_to() -> None:
    waited: list[str] = []
    find = attached.holding("aws:ecs/service:Service", lambda: waited.append("service"))
    assert find("aws:ecs/cluster:Cluster") is realiser_of("aws:ecs/cluster:Cluster")
    assert waited == []
    assert find("aws:ecs/service:Service") is realiser_of("aws:ecs/service:Service")
    assert waited == ["service"]


def test_update_tells_in_words_that_nothing_is_up(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert place.scratch.is_dir()
    assert command_line.main(["update", "staging", "--digest", "sha256:a"]) == 1
    said = capsys.readouterr().err
    assert "No rehearsal of staging is up" in said
    assert "Traceback" not in said


def test_who_keeps_a_rehearsal_up_is_told_how_to_operate_it(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Place, "report", property(lambda _: place.scratch / "report.json"))
    monkeypatch.setattr(Rehearsal, "wait", lambda _: None)
    command_line._stay(Rehearsal(stack="staging", place=place))
    said = capsys.readouterr().out
    assert f"source {environment_file.path(place)}" in said
    assert "-m ops status --stack staging" in said
    assert "-m rehearsal update staging --release tests/releases/good" in said


def test_a_setting_without_a_namespace_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command_line.main(["update", "staging", "--set", "webMinimum=2"])
    assert "is not NAMESPACE:KEY=VALUE" in capsys.readouterr().err


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="processes are found by their environment on Linux only"
)
def test_a_kill_reaches_what_the_update_started_in_sessions_of_its_own(tmp_path: Path) -> None:
    mark = f"test-{os.getpid()}-{time.monotonic_ns()}"
    script = "import subprocess, time; subprocess.Popen(['sleep', '60'], start_new_session=True); time.sleep(60)"
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        env={**os.environ, MARK: mark},
        stdin=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    (tmp_path / "log").touch()
    update = AttachedUpdate(process=process, log=tmp_path / "log", mark=mark)
    deadline = time.monotonic() + 20
    while len(processes.with_environment(MARK, mark)) < 2:
        assert time.monotonic() < deadline, "the child was not started"
        time.sleep(0.05)
    update.kill()
    assert update.ended
    assert processes.with_environment(MARK, mark) == [], "a migration's watcher that lives on would give signs of life"
    update.end()


OF_THE_USER = {
    "AWS_PROFILE": "production",
    "AWS_SESSION_TOKEN": "real",
    "AWS_ENDPOINT_URL_ECS": "https://ecs.eu-west-1.amazonaws.com",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "AWS_LINES": "a\nAWS_REGION=b",
}


def sourced(place: Place, **environment: str) -> dict[str, str]:
    """The environment of a shell that had one, and then sourced the file."""
    done = subprocess.run(
        ["/bin/sh", "-eu", "-c", f'. "{environment_file.path(place)}"; env -0'],
        env={"PATH": "/usr/bin:/bin", "HOME": "/", **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(line.partition("=")[::2] for line in done.stdout.rstrip("\0").split("\0"))


def test_the_environment_file_points_a_shell_at_the_rehearsal(place: Place) -> None:
    environment_file.write(place, "eu-west-1")
    found = sourced(place, **OF_THE_USER)
    assert found["AWS_ENDPOINT_URL"] == place.endpoint_url
    assert found["AWS_REGION"] == "eu-west-1"
    assert found["OPS_CONNECT_TO"] == "127.0.0.1:4666"
    assert found["PATH"] == f"{PROJECT_ROOT / 'rehearsal/bin'}:/usr/bin:/bin", "stand-ins come first, the rest stays"
    assert not OF_THE_USER.keys() & found.keys(), "nothing of the user's may reach a real account"
    assert "rehearsal_name" not in found
    assert "OPS_TRANSCRIPT" not in found, "a person wants to see the steps"
    environment_file.remove(place)
    assert not environment_file.path(place).exists()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "127.0.0.1,localhost"),
        ({"NO_PROXY": "intranet"}, "intranet,127.0.0.1,localhost"),
        ({"NO_PROXY": "intranet", "no_proxy": "lower"}, "lower,127.0.0.1,localhost"),
    ],
)
def test_no_proxy_stands_before_the_rehearsal(place: Place, given: dict[str, str], expected: str) -> None:
    environment_file.write(place, "eu-west-1")
    found = sourced(place, **given)
    assert (found["NO_PROXY"], found["no_proxy"]) == (expected, expected), "curl and Python read the lower-case one"


def test_an_update_that_is_killed_as_it_ends_leaves_outputs_that_can_be_read(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    _up(place)
    (place.scratch / "outputs-staging.json").write_text(json.dumps(OUTPUTS))
    updater = attached.attach(place, "staging", Progress())
    monkeypatch.setattr(Attached, "_run", lambda *_, **__: (OUTPUTS | {"release": "sha256:b"}, Tally()))
    write = Path.write_text

    def killed(path: Path, text: str, **options: str) -> int:
        write(path, text[: len(text) // 2], **options)
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(Path, "write_text", killed)
        with pytest.raises(KeyboardInterrupt):
            updater.up()
    updater.take_outputs()
    assert updater.outputs["release"] == "sha256:a", "every later update and drill would end with a JSON error"
    updater.up()
    assert updater.outputs["release"] == "sha256:b", "and the next one gets through"
