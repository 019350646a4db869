"""Checks the app's container while the database accepts connections and never answers. `tests/app/run` starts it.

The container of the database is paused: its kernel still acknowledges every packet, as a host with a stalled disk does.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import time
import unittest
from collections import Counter

from check_container import DATABASE, Web, docker, migrate

THREADS = 4
USERS = 12
# Long enough for every user to get an answer: 4 after 20 s, for whom connections were open, the others 5 s later each.
OUTAGE_SECONDS = 38
# The balancer's own limit is 4 s (infra/load_balancer.py).
PROBE_LIMIT_SECONDS = 1.0


class User(threading.Thread):
    """Asks for pages that need the database, one after the other."""

    def __init__(self, web: Web, stop: threading.Event) -> None:
        super().__init__()
        self._web = web
        self._stop_asking = stop
        self.answers: list[tuple[float, int]] = []
        self.start()

    def run(self) -> None:
        while not self._stop_asking.is_set():
            try:
                status = self._web.request("GET", "/")[0]
            except (OSError, http.client.HTTPException):
                status = 0
            self.answers.append((time.monotonic(), status))


def probe(web: Web) -> tuple[int, float]:
    """Ask as the balancer does; return status (0: no answer in 4 s) and seconds."""
    started = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=4)
    try:
        connection.request("GET", "/healthz", headers={"User-Agent": "ELB-HealthChecker/2.0", "Connection": "close"})
        return connection.getresponse().status, time.monotonic() - started
    except (OSError, http.client.HTTPException):
        return 0, time.monotonic() - started
    finally:
        connection.close()


class HungDatabase(unittest.TestCase):
    """No task may be taken for dead because of it, and nothing may be left of it afterwards."""

    def start(self) -> Web:
        web = Web(WEB_CONCURRENCY="1", WEB_THREADS=str(THREADS))
        self.addCleanup(web.remove)
        self.assertEqual(web.request("GET", "/")[0], http.client.OK)
        return web

    def setUp(self) -> None:
        migrate()
        self.web, self.stopped = self.start(), self.start()
        self._stop = threading.Event()
        self.users: list[User] = []
        self.addCleanup(self.leave)
        self.addCleanup(docker, "unpause", DATABASE, check=False)

    def leave(self) -> None:
        self._stop.set()
        for user in self.users:
            user.join(60)

    def test_probes_are_answered_threads_come_back_and_a_stop_is_clean(self) -> None:
        # Connections that are open already are the worst: nothing tells the app that nobody is behind them.
        docker("pause", DATABASE)
        paused = time.monotonic()
        self.users = [User(self.web, self._stop) for _ in range(USERS)]
        stopping = threading.Thread(target=self.check_stop_during_the_outage)
        stopping.start()
        probes = []
        while time.monotonic() < paused + OUTAGE_SECONDS:
            probes.append(probe(self.web))
            time.sleep(max(0.0, 1 - probes[-1][1]))
        stopping.join(60)
        unpaused = time.monotonic()
        docker("unpause", DATABASE)
        self.assertLess(
            self.stop_took, 9.5, "ECS kills what has not ended after 10 s, and every deployment waits for it"
        )
        self.assertEqual(self.exit_code(self.stopped), 0, "ECS would report a failed task")
        lost, slowest = [status for status, _ in probes].count(0), max(seconds for _, seconds in probes)
        found = f"{len(probes)} probes, {lost} without an answer, slowest {slowest:.3f} s"
        print(f"\na stop meanwhile took {self.stop_took:.1f} s", end="")
        print(f"\n{OUTAGE_SECONDS} s with a hung database, {USERS} users on {THREADS} threads: {found}")
        self.assertEqual(Counter(status for status, _ in probes), {200: len(probes)}, f"ECS kills every task: {found}")
        self.assertLess(slowest, PROBE_LIMIT_SECONDS, found)
        answered = [[at - paused for at, status in user.answers if status and at < unpaused] for user in self.users]
        self.assertTrue(all(answered), f"a thread hangs with the database, longer than is documented: {answered}")
        self.check_recovery()
        self.check_stop()

    def check_stop_during_the_outage(self) -> None:
        """Stop a second container, whose users wait and will get no answer."""
        for _ in range(USERS):
            threading.Thread(target=self.ask_in_vain, daemon=True).start()
        time.sleep(2)
        started = time.monotonic()
        docker("stop", "--time=40", self.stopped.name)
        self.stop_took = time.monotonic() - started

    def ask_in_vain(self) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            self.stopped.request("GET", "/")

    @staticmethod
    def exit_code(web: Web) -> int:
        code: int = json.loads(docker("inspect", web.name).stdout)[0]["State"]["ExitCode"]
        return code

    def check_recovery(self) -> None:
        started = time.monotonic()
        while any(not user.answers or user.answers[-1][1] != http.client.OK for user in self.users):
            self.assertLess(time.monotonic() - started, 20, "pages must come back with the database, by themselves")
            time.sleep(0.2)
        print(f"pages are back for all users {time.monotonic() - started:.1f} s after the database")
        # Only what is waiting when the container stops is to be seen below.
        self.leave()

    def check_stop(self) -> None:
        """Stop while requests wait for the database, more of them than there are threads; then let it answer."""
        docker("pause", DATABASE)
        answers: list[int] = []
        users = [
            threading.Thread(target=lambda: answers.append(self.web.request("GET", "/")[0])) for _ in range(THREADS + 2)
        ]
        for user in users:
            user.start()
        time.sleep(1)
        self.assertEqual(answers, [], "the requests should wait")
        stopping = threading.Thread(target=docker, args=("stop", "--time=30", self.web.name))
        stopping.start()
        time.sleep(1)
        docker("unpause", DATABASE)
        for thread in (*users, stopping):
            thread.join(40)
        self.assertEqual(answers, [200] * len(users), "a deployment must not cost a user's request")
        self.assertEqual(self.exit_code(self.web), 0, "ECS would report a failed task")


if __name__ == "__main__":
    unittest.main(verbosity=2)
