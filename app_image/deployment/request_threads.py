"""The threads that answer requests."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class RequestThreads:
    """What gunicorn needs of a `ThreadPoolExecutor`, without its future and three locks for each piece of work.

    The threads do not keep the process from ending: whoever stops it has waited as long as it may wait.
    """

    def __init__(self, count: int, name: str) -> None:
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, name=f"{name} {number}", daemon=True) for number in range(1, count + 1)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, work: Callable[[], None]) -> None:
        """Have one of the threads do this; it must not raise."""
        self._work.put(work)

    def shutdown(self, **_: Any) -> None:  # noqa: ANN401 - gunicorn passes wait=False
        """End each thread when there is nothing left to do; returns at once."""
        for _thread in self._threads:
            self._work.put(None)

    def _run(self) -> None:
        get = self._work.get
        while work := get():
            work()
