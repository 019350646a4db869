"""A service on its way from one release to the next, behind a real HTTP server that stands for its balancer."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
from typing import TYPE_CHECKING

from tests.ops_fakes.account import OLD_RELEASE, RELEASE
from tests.ops_fakes.world import Outcome, World, run_ops

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

BREAKER = "ECS deployment circuit breaker: tasks failed to start."


class Front:
    """What stands behind the balancer's address: answers /readyz, the given releases in turn, the last one for ever."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, str]] = [(200, RELEASE)]
        self.asked: list[tuple[str, str]] = []
        front = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                front.asked.append((self.path, self.headers["Host"]))
                status, release = front.answers.pop(0) if len(front.answers) > 1 else front.answers[0]
                body = json.dumps({"status": "ok" if status == 200 else "database", "release": release}).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Stay quiet."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.server_address[1]}"


@contextlib.contextmanager
def rolling_out(world: World | None = None) -> Iterator[Rollout]:
    """Serve a fresh rollout's /readyz for as long as a test takes."""
    rollout = Rollout(world or World())
    server = rollout.front.server
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield rollout
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Rollout:
    """A service that served revision 1 and is getting revision 2."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.front = Front()
        self.old = self.world.define("web", 1, release=OLD_RELEASE)
        self.new = self.world.define("web", 2)
        self.begin()

    def verify(self, capsys: pytest.CaptureFixture[str], *arguments: str, **environment: str) -> Outcome:
        """Run `ops verify` on it."""
        environment = {"OPS_CONNECT_TO": self.front.address, **environment}
        return run_ops(self.world, capsys, "verify", "--stack", "staging", *arguments, environment=environment)

    def begin(self) -> None:
        world = self.world
        world.serve(
            world.deployment(self.new, "IN_PROGRESS"),
            world.deployment(self.old, "COMPLETED", status="ACTIVE", running=2),
        )
        world.task("old1", self.old)
        world.task("old2", self.old)

    def begin_first(self) -> None:
        """A service's first deployment: no revision served before."""
        self.world.tasks.clear()
        self.world.serve(self.world.deployment(self.new, "IN_PROGRESS"))

    def complete(self, tasks: int = 2) -> None:
        world = self.world
        world.serve(world.deployment(self.new, "COMPLETED", running=tasks))
        world.tasks.clear()
        for number in range(tasks):
            world.task(f"new{number}", self.new)

    def crash(self, identity: str = "bad", exit_code: int = 3, lines: int = 25) -> None:
        task = self.world.task(identity, self.new, stoppedAt=self.world.clock.date())
        self.world.end(task, exit_code=exit_code)
        self.world.logs["/pactum/staging/web", f"web/web/{identity}"] += [f"trace {n}" for n in range(lines)]

    def trip(self) -> None:
        """The circuit breaker gives it up: for a moment the failed deployment is still the primary."""
        world = self.world
        failed = world.deployment(self.new, "FAILED") | {"rolloutStateReason": BREAKER}
        world.serve(failed, world.deployment(self.old, "COMPLETED", status="ACTIVE", running=2))

    def fail_first(self) -> None:
        """The circuit breaker gives up a service's first deployment: there is no other."""
        world = self.world
        world.serve(world.deployment(self.new, "FAILED") | {"rolloutStateReason": BREAKER})

    def roll_back(self) -> None:
        """A new deployment of the old revision is the primary; the failed one is listed until its tasks are gone."""
        world = self.world
        failed = world.deployment(self.new, "FAILED", status="ACTIVE") | {"rolloutStateReason": BREAKER}
        back = world.deployment(self.old, "IN_PROGRESS", running=2) | {"id": "ecs-svc/rollback"}
        world.serve(back, failed)
