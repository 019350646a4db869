"""The emulator's own loops (scheduler, probes): an error is logged, and errors in a row end the emulator."""

import logging
import threading
from collections.abc import Callable

logger = logging.getLogger("rehearsal.emulator")

ERRORS_IN_A_ROW = 5
TICK_SECONDS = 0.5
PAUSE_SECONDS = 0.5  # after an error; so five in a row take at least two seconds, and no hiccup ends the emulator


class LoopFailedError(Exception):
    """A loop without which no deployment goes on failed again and again; the cause is its last error."""


def repeat(
    name: str, step: Callable[[], None], closing: threading.Event, on_failure: Callable[[LoopFailedError], None]
) -> None:
    """Take one step after the other until `closing` is set; the step itself waits as long as it wants to.

    After ERRORS_IN_A_ROW errors without a good step between them, `on_failure` is told and this returns: everybody
    who waits for a deployment would otherwise wait for their whole time-out, and read nothing of the reason.
    """
    errors = 0
    while not closing.is_set():
        try:
            step()
        except Exception as error:  # whatever it is, it must not end this thread unseen
            if closing.is_set():
                return  # what it talked to is being removed
            errors += 1
            logger.exception("the %s failed (%d in a row)", name, errors)
            if errors >= ERRORS_IN_A_ROW:
                failure = LoopFailedError(f"the {name} failed {errors} times in a row, the last time with: {error!r}")
                failure.__cause__ = error
                on_failure(failure)
                return
            closing.wait(PAUSE_SECONDS)
        else:
            errors = 0


def look_again(
    name: str, look: Callable[[], None], closing: threading.Event, on_failure: Callable[[LoopFailedError], None]
) -> None:
    """Look, every TICK_SECONDS, until `closing` is set; errors end it as they do in `repeat`."""

    def step() -> None:
        if not closing.wait(TICK_SECONDS):
            look()

    repeat(name, step, closing, on_failure)
