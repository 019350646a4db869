"""The load generator: what it counts, tried on a server that fails on purpose."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from rehearsal import load
from rehearsal.load import Load, Way
from rehearsal.place import Place
from tests.failing_server import FailingServer, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "pactum.example.com"

PATHS = ("/", "/readyz", "/orders/", "/readyz")


@pytest.fixture
def server() -> Iterator[FailingServer]:
    with serving() as made:
        yield made


def _load(server: FailingServer, *, users: int = 2, rate: float = 200) -> Load:
    place = Place(gateway_port=server.port, front_port=1)
    return Load(place=place, url=f"http://{NAME}", paths=PATHS, users=users, requests_per_second=rate)


def _after(made: Load, more: int) -> None:
    """Wait until so many more requests were answered."""
    wanted, deadline = made.requests + more, time.monotonic() + 20
    while made.requests < wanted:
        assert time.monotonic() < deadline, "the users have stopped asking"
        time.sleep(0.01)


def test_users_ask_for_the_balancers_name_and_every_answer_counts(server: FailingServer) -> None:
    with _load(server) as made:
        _after(made, 40)
    assert made.requests >= 40
    assert made.failed == 0
    assert server.hosts == {NAME}, "the application refuses any other host"
    assert set(made.counts) == set(PATHS), "every path is asked for"
    assert made.verdict().startswith(f"{made.requests} requests, all answered")


def test_half_of_the_users_keep_their_connection(server: FailingServer) -> None:
    with _load(server, users=2) as made:
        _after(made, 40)
    kept = made.requests - len(server.connections) + 1
    assert 5 <= kept <= made.requests - 5, "one connection for one user, one a request for the other"
    assert made.asked_both_ways
    fresh = len(server.connections) - 1
    assert made.ways == {Way.OPENED: 1, Way.KEPT: kept - 1, Way.FRESH: fresh}, "as the server saw it"
    assert made.connections == f"{kept} requests on 1 kept connections, {fresh} on fresh ones"


@pytest.mark.parametrize(
    ("broken", "status", "text"),
    [
        ("", 502, "answered 502"),
        ("", 404, "answered 404"),
        ("no answer", 200, "RemoteDisconnected"),
        ("half an answer", 200, "IncompleteRead"),
    ],
)
def test_a_bad_answer_and_none_are_failures_with_time_and_text(
    server: FailingServer, broken: str, status: int, text: str
) -> None:
    with _load(server, rate=50) as made:
        _after(made, 5)
        assert made.failed == 0
        began = time.monotonic()
        server.broken, server.status = broken, status
        _after(made, 10)
        server.broken, server.status = "", 200
        # Each user may have had one request under way.
        _after(made, 4)
        over = time.monotonic()
        _after(made, 10)
    found = made.failures_between(began)
    assert len(found) >= 8, "not one may be missed, whatever kind of connection it came on"
    assert all(text in str(failure) for failure in found)
    assert made.failures_between(over) == [], "afterwards all is well, and the time of each tells"
    assert f"{len(found)} of {made.requests} requests failed, the first: " in made.verdict()


def test_an_answer_that_takes_too_long_is_a_failure(server: FailingServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "ANSWER_SECONDS", 0.2)
    server.slow_seconds = 0.5
    with _load(server) as made:
        _after(made, 2)
    assert made.failed >= 2, "a user does not wait for ever"
    assert "timed out" in made.verdict()


class _DiesWhenKept(set[object]):
    """The connections of a server that ends each at its second request, without an answer. For one user."""

    def __init__(self, server: FailingServer) -> None:
        super().__init__()
        self.server, self.requests = server, 0

    def add(self, connection: object) -> None:
        self.requests += 1
        self.server.broken = "no answer" if connection in self else ""
        super().add(connection)


def test_a_request_on_a_kept_connection_that_gets_no_answer_is_a_failure_and_not_repeated(
    server: FailingServer,
) -> None:
    server.connections = asked = _DiesWhenKept(server)
    with _load(server, users=1) as made:
        _after(made, 20)
    assert asked.requests == made.requests, "nothing is asked twice"
    assert made.ways[Way.KEPT] > 5
    assert made.failed == made.ways[Way.KEPT], "a server that dies in the middle of a request looks the same"
    assert all("RemoteDisconnected" in str(failure) for failure in made.failures_between(0))


def test_a_connection_found_closed_is_opened_anew_before_anything_is_asked(server: FailingServer) -> None:
    server.broken = "closed afterwards"
    with _load(server, rate=50) as made:
        _after(made, 20)
    assert made.failed == 0, "no request was lost"
    assert made.ways[Way.KEPT] == 0
    assert made.ways[Way.OPENED] >= 8, "and who reads the figures sees that nothing was kept"
    assert not made.asked_both_ways


def test_users_of_one_way_have_not_asked_both_ways(server: FailingServer) -> None:
    with _load(server, users=1) as made:
        _after(made, 10)
    assert made.ways[Way.FRESH] == 0
    assert not made.asked_both_ways, "there was no fresh connection"


def test_a_server_that_is_gone_fails_every_request(server: FailingServer) -> None:
    server.shutdown()
    server.server_close()
    with _load(server) as made:
        _after(made, 4)
    assert made.failed == made.requests
    assert "ConnectionRefusedError" in made.verdict()


def test_the_moment_from_which_one_release_has_all_traffic_is_known(server: FailingServer) -> None:
    with _load(server) as made:
        _after(made, 20)
        began = time.monotonic()
        _after(made, 20)
        server.release = "sha256:two"
        _after(made, 4)
        over = time.monotonic()
        _after(made, 20)
    assert made.releases == ["sha256:one", "sha256:two"]
    last = made.last_answer_of_another("sha256:two", since=began)
    assert last is not None
    assert began <= last <= over
    assert made.last_answer_of_another("sha256:two", since=over) is None
    assert {seen.release for seen in made.seen_between(over)} == {"sha256:two"}, "by when it was asked"
    assert {seen.release for seen in made.seen_between(0, began)} == {"sha256:one"}, "by when it was answered"


def test_a_mistake_of_the_load_generator_is_no_silence(server: FailingServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> str:
        raise KeyError("odd")

    monkeypatch.setattr(load._User, "get", broken)
    with _load(server) as made:
        _after(made, 4)
    assert made.failed == made.requests, "users who stop asking meet no failure"


def test_no_more_is_asked_than_agreed(server: FailingServer) -> None:
    with _load(server, rate=50) as made:
        began = time.monotonic()
        time.sleep(1)
    most = 50 * (time.monotonic() - began) + 10
    assert 0 < made.requests <= most, "the machine has other work, too"
