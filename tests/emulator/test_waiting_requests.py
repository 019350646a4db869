"""Requests that wait for a target which ends."""

import asyncio
import threading

import pytest
from rehearsal.emulator.waiting_requests import Response, WaitingRequests


async def never() -> Response:
    """A target whose address is gone."""
    await asyncio.sleep(30)
    return 200, {}, b""


async def now() -> Response:
    """A target that answers."""
    return 200, {}, b"well"


def test_what_waits_for_a_target_that_ends_is_answered_at_once_and_nothing_else() -> None:
    async def run() -> tuple[int, bool]:
        waiting = WaitingRequests()
        dead = asyncio.create_task(waiting.answer("10.0.0.1", never()))
        other = asyncio.create_task(waiting.answer("10.0.0.2", never()))
        await asyncio.sleep(0)
        threading.Thread(target=waiting.target_gone, args=("10.0.0.1",)).start()
        done, _ = await asyncio.wait({dead}, timeout=5)
        assert done, "a connection to an address that is gone hangs"
        status = dead.result()[0]
        still = not other.done()
        other.cancel()
        with pytest.raises(asyncio.CancelledError):
            await other
        return status, still

    assert asyncio.run(run()) == (502, True), "a balancer that is refused says 502; another target may yet answer"


def test_an_answer_that_came_is_passed_on() -> None:
    waiting = WaitingRequests()
    assert asyncio.run(waiting.answer("10.0.0.1", now())) == (200, {}, b"well"), "the target's own"
    assert waiting._tasks == {}, "nothing is kept of requests that are over"
