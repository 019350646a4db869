"""What cleaning removes, what it leaves alone, and what it says when something stays."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from rehearsal import __main__ as command_line
from rehearsal import children, cleanup, docker_engine, docker_leftovers, processes
from rehearsal.docker_client import DockerClient
from rehearsal.errors import RehearsalError
from rehearsal.place import Place

if TYPE_CHECKING:
    from pathlib import Path

LABEL = "label=pactum.rehearsal=77"
LISTINGS = {
    "containers": f"ps --all --format {{{{.Names}}}} --filter {LABEL}",
    "networks": f"network ls --format {{{{.Name}}}} --filter {LABEL}",
    "volumes": f"volume ls --quiet --filter {LABEL}",
    "references": (
        "image ls --digests --format {{.Repository}} {{.Tag}} {{.Digest}} "
        "--filter reference=localhost:77/* --filter reference=localhost:77/*/*"
    ),
    "untagged": (
        f"image ls --no-trunc --format {{{{.Repository}}}} {{{{.ID}}}} --filter dangling=true --filter {LABEL}"
    ),
}
REMOVALS = [
    "rm --force --volumes database task",
    "network rm private",
    "volume rm data",
    "image rm localhost:77/pactum:new localhost:77/pactum@sha256:old",
    "image rm sha256:free",
]
# Answers only listings that are spelled exactly as above, and forgets what is removed; `stuck` is never removed.
SCRIPT = """#!/bin/sh
cd {directory}
echo "$*" >> calls
case "$*" in
{answers}
*"ancestor=sha256:used"*) echo users-own;;
*"network inspect"*) echo foreign;;
esac
case "$1 $2" in
"rm --force") rm -f containers;;
"network rm") [ -e stuck ] && {{ echo "network has active endpoints" >&2; exit 1; }}; rm -f networks;;
"volume rm") rm -f volumes;;
"image rm") case "$*" in *localhost*) rm -f references;; *) echo "<none> sha256:used" > untagged;; esac;;
esac
exit 0
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(root=tmp_path, gateway_port=77, front_port=78)


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DockerClient:
    """A docker that has something of every kind."""
    monkeypatch.setattr(docker_leftovers, "PAUSE_SECONDS", 0)
    for name, content in {
        "containers": "task\ndatabase\n",
        "networks": "private\n",
        "volumes": "data\n",
        "references": "localhost:77/pactum new sha256:new\nlocalhost:77/pactum <none> sha256:old\n",
        "untagged": "<none> sha256:free\n<none> sha256:used\nusers/own sha256:mine\n",
    }.items():
        (tmp_path / name).write_text(content)
    answers = "\n".join(f'"{call}") cat {name} 2>/dev/null;;' for name, call in LISTINGS.items())
    script = tmp_path / "docker"
    script.write_text(SCRIPT.format(directory=tmp_path, answers=answers))
    script.chmod(0o755)
    return DockerClient(executable=str(script))


def _calls(place: Place) -> list[str]:
    return (place.root / "calls").read_text().splitlines()


def test_cleaning_removes_exactly_what_carries_our_label_or_our_registrys_name(
    place: Place, client: DockerClient
) -> None:
    removed = cleanup.remove_all(place, client)
    assert removed == ["2 containers", "1 network", "1 volume", "2 image references", "1 untagged image"]
    removals = [call for call in _calls(place) if " rm " in call or call.startswith("rm ")]
    assert removals == REMOVALS, "nothing of anybody else may be removed, and no image by force"


def test_what_stays_after_cleaning_is_told_with_what_holds_it(place: Place, client: DockerClient) -> None:
    (place.root / "stuck").touch()
    with pytest.raises(RehearsalError, match=r"network private: used by container foreign") as raised:
        cleanup.remove_all(place, client)
    assert "python -m rehearsal clean" in str(raised.value), "a person must know how to go on"
    assert "volume rm data" in _calls(place), "what can be removed is removed all the same"


def test_clean_ends_non_zero_when_something_stays(
    place: Place, client: DockerClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (place.root / "stuck").touch()
    monkeypatch.setattr(docker_engine, "find", lambda: client)
    monkeypatch.setattr(command_line, "Place", lambda: place)
    assert command_line.main(["clean"]) == 1, "a script that goes on believes that nothing is left"
    assert "network private" in capsys.readouterr().err


def test_a_container_that_takes_a_moment_to_go_is_waited_for(place: Place, client: DockerClient) -> None:
    script = place.root / "docker"
    once = '"rm --force") [ -e slow ] && { rm slow; exit 1; }; rm -f containers;;'
    script.write_text(script.read_text().replace('"rm --force") rm -f containers;;', once))
    (place.root / "slow").touch()
    assert cleanup.remove_all(place, client)[0] == "2 containers", "its removal may already be under way"


@pytest.mark.skipif(sys.platform != "linux", reason="setpriv and /proc are Linux's")
def test_programs_of_a_killed_rehearsal_end_with_it_or_are_found_by_clean(place: Place) -> None:
    pid_file = place.root / "pids"
    # The shell is the program the rehearsal runs; the sleep, in a session of its own, is what only `clean` can find.
    command = f"setsid sleep 300 & echo $$ $! > {pid_file}; wait"
    script = (
        "import sys; from rehearsal import children\n"
        f"children.belong_to({place.docker_label!r})\n"
        "children.run(['/bin/sh', '-c', sys.argv[1]], timeout_seconds=300)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, command]) as process:
        pids = _numbers(pid_file)
        os.kill(process.pid, 9)
    try:
        assert _ends(pids[0]), "a docker client must not go on building for a rehearsal that is dead"
        assert f"process {pids[1]}" in cleanup.remove_all(place, None), "what was found is told"
        assert processes.started_at(pids[1]) is None, "`clean` leaves no process"
    finally:
        for pid in pids:
            processes.end(pid, grace_seconds=1)


def test_a_program_started_at_the_moment_of_the_end_is_ended_too(monkeypatch: pytest.MonkeyPatch) -> None:
    started = subprocess.Popen

    def start_late(*arguments: object, **options: object) -> object:
        process = started(*arguments, **options)  # type: ignore[call-overload]
        children.end_all()
        return process

    monkeypatch.setattr(subprocess, "Popen", start_late)
    before = time.monotonic()
    try:
        with pytest.raises(children.StoppedError):
            children.run(["/bin/sleep", "20"], timeout_seconds=20)
    finally:
        children.allow()
    assert time.monotonic() - before < 10, "nobody else would ever end it"


def _numbers(path: Path) -> list[int]:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if path.exists() and path.read_text().endswith("\n"):
            return [int(word) for word in path.read_text().split()]
        time.sleep(0.05)
    pytest.fail("the program did not start")


def _ends(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while processes.started_at(pid) is not None and time.monotonic() < deadline:
        time.sleep(0.05)
    return processes.started_at(pid) is None
