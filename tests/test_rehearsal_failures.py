"""What a person is told when something fails that nobody foresaw, or that has another cause than it seems."""

from __future__ import annotations

import errno
import fcntl
import json
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from rehearsal import __main__ as command_line
from rehearsal import bounded, cleanup, docker_engine, emulator_process, program, smoke, unexpected, virtualenv
from rehearsal.emulator_process import Emulator, EmulatorEndedError
from rehearsal.errors import InterruptionError, RehearsalError
from rehearsal.place import Place
from rehearsal.progress import Progress
from rehearsal.session import Rehearsal
from tests.rehearsal_fakes import FakeCloud, engine_with, written

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def staging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Rehearsals of staging write into a directory of the test's own."""
    monkeypatch.setenv("REHEARSAL_GATEWAY_PORT", "1")
    monkeypatch.setattr(Place, "report", property(lambda _: tmp_path / "report.json"))
    monkeypatch.setattr(Place, "scratch", property(lambda _: tmp_path))
    return tmp_path


@pytest.fixture
def dead_emulator(tmp_path: Path) -> Iterator[Emulator]:
    """An emulator that has ended by itself and has said why."""
    log = tmp_path / "emulator.log"
    log.write_text("emulator: its scheduler broke\n")
    with subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"]) as process:
        process.wait(20)
        yield Emulator(process=process, log=log, record=tmp_path / "record.json", extensions=())


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="http://127.0.0.1:4666"),
        ClientError({"Error": {"Code": "ServiceNotFoundException", "Message": "gone"}}, "ListTasks"),
    ],
    ids=["no connection", "refused"],
)
def test_an_aws_error_fails_its_check_only(error: Exception) -> None:
    def ask() -> None:
        raise error

    found = smoke.run({"asks": ask, "fine": lambda: None}, lambda _: None)
    assert found == {"asks": str(error), "fine": "ok"}, "the other checks are still worth their answers"


def test_an_update_ends_at_once_when_the_emulator_has_ended(tmp_path: Path, dead_emulator: Emulator) -> None:
    started = time.monotonic()
    loaded = written(tmp_path / "program", "import time\ntime.sleep(3)\n")
    with pytest.raises(EmulatorEndedError, match=r"exit code 3\):\n    emulator: its scheduler broke"):
        program.run(loaded, engine_with(FakeCloud()), timeout_seconds=60, watch=dead_emulator.check)
    assert time.monotonic() - started < 20, "waiting for operator commands to time out takes minutes"


