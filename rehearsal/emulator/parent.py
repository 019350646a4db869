"""The process that started this emulator: the emulator ends with it."""

import asyncio
import logging
import os

logger = logging.getLogger("rehearsal.emulator")


def watch(loop: asyncio.AbstractEventLoop, process: int | None, stop: asyncio.Event) -> None:
    """Stop when the parent process ends, however it ends (a process descriptor becomes readable then)."""
    if process is None:
        return
    try:
        descriptor = os.pidfd_open(process)
    except ProcessLookupError:
        stop.set()
        return

    def ended() -> None:
        loop.remove_reader(descriptor)
        logger.warning("the process %d that started this emulator is gone", process)
        stop.set()

    loop.add_reader(descriptor, ended)
