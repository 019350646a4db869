"""Requests that wait for a target which ends meanwhile: answered at once, as by a balancer that was refused.

A container that ends here takes its network address with it, and a connection to it would hang for ten seconds. On
Fargate the address belongs to the task, which outlives its container for a moment and refuses connections.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

from rehearsal.emulator.patching import Extension

EXTENSION = Extension(
    name="targets that end",
    rule="A target whose process has ended refuses connections; the balancer answers 502 and asks no other target",
    source="Troubleshoot your Application Load Balancers: HTTP 502; Fargate task networking",
)
BAD_GATEWAY = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    b"<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"
)
Response = tuple[int, dict[str, str], Any]


class WaitingRequests:
    """The requests that have not been answered yet, by the address of the target that was chosen for them.

    All of it happens in the loop that serves the requests, so none can slip in between its choice and its entry here.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: dict[str, set[asyncio.Task[Response]]] = {}
        self._given_up: set[asyncio.Task[Response]] = set()

    async def answer(self, address: str, request: Coroutine[Any, Any, Response]) -> Response:
        """The target's answer, or 502 as soon as it is known to be gone."""
        self._loop = asyncio.get_running_loop()
        task = asyncio.create_task(request)
        self._tasks.setdefault(address, set()).add(task)
        try:
            return await task
        except asyncio.CancelledError:
            if task not in self._given_up:  # the user has gone
                raise
            return 502, {"Content-Type": "text/html"}, BAD_GATEWAY
        finally:
            self._given_up.discard(task)
            self._tasks[address].discard(task)
            if not self._tasks[address]:
                del self._tasks[address]

    def target_gone(self, address: str) -> None:
        """Give up on what waits for a target; called from any thread, once nobody chooses the target any more."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._give_up, address)

    def _give_up(self, address: str) -> None:
        for task in self._tasks.get(address, ()):
            self._given_up.add(task)
            task.cancel()