def test_whatever_fails_after_the_emulators_end_is_told_as_its_consequence(
    staging: Path, dead_emulator: Emulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def prepare(rehearsal: Rehearsal) -> None:
        rehearsal._emulator = dead_emulator

    def deploy(*_: object) -> None:
        raise RehearsalError("4 of 5 smoke checks failed")

    monkeypatch.setattr(Rehearsal, "_prepare", prepare)
    monkeypatch.setattr(command_line, "_deploy", deploy)
    assert command_line.main(["staging"]) == 1
    assert "The emulator ended by itself (exit code 3)" in capsys.readouterr().err
    assert "its scheduler broke" in json.loads((staging / "report.json").read_text())["error"]


def _failing_with(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def prepare(_: Rehearsal) -> None:
        raise error

    monkeypatch.setattr(Rehearsal, "_prepare", prepare)


def test_an_unforeseen_error_is_one_line_a_report_and_a_log(
    staging: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _failing_with(KeyError("surprise"), monkeypatch)
    assert command_line.main(["staging"]) == 1
    said = capsys.readouterr().err
    assert "Traceback" not in said, "a traceback tells most people nothing"
    assert str(staging / "traceback.log") in said
    assert "KeyError" in (staging / "traceback.log").read_text()
    assert "KeyError: 'surprise'" in json.loads((staging / "report.json").read_text())["error"]


@pytest.mark.parametrize(("code", "remedy"), [(errno.ENOSPC, "Make room"), (errno.EACCES, "chown")])
def test_an_error_of_the_machine_is_told_with_path_and_remedy(
    staging: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    code: int,
    remedy: str,
) -> None:
    _failing_with(OSError(code, "it is not possible", "/some/where"), monkeypatch)
    assert command_line.main(["staging"]) == 1
    said = capsys.readouterr().err
    assert "rehearsal: /some/where: it is not possible." in said
    assert remedy in said
    assert not (staging / "traceback.log").exists(), "the rehearsal made no mistake"


def test_a_report_that_cannot_be_written_does_not_hide_what_failed(
    staging: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (staging / "report.json").mkdir()
    _failing_with(RehearsalError("the database did not start"), monkeypatch)
    assert command_line.main(["staging"]) == 1
    assert "the database did not start" in capsys.readouterr().err


def test_a_traceback_that_cannot_be_written_is_shown(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    try:
        int("odd")
    except ValueError as error:
        told = str(unexpected.told(error, tmp_path / "file"))
    assert "Traceback" in told, "otherwise nobody could ever find the mistake"


def test_what_stays_after_a_failure_is_told_beside_it(staging: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def left() -> None:
        raise RehearsalError("network private: used by container foreign")

    def prepare(rehearsal: Rehearsal) -> None:
        rehearsal._exit.callback(left)

    monkeypatch.setattr(Rehearsal, "_prepare", prepare)
    with pytest.raises(RehearsalError, match=r"no database\n.*used by container foreign"), Rehearsal(stack="staging"):
        raise RehearsalError("no database")
    with pytest.raises(RehearsalError, match="used by container foreign"), Rehearsal(stack="staging"):
        assert staging.exists(), "a rehearsal that went well has failed when something stays"


@pytest.mark.parametrize("given", ["abc", "0", "70000", "-1"])
def test_a_port_that_is_none_is_refused(
    given: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REHEARSAL_GATEWAY_PORT", given)
    assert command_line.main(["clean"]) == 1
    assert f"REHEARSAL_GATEWAY_PORT={given} is no port" in capsys.readouterr().err


def test_two_equal_ports_are_refused() -> None:
    with pytest.raises(RehearsalError, match="REHEARSAL_GATEWAY_PORT and REHEARSAL_FRONT_PORT are both 4711"):
        emulator_process.check_ports(Place(gateway_port=4711, front_port=4711))


def test_a_program_that_takes_too_long_is_told_and_not_shown_as_a_traceback() -> None:
    with pytest.raises(RehearsalError, match=r"`sleep 30` did not end within 0 s.\n.*What to do"):
        bounded.attempt(["sleep", "30"], timeout_seconds=0.1)


def test_a_program_that_is_not_there_is_told() -> None:
    with pytest.raises(RehearsalError, match="/nonexistent/tar cannot be run: No such file"):
        bounded.run(["/nonexistent/tar"], failure="f", remedy="r", timeout_seconds=5)


def test_a_program_that_fails_is_told_with_its_last_words() -> None:
    with pytest.raises(RehearsalError, match=r"no tree:\n    disk full\n  What to do: make room"):
        bounded.run(
            ["sh", "-c", "echo disk full >&2; exit 2"], failure="no tree", remedy="make room", timeout_seconds=5
        )


def test_the_emulators_environment_is_made_by_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(root=tmp_path, gateway_port=1)
    made: list[list[str]] = []

    def run(command: list[str]) -> None:
        made.append(command)
        (tmp_path / ".venv-emulator").mkdir(exist_ok=True)

    monkeypatch.setattr(virtualenv, "_run", run)
    (tmp_path / ".rehearsal").mkdir()
    with (tmp_path / ".rehearsal" / "virtual-environment.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        second = threading.Thread(target=virtualenv.provide, args=(place, lambda _: None))
        second.start()
        second.join(0.5)
        assert second.is_alive(), "it waits for the other rehearsal"
        assert not made, "two at once would delete each other's packages"
    second.join(10)
    assert made, "then it goes on"


def test_closing_the_terminal_cleans_up_like_an_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command_line, "_dispatch", lambda *_: signal.raise_signal(signal.SIGHUP))
    before = signal.getsignal(signal.SIGHUP)
    try:
        assert command_line.main(["clean"]) == command_line.EXIT_INTERRUPTED
    finally:
        signal.signal(signal.SIGHUP, before)


def test_no_signal_to_end_disturbs_the_removal() -> None:
    def interrupt(*_: object) -> None:
        raise InterruptionError("too early")

    before = signal.signal(signal.SIGHUP, interrupt)
    try:
        with cleanup.undisturbed():
            signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is interrupt, "afterwards everything is as it was"
    finally:
        signal.signal(signal.SIGHUP, before)


def test_work_goes_on_when_nobody_can_read_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    progress = Progress()

    def closed(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(progress.console, "print", closed)
    done = []
    with progress.phase("cleaning up"):
        done.append("removed")
    assert done, "a closed terminal must not keep containers from being removed"


def test_a_name_between_colons_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:pactum"
    progress = Progress()
    progress.say(arn)
    progress.note(arn)
    progress.table(("what",), [(arn,)])
    assert capsys.readouterr().out.count(arn) == 3, "whoever looks for the secret needs its name, and no emoji"


def test_the_hint_of_an_engine_elsewhere_does_not_offer_to_install_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    with pytest.raises(docker_engine.NoEngineError) as raised:
        docker_engine.find(iter([]))
    assert "DOCKER_HOST is tcp://127.0.0.1:1" in str(raised.value)
    assert "make docker-engine" not in str(raised.value), "it would not use the engine it installs"


def test_secrets_are_searched_again_after_further_updates(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    monkeypatch.setattr(Rehearsal, "search_secrets", lambda _: steps.append("search"))
    monkeypatch.setattr("rehearsal.releases.deploy", lambda *_: steps.append("release"))
    for name in ("preview", "bootstrap", "up", "smoke"):
        monkeypatch.setattr(Rehearsal, name, lambda _, name=name, **__: steps.append(name))
    options = command_line._parser().parse_args(["staging", "--then", "good"])
    command_line._deploy(Rehearsal(stack="staging", place=Place(gateway_port=1)), options)
    assert steps[-2:] == ["release", "search"], "a later release writes state, logs and images too"
