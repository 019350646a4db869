"""Requests that hang keep no other one waiting: each holds a thread, of which MiniStack makes 64 when it starts."""

import http.server
import threading
import time
from collections.abc import Iterator

import pytest

from conftest import Emulator
from emulator_cloud import Cloud, get, until

# More than the threads that asyncio makes by itself: 6 on two processors, 32 at most.
HANGING = 40


class Target(http.server.ThreadingHTTPServer):
    """A target on loopback that answers every path at once, but for /hang: that is answered once `release` is set."""

    daemon_threads = True
    # All of the test's requests come in one instant.
    request_queue_size = 2 * HANGING

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.release = threading.Event()
        self.hanging = threading.Semaphore(0)


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Target

    def do_GET(self) -> None:
        """Answer."""
        if self.path == "/hang":
            self.server.hanging.release()
            self.server.release.wait(30)
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"well")

    def log_message(self, *_arguments: object) -> None:
        """Stay silent."""


@pytest.fixture
def target() -> Iterator[Target]:
    """A target that serves meanwhile."""
    with Target() as made:
        threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
        yield made
        made.release.set()
        made.shutdown()


@pytest.fixture
def cloud(emulator: Emulator) -> Iterator[Cloud]:
    """The emulator, without this module's balancers afterwards: the front door leads to the only one there is."""
    cloud = Cloud(emulator.port, "none")
    before = {each["LoadBalancerArn"] for each in cloud.elb.describe_load_balancers()["LoadBalancers"]}
    yield cloud
    for each in cloud.elb.describe_load_balancers()["LoadBalancers"]:
        if each["LoadBalancerArn"] not in before:
            cloud.elb.delete_load_balancer(LoadBalancerArn=each["LoadBalancerArn"])


def test_requests_that_hang_do_not_keep_another_one_waiting(emulator: Emulator, cloud: Cloud, target: Target) -> None:
    name, group, _ = cloud.balancer("many")
    cloud.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": target.server_port}])
    until(lambda: get(emulator.port, "/", name) == (200, "well"), 10, "a healthy target")
    users = [threading.Thread(target=get, args=(emulator.port, "/hang", name), daemon=True) for _ in range(HANGING)]
    for user in users:
        user.start()
    # Not all of them get there where the balancer is the one that keeps them waiting.
    for _ in users:
        target.hanging.acquire(timeout=0.2)
    began = time.monotonic()
    assert get(emulator.port, "/", name) == (200, "well")
    waited = time.monotonic() - began
    target.release.set()
    for user in users:
        user.join(10)
    assert waited < 2, "a balancer of AWS's has no such limit, and an application would be blamed for the emulator's"
