"""Whose answer a user gets: the target's, or the balancer's own; in this process, with targets on loopback."""

import asyncio
import http.server
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from ministack.services import alb
from rehearsal.emulator import balancer
from rehearsal.emulator.balancer import Balancers
from rehearsal.emulator.balancer_metrics import Answer, BalancerMetrics
from rehearsal.emulator.target_health import TargetRegistry, health_check

from conftest import free_port

GROUP = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/answers/1"


class Failing(http.server.BaseHTTPRequestHandler):
    """A target that answers 500 by itself, and remembers how long a body each request announced."""

    announced: list[str | None] = []  # noqa: RUF012

    def do_GET(self) -> None:
        """Answer."""
        self.announced.append(self.headers["Content-Length"])
        self.send_response(500)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Stay silent."""


@pytest.fixture(scope="module")
def registry() -> TargetRegistry:
    """The targets of a balancer that is installed in this process."""
    made = TargetRegistry(lambda _: 0.0)
    balancer.install(Balancers(made, BalancerMetrics()))
    alb._tgs[GROUP] = {"TargetGroupArn": GROUP, "TargetType": "ip", "Port": 80}
    return made


@pytest.fixture
def failing() -> Iterator[int]:
    """The port of a target that answers 500."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Failing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def ask(registry: TargetRegistry, port: int | None, body: bytes = b"") -> tuple[int, Answer]:
    """Send a request to the group with one healthy target at this port, or with none."""
    present = [] if port is None else [("127.0.0.1", port)]
    alb._targets[GROUP] = [{"Id": address, "Port": at} for address, at in present]
    registry.registered(GROUP, present)
    if port is not None:
        registry.outcome((GROUP, "127.0.0.1", port), health_check({}), None)

    async def run() -> tuple[int, Answer]:
        answer = Answer(tenant=("123456789012", "us-east-1"), balancer="b")
        balancer.under_way.set(answer)
        response: Any = await alb._forward_to_tg(GROUP, "GET", "/", {}, body, {})
        return response[0], answer

    return asyncio.run(run())


def test_a_targets_own_error_counts_as_the_targets(registry: TargetRegistry, failing: int) -> None:
    status, answer = ask(registry, failing)
    assert status == 500, "passed on as it is"
    assert answer.target_group == GROUP, "where it was sent"
    assert answer.target_seconds is not None, "the application is at fault"


def test_a_request_without_a_body_announces_none(
    registry: TargetRegistry, failing: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    announced: list[str | None] = []
    monkeypatch.setattr(Failing, "announced", announced)
    ask(registry, failing)
    ask(registry, failing, b"well")
    assert announced == [None, "4"], "the application answers probes in threads of their own, if they have no body"


def test_a_target_that_refuses_the_connection_counts_as_the_balancers(registry: TargetRegistry) -> None:
    status, answer = ask(registry, free_port())
    assert status == 502, "a balancer that is refused asks no other target"
    assert (answer.target_group, answer.target_seconds) == (GROUP, None), "chosen, and never answered"


def test_without_a_target_the_balancer_answers_for_itself(registry: TargetRegistry) -> None:
    status, answer = ask(registry, None)
    assert (status, answer.target_group) == (503, ""), "no request for any target"
