"""What AWS services report of themselves once a minute."""

import threading
import time
from collections.abc import Callable, Sequence

from rehearsal.emulator.repeating import LoopFailedError, look_again

MINUTE = 60
# Publishes what there is to tell of the minute that began then (seconds since 1970).
Publisher = Callable[[int], None]


class MinuteMetrics:
    """Has each publisher publish when a minute is over; the minute of the start is not a whole one."""

    def __init__(self, publishers: Sequence[Publisher], clock: Callable[[], float] = time.time) -> None:
        self._publishers = publishers
        self._clock = clock
        self._minute = self._present()

    def _present(self) -> int:
        return int(self._clock() // MINUTE) * MINUTE

    def run(self, closing: threading.Event, on_failure: Callable[[LoopFailedError], None]) -> None:
        """Publish until the emulator closes."""
        look_again("metrics of every minute", self.look, closing, on_failure)

    def look(self) -> None:
        """Publish if a minute has ended. Raises, once all had their turn, what went wrong."""
        minute = self._present()
        if minute == self._minute:
            return
        self._minute = minute
        errors: list[Exception] = []
        for publish in self._publishers:
            try:
                publish(minute - MINUTE)
            except Exception as error:  # noqa: BLE001 - raised below: one publisher must not stop the others
                errors.append(error)
        if errors:
            raise ExceptionGroup("metrics could not be published", errors)
