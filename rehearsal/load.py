"""Users who keep asking, half on connections they keep, half on a new one each time; every failure is written down.

A request has failed when its answer is not 2xx or 3xx, when there is none, or when it took more than ten seconds. None
is repeated, not even the one that a browser would: sent on a kept connection that ends without a byte of an answer. A
server that dies in the middle of a request looks the same.
"""

import contextlib
import enum
import http.client
import itertools
import json
import select
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

from rehearsal.application import READINESS_PATH
from rehearsal.place import Place

ANSWER_SECONDS = 10.0
STOP_SECONDS = 30
FIRST_BAD_STATUS = 400
USERS = 8
# Of all users together; the emulator manages a few hundred on two processors.
REQUESTS_PER_SECOND = 200.0


class Way(enum.Enum):
    """On what a request went out. OPENED is the first one on a connection that is meant to be kept."""

    FRESH = "fresh"
    OPENED = "opened"
    KEPT = "kept"


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A request that got no good answer; `at` is when it ended, by the monotonic clock."""

    at: float
    path: str
    text: str

    def __str__(self) -> str:
        moment = time.time() - (time.monotonic() - self.at)
        return f"{time.strftime('%H:%M:%S', time.localtime(moment))} {self.path} {self.text}"


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """A release that answered; when it was asked, and when the answer was there, by the monotonic clock."""

    asked: float
    at: float
    release: str


@dataclass(kw_only=True)
class Load:
    """Users of one load balancer, each in a thread of its own, from entering to leaving.

    `url` is the balancer's; it is reached at the emulator's port. Every second user keeps the connection. `paths` are
    asked for in turn; an answer of `readiness`, which should be every second of them, tells which release gave it, so
    that the moment of a change is known to some milliseconds.
    """

    place: Place
    url: str
    paths: Sequence[str]
    readiness: str = READINESS_PATH
    users: int = USERS
    requests_per_second: float = REQUESTS_PER_SECOND
    failures: list[Failure] = field(default_factory=list)
    sightings: list[Sighting] = field(default_factory=list)
    slowest_seconds: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    ways: Counter[Way] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._threads = [
            threading.Thread(target=self._ask, args=(number,), name=f"user {number}", daemon=True)
            for number in range(self.users)
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End the users; what they have asked is still waited for. Does nothing the second time."""
        self._stop.set()
        for thread in self._threads:
            thread.join(STOP_SECONDS)

    @property
    def requests(self) -> int:
        with self._lock:
            return self.counts.total()

    @property
    def failed(self) -> int:
        with self._lock:
            return len(self.failures)

    @property
    def asked_both_ways(self) -> bool:
        """Whether requests went out on connections that had carried one before, and on fresh ones."""
        with self._lock:
            return min(self.ways[Way.KEPT], self.ways[Way.FRESH]) > 0

    @property
    def connections(self) -> str:
        """On how many connections users asked, in a few words: one opened per user who keeps his is the least."""
        with self._lock:
            kept, fresh, opened = self.ways[Way.KEPT], self.ways[Way.FRESH], self.ways[Way.OPENED]
        return f"{kept + opened} requests on {opened} kept connections, {fresh} on fresh ones"

    @property
    def releases(self) -> list[str]:
        """The releases that answered, in the order of their first answer."""
        with self._lock:
            return list(dict.fromkeys(seen.release for seen in self.sightings))

    def last_answer_of_another(self, release: str, *, since: float) -> float | None:
        """When the last answer of any other release came after `since`; None when there was none.

        From then on all traffic is on `release`, if it answers at all.
        """
        with self._lock:
            others = (seen.at for seen in self.sightings if seen.release != release and seen.at >= since)
            return max(others, default=None)

    def seen_between(self, start: float, end: float = float("inf")) -> list[Sighting]:
        """The answers to what was asked after one moment and answered before another."""
        with self._lock:
            return [seen for seen in self.sightings if start <= seen.asked and seen.at <= end]

    def failures_between(self, start: float, end: float = float("inf")) -> list[Failure]:
        with self._lock:
            return [failure for failure in self.failures if start <= failure.at <= end]

    def verdict(self) -> str:
        """What users met, in a few words."""
        requests, failures = self.requests, self.failures_between(0)
        if not failures:
            return f"{requests} requests, all answered, the slowest in {self.slowest_seconds:.1f} s"
        first, last = failures[0], failures[-1]
        return f"{len(failures)} of {requests} requests failed, the first: {first}; the last: {last}"

    def _ask(self, number: int) -> None:
        user = _User(place=self.place, url=self.url, keeps=number % 2 == 0)
        pause = self.users / self.requests_per_second
        due = time.monotonic() + pause * number / self.users
        # Each begins with another path, so that all are asked for all the time.
        for path in itertools.islice(itertools.cycle(self.paths), number, None):
            # Late users do not hurry: what was not asked is not made up for.
            due = max(due + pause, time.monotonic())
            if self._stop.wait(max(0.0, due - time.monotonic())):
                break
            self._ask_once(user, path)
        user.close()

    def _ask_once(self, user: "_User", path: str) -> None:
        started = time.monotonic()
        try:
            status, body = user.get(path)
            problem = "" if status < FIRST_BAD_STATUS else f"answered {status}"
        except Exception as error:  # noqa: BLE001 - a user who silently stops asking would meet no failure
            body, problem = b"", f"{type(error).__name__}: {error}"
            user.close()
        ended = time.monotonic()
        if not problem and ended - started > ANSWER_SECONDS:
            problem = f"answered after {ended - started:.1f} s"
        with self._lock:
            self.counts[path] += 1
            self.slowest_seconds = max(self.slowest_seconds, ended - started)
            self.ways[user.way] += 1
            if problem:
                self.failures.append(Failure(at=ended, path=path, text=problem))
            if path == self.readiness and (release := _release(body)):
                self.sightings.append(Sighting(asked=started, at=ended, release=release))


def _release(body: bytes) -> str:
    """The release that gave this answer of the readiness path, a bad one too; empty when somebody else answered."""
    try:
        return str(json.loads(body)["release"])
    except (ValueError, KeyError, TypeError):
        return ""


@dataclass(kw_only=True)
class _User:
    """One user's way to the balancer."""

    place: Place
    url: str
    keeps: bool
    way: Way = Way.FRESH
    _connection: http.client.HTTPConnection | None = None

    def get(self, path: str) -> tuple[int, bytes]:
        """One answer; afterwards `way` is that of the request. OSError or HTTPException when there is none."""
        if self._connection is None or _is_closed(self._connection):
            self.close()
            self.way = Way.OPENED if self.keeps else Way.FRESH
            self._connection = http.client.HTTPConnection("127.0.0.1", self.place.gateway_port, timeout=ANSWER_SECONDS)
        else:
            self.way = Way.KEPT
        self._connection.request("GET", path, headers=self._headers())
        response = self._connection.getresponse()
        status, body = response.status, response.read()
        if not self.keeps or response.will_close:
            self.close()
        return status, body

    def _headers(self) -> dict[str, str]:
        parts = urlsplit(self.url)
        # The emulator tells the HTTPS listener from the HTTP one by the port in the Host header.
        host = f"{parts.hostname}:443" if parts.scheme == "https" else str(parts.hostname)
        return {"Host": host, "Connection": "keep-alive" if self.keeps else "close"}

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _is_closed(connection: http.client.HTTPConnection) -> bool:
    """Whether the server has closed a connection that is idle: then something can be read, and it is the end."""
    if connection.sock is None:
        return True
    with contextlib.suppress(OSError):
        return bool(select.select([connection.sock], [], [], 0)[0])
    return True
