"""One container of the image under trial, hardened as the task definition has it."""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rehearsal.contract.terms import CA_FILE, HOST
from rehearsal.docker_client import last_lines
from rehearsal.errors import RehearsalError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rehearsal.contract.ground import Ground

USER = "10001:10001"
# As long as the stack's own health checks would wait.
START_SECONDS = 60.0
# A server may answer 503 until it has booted.
SETTLING_SECONDS = 3.0
ANSWER_SECONDS = 15.0
SHOWN_LINES = 4
OK = 200


class NotStartedError(Exception):
    """The container ended, or does not answer; the message says which, and shows the end of its log."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: str
    version: int


def hardening(*, memory_mib: int, declares_tmp: bool) -> list[str]:
    """Docker's options for what the task definition says of every container.

    /tmp is a volume there. Fargate gives it the image's owner and mode only where the image declares it; otherwise it
    is root's.
    """
    # One that is declared, Docker makes by itself.
    tmp = [] if declares_tmp else ["--tmpfs", "/tmp:mode=0755"]  # noqa: S108 - the path in the container
    memory = ["--memory", f"{memory_mib}m", "--memory-swap", f"{memory_mib}m"]
    return ["--read-only", "--user", USER, "--cap-drop", "ALL", "--security-opt", "no-new-privileges", *memory, *tmp]


@dataclass(kw_only=True)
class Container:
    """A container that was started. `published` is its port as it is reached from here; 0 where it has none."""

    ground: Ground
    id: str
    health_path: str
    started: float = field(default_factory=time.monotonic)
    answered_after_seconds: float = 0.0
    """From its start to its first answer on the health path, where somebody waited from the start."""
    _published: int = 0
    port: int = 0

    def await_answer(self, seconds: float) -> None:
        """Wait until somebody answers on its port, and a moment longer for the health path to be answered 200.

        NotStartedError when nobody does within so many seconds of its start, or the container has ended.
        """
        deadline = self.started + seconds
        while True:
            try:
                if self.get(self.health_path).status == OK:
                    self.answered_after_seconds = time.monotonic() - self.started
                    return
                deadline = min(deadline, time.monotonic() + SETTLING_SECONDS)
                answers = True
            except (OSError, http.client.HTTPException):
                answers = False
            state = self.state()
            if not state["Running"]:
                raise NotStartedError(f"It ended with exit code {state['ExitCode']}{self.told()}")
            if time.monotonic() > deadline:
                if answers:
                    return
                raise NotStartedError(f"Nobody listens on port {self.port} within {seconds:.0f} s{self.told()}")
            time.sleep(0.2)

    def get(
        self, path: str, *, host: str = HOST, headers: Mapping[str, str] | None = None, seconds: float = ANSWER_SECONDS
    ) -> Answer:
        """Ask for a path on a connection of its own. OSError or HTTPException when there is no answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.published(), timeout=seconds)
        try:
            return ask(connection, path, {"Host": host, "Connection": "close", **(headers or {})})
        finally:
            connection.close()

    def published(self) -> int:
        """The port on the loopback interface of this machine. OSError where there is none (yet, or any more)."""
        if not self._published:
            done = self.ground.docker.attempt("port", self.id, str(self.port), timeout_seconds=30)
            if done.returncode or not done.stdout.strip():
                raise OSError(f"port {self.port} is not published")
            self._published = int(done.stdout.splitlines()[0].rpartition(":")[2])
        return self._published

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(self.ground.docker.run("inspect", self.id))[0]["State"]
        return state

    def end(self, seconds: float) -> int | None:
        """The exit code, waiting so long for it; None when it still runs."""
        deadline = time.monotonic() + seconds
        while (state := self.state())["Running"]:
            if time.monotonic() > deadline:
                return None
            time.sleep(0.1)
        return int(state["ExitCode"])

    def output(self) -> tuple[str, str]:
        """Standard output and standard error so far."""
        done = self.ground.docker.attempt("logs", self.id, timeout_seconds=30)
        return done.stdout, done.stderr

    def log(self) -> str:
        return "".join(self.output())

    def told(self) -> str:
        """The end of its log, to stand behind a sentence."""
        lines = last_lines(self.log(), SHOWN_LINES)
        return f"; its log ends:\n{lines}" if lines else "; it logged nothing"

    def run(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Run a command beside its process; answers exit code and output."""
        variables = [f"--env={name}={value}" for name, value in (environment or {}).items()]
        done = self.ground.docker.attempt("exec", *variables, self.id, *command, timeout_seconds=30)
        return done.returncode, (done.stdout + done.stderr).strip()


def ask(connection: http.client.HTTPConnection, path: str, headers: Mapping[str, str]) -> Answer:
    """One request on a connection."""
    connection.request("GET", path, headers=dict(headers))
    response = connection.getresponse()
    body = response.read().decode("utf-8", errors="replace")
    found = {name.lower(): value for name, value in response.getheaders()}
    return Answer(status=response.status, headers=found, body=body, version=response.version)


def start(
    ground: Ground,
    image: str,
    environment: Mapping[str, str],
    *,
    options: Sequence[str],
    command: Sequence[str] = (),
    health_path: str = "",
    port: int = 0,
) -> Container:
    """Start a container. NotStartedError with Docker's words when it cannot be started at all."""
    published = [f"--publish=127.0.0.1::{port}"] if port else []
    done = ground.docker.attempt(
        *("run", "--detach", "--label", ground.label, "--network", ground.name),
        *("--volume", f"{ground.ca_file}:{CA_FILE}:ro", *published, *options),
        *(f"--env={name}={value}" for name, value in environment.items()),
        *(image, *command),
        timeout_seconds=120,
    )
    if done.returncode:
        # Docker prints the id of what it made before it says why that does not start.
        raise NotStartedError(f"It cannot be started: {last_lines(done.stderr, 1).strip()}")
    identity = done.stdout.split()[-1] if done.stdout.split() else ""
    if not identity:
        raise RehearsalError(f"`docker run` of {image} answered nothing.")
    return Container(ground=ground, id=identity, health_path=health_path, port=port)
