"""A container of one side, and users who ask it."""

import http.client
import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.errors import MeasurementError
from benchmarks.sides import HOST, PORT, Side
from benchmarks.stage import Stage
from rehearsal.docker_client import last_lines

START_SECONDS = 40
ANSWER_SECONDS = 40
POLL_SECONDS = 0.01
# A page that asks the database nothing, so that it tells only that the app is there.
PLAIN_PAGE, PLAIN_TEXT = "/about/", "About Pactum"
QUERY_PAGE, QUERY_TEXT = "/agreements/1/", "Party 2 of Agreement 1"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a user got."""

    status: int
    body: str


@dataclass(frozen=True, kw_only=True)
class Container:
    """A container that was created; its port is published on 127.0.0.1 as `port`."""

    stage: Stage
    side: Side
    name: str
    port: int

    def start(self) -> None:
        self.stage.docker.run("start", self.name, timeout_seconds=60)

    def facts(self) -> dict[str, Any]:
        found: list[dict[str, Any]] = json.loads(self.stage.docker.run("inspect", self.name, timeout_seconds=30))
        return found[0]

    def pid(self) -> int:
        """The first process as the host knows it. MeasurementError when the container has ended."""
        state = self.facts()["State"]
        if not state["Running"]:
            raise MeasurementError(f"{self.side.name} has ended with exit code {state['ExitCode']}:\n{self.log()}")
        return int(state["Pid"])

    def address(self) -> str:
        """Its own address: the port that is published leads through a process of Docker's."""
        networks = self.facts()["NetworkSettings"]["Networks"]
        return str(networks[self.stage.label]["IPAddress"])

    def url(self, path: str) -> str:
        return f"http://{self.address()}:{PORT}{path}"

    def ask(self, path: str, address: str = "") -> Answer:
        """One request on a connection of its own. OSError or HTTPException where no answer comes.

        Without the container's `address`, through the published port.
        """
        host, port = (address, PORT) if address else ("127.0.0.1", self.port)
        connection = http.client.HTTPConnection(host, port, timeout=ANSWER_SECONDS)
        try:
            connection.request("GET", path, headers={"Host": HOST})
            response = connection.getresponse()
            return Answer(status=response.status, body=response.read().decode(errors="replace"))
        finally:
            connection.close()

    def wait_for(self, path: str, status: int, *, seconds: float = START_SECONDS) -> None:
        """Ask until the status is there. MeasurementError when it does not come."""
        deadline = time.monotonic() + seconds
        last = "nothing"
        while time.monotonic() < deadline:
            try:
                last = str(self.ask(path).status)
            except (OSError, http.client.HTTPException) as error:
                last = type(error).__name__
            if last == str(status):
                return
            time.sleep(POLL_SECONDS)
        raise MeasurementError(f"{self.side.name}: {path} answers {last} instead of {status}:\n{self.log()}")

    def check_page(self, path: str, text: str) -> None:
        """Both sides must give the same page: a redirect or an error page would be quick as well."""
        answer = self.ask(path)
        if answer.status != http.client.OK or text not in answer.body:
            raise MeasurementError(
                f"{self.side.name}: {path} answers {answer.status}, or lacks {text!r}:\n{last_lines(answer.body, 10)}"
            )

    def log(self) -> str:
        done = self.stage.docker.attempt("logs", "--tail", "30", self.name, timeout_seconds=30)
        return last_lines(done.stdout + done.stderr)

    def stop(self, *, grace_seconds: int = 30) -> tuple[float, int]:
        """SIGTERM; return how long it took to end, and the exit code."""
        started = time.monotonic()
        self.stage.docker.run("stop", "--time", str(grace_seconds), self.name, timeout_seconds=grace_seconds + 60)
        return time.monotonic() - started, int(self.facts()["State"]["ExitCode"])

    def remove(self) -> None:
        self.stage.docker.attempt("rm", "--force", "--volumes", self.name, timeout_seconds=60)


@contextmanager
def created(stage: Stage, side: Side, image: str, *options: str, **changes: str) -> Iterator[Container]:
    """A container that is not started yet; removed in the end."""
    port = _free_port()
    name = stage.docker.run(
        "create", *stage.run_options(side, **changes), *options, f"--publish=127.0.0.1:{port}:{PORT}", image,
        timeout_seconds=60,
    ).strip()  # fmt: skip
    container = Container(stage=stage, side=side, name=name, port=port)
    try:
        yield container
    finally:
        container.remove()


@contextmanager
def serving(stage: Stage, side: Side, image: str, **changes: str) -> Iterator[Container]:
    """A container that answers."""
    with created(stage, side, image, **changes) as container:
        container.start()
        container.wait_for(PLAIN_PAGE, http.client.OK)
        yield container


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
