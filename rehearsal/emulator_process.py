"""Starts the emulator in its own interpreter, waits until it is ready, and ends it."""

import http.client
import json
import os
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal import processes
from rehearsal.base_images import STAND_IN_PREFIX, BaseImages
from rehearsal.docker_client import last_lines
from rehearsal.errors import RehearsalError
from rehearsal.place import Place

READY_SECONDS = 60
# It stops every container it runs, and those may take their stopTimeout.
STOP_SECONDS = 45


class EmulatorEndedError(RehearsalError):
    """The emulator is gone: whatever else failed after that failed because of it."""


@dataclass(frozen=True, kw_only=True)
class Emulator:
    """A running emulator. `extensions` are its own words about what it adds to MiniStack."""

    process: subprocess.Popen[bytes]
    log: Path
    record: Path
    extensions: tuple[dict[str, Any], ...]

    def stop(self) -> None:
        """End it with SIGTERM, after a bound with SIGKILL. What it may leave then, cleanup.py removes."""
        processes.end(self.process.pid, grace_seconds=STOP_SECONDS, is_gone=lambda: self.process.poll() is not None)
        self.record.unlink(missing_ok=True)

    def check(self, *, wait_seconds: float = 0) -> None:
        """EmulatorEndedError, with the end of its log, when it has ended by itself or does within `wait_seconds`."""
        try:
            code = self.process.wait(wait_seconds)
        except subprocess.TimeoutExpired:
            return
        raise EmulatorEndedError(
            f"The emulator ended by itself (exit code {code}):\n{self.log_tail()}", remedy=f"See {self.log}."
        )

    def log_tail(self) -> str:
        return last_lines(self.log.read_text(encoding="utf-8", errors="replace"))


def check_ports(place: Place) -> None:
    """RehearsalError when something else already listens on a port this rehearsal needs."""
    if place.gateway_port == place.front_port:
        raise RehearsalError(
            f"REHEARSAL_GATEWAY_PORT and REHEARSAL_FRONT_PORT are both {place.front_port}.",
            remedy="Choose two different ports.",
        )
    for port, variable in ((place.gateway_port, "REHEARSAL_GATEWAY_PORT"), (place.front_port, "REHEARSAL_FRONT_PORT")):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise RehearsalError(
                    f"Port {port} on 127.0.0.1 cannot be used: {error.strerror or error}.",
                    remedy=f"Stop what listens there, or choose another port: {variable}=... (`python -m rehearsal "
                    "clean` removes what a killed rehearsal left).",
                ) from error


def start(place: Place, interpreter: Path, images: BaseImages, docker_executable: str) -> Emulator:
    """Start the emulator and wait until it is ready. RehearsalError with the end of its log when it is not."""
    check_ports(place)
    place.scratch.mkdir(parents=True, exist_ok=True)
    log = place.scratch / "emulator.log"
    environment = {
        **os.environ,
        "PATH": f"{Path(docker_executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "REHEARSAL_PORT": str(place.gateway_port),
        "REHEARSAL_FRONT_PORT": str(place.front_port),
        "REHEARSAL_DIRECTORY": str(place.scratch),
        "REHEARSAL_PARENT_PID": str(os.getpid()),
        "REHEARSAL_IMAGE_PREFIX": STAND_IN_PREFIX if images.are_stand_ins else "",
        "REHEARSAL_ACCOUNT_ID": place.account_id,
    }
    with log.open("wb") as output:
        # A session of its own: Ctrl-C in the terminal reaches us, and we end it in order.
        process = subprocess.Popen(
            [str(interpreter), "-m", "rehearsal.emulator"],
            cwd=place.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    record = place.emulator_record
    processes.record(record, process.pid)
    emulator = Emulator(process=process, log=log, record=record, extensions=())
    try:
        answer = _wait_until_ready(place, emulator)
    except BaseException:
        emulator.stop()
        raise
    return Emulator(process=process, log=log, record=record, extensions=tuple(answer.get("extensions", [])))


def _wait_until_ready(place: Place, emulator: Emulator) -> dict[str, Any]:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if emulator.process.poll() is not None:
            raise RehearsalError(f"The emulator ended at once:\n{emulator.log_tail()}\n    (log: {emulator.log})")
        try:
            return _extensions(place)
        except (http.client.HTTPException, OSError, ValueError):
            time.sleep(0.1)
    raise RehearsalError(
        f"The emulator is not ready after {READY_SECONDS} s:\n{emulator.log_tail()}\n    (log: {emulator.log})"
    )


def _extensions(place: Place) -> dict[str, Any]:
    """What the emulator answers once it is ready. OSError, HTTPException or ValueError before."""
    connection = http.client.HTTPConnection("127.0.0.1", place.gateway_port, timeout=5)
    try:
        connection.request("GET", "/_rehearsal/extensions")
        response = connection.getresponse()
        if response.status != http.HTTPStatus.OK:
            raise ValueError(f"answered {response.status}")
        answer: dict[str, Any] = json.load(response)
        return answer
    finally:
        connection.close()
