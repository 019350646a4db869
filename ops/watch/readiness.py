"""Whether the stack says that it is ready, asked at the door that users come through."""

from __future__ import annotations

import http.client
import logging
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ops.watch.asking import Door, get
from ops.watch.measure import Measure

if TYPE_CHECKING:
    from ops.watch.assignment import Assignment

logger = logging.getLogger("watch")
AGENT = "pactum-watch"
PORTS = {"http": 80, "https": 443}
# Each address of a balancer may be silent for as long as one request waits, and each byte of an answer may be late.
WHOLE_SECONDS = 20


def gauge(assignment: Assignment) -> list[Measure]:
    """0 when the readiness path answers 200. Everything else, no answer too, is what users would meet."""
    door, path = door_of(assignment)
    try:
        status, body = _asked(door, path).result(WHOLE_SECONDS)
        failing, said = status != http.client.OK, f"{status}: {body[:300].decode('utf-8', 'replace')}"
    except (OSError, http.client.HTTPException) as error:
        failing, said = True, str(error) or type(error).__name__
    if failing:
        logger.warning("%s is not ready: %s", assignment.readiness_url, said)
    return [Measure(name="ReadinessFailing", value=float(failing))]


def _asked(door: Door, path: str) -> Future[tuple[int, bytes]]:
    """What `get` returns or raises, when it does; no end of the program waits for it."""
    answer: Future[tuple[int, bytes]] = Future()

    def ask() -> None:
        try:
            answer.set_result(get(door, path, agent=AGENT))
        except Exception as error:  # noqa: BLE001 - whoever waits is told
            answer.set_exception(error)

    threading.Thread(target=ask, daemon=True).start()
    return answer


def door_of(assignment: Assignment) -> tuple[Door, str]:
    """Where to ask, and for which path."""
    url = urlsplit(assignment.readiness_url)
    host, tls = url.hostname or "", url.scheme == "https"
    if assignment.connect_to:
        # Whoever answers there picks the listener by the port behind the balancer's own name.
        name = f"{assignment.balancer}:{PORTS['https']}" if tls else assignment.balancer
        connect_host, _, port = assignment.connect_to.rpartition(":")
        door = Door(connect_host=connect_host, connect_port=int(port), tls=False, host=host, host_header=name)
    else:
        door = Door(
            connect_host=host, connect_port=url.port or PORTS[url.scheme], tls=tls, host=host, host_header=url.netloc
        )
    return door, url.path
