"""A user who keeps asking while a release is rolled out: every request must get its answer."""

import threading
import time
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Self

from rehearsal.balancer_client import BalancerClient
from rehearsal.place import Place

PAUSE_SECONDS = 0.3
OK = 200


@dataclass(kw_only=True)
class Watcher:
    """Asks for the home page about three times a second, on loopback, until it is stopped."""

    place: Place
    url: str
    requests: int = 0
    failures: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._ask, name="watcher", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread:
            self._thread.join(30)

    def _ask(self) -> None:
        user = BalancerClient(place=self.place, url=self.url)
        while not self._stop.wait(PAUSE_SECONDS):
            self.requests += 1
            try:
                status = user.get("/").status
                problem = "" if status == OK else f"answered {status}"
            except (OSError, HTTPException) as error:
                problem = f"{type(error).__name__}: {error}"
            if problem:
                self.failures.append(f"{time.strftime('%H:%M:%S')} {problem}")

    def verdict(self) -> str:
        """What users met, in a few words."""
        if not self.failures:
            return f"{self.requests} requests during the update, all answered"
        return (
            f"{len(self.failures)} of {self.requests} requests during the update failed, the first: {self.failures[0]}"
        )
