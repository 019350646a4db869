"""From a container's start to its first good answer."""

import http.client
import threading
import time

from benchmarks import host_view
from benchmarks.containers import PLAIN_PAGE, POLL_SECONDS, START_SECONDS, Container, created
from benchmarks.errors import MeasurementError
from benchmarks.samples import Samples
from benchmarks.sides import Side
from benchmarks.stage import Stage

# What is sent to a container before its network is there is lost, and the kernel sends it again after a whole second.
# So somebody else asks beside a request that is silent for longer than this.
PATIENCE_SECONDS = 0.25


def measure(stage: Stage, side: Side, image: str, samples: Samples) -> None:
    """Seconds from the container's first process to the first 200, and from the `docker start` command on.

    The judged figure is the first: what the engine does before (network, file systems) is the same on both sides.
    """
    with created(stage, side, image) as container:
        answered: list[float | None] = []
        user = threading.Thread(target=lambda: answered.append(_first_answer(container)), daemon=True)
        commanded = time.clock_gettime(time.CLOCK_BOOTTIME)
        user.start()
        container.start()
        pid = container.pid()
        now = time.clock_gettime(time.CLOCK_BOOTTIME)
        began = now - host_view.running_seconds(pid, now=now)
        user.join()
        first = answered[0] if answered else None
        if first is None:
            raise MeasurementError(f"{side.name} gives no good answer within {START_SECONDS} s:\n{container.log()}")
        samples.add("start_seconds", side.name, first - began)
        samples.add("start_with_engine_seconds", side.name, first - commanded)


def _first_answer(container: Container) -> float | None:
    """When the first good answer came; None when none did."""
    good: list[float] = []
    deadline = time.monotonic() + START_SECONDS
    while not good and time.monotonic() < deadline:
        attempt = threading.Thread(target=_ask, args=(container, good), daemon=True)
        attempt.start()
        attempt.join(PATIENCE_SECONDS)
        time.sleep(POLL_SECONDS)
    return min(good, default=None)


def _ask(container: Container, good: list[float]) -> None:
    if _answers(container):
        good.append(time.clock_gettime(time.CLOCK_BOOTTIME))


def note_read_only(stage: Stage, side: Side, image: str, samples: Samples) -> None:
    """Whether a side that is run with a writable root could do without."""
    with created(stage, side, image, "--read-only") as container:
        container.start()
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            state = container.facts()["State"]
            if not state["Running"]:
                samples.notes["read-only"] = f"usual with a read-only root: exits {state['ExitCode']}"
                return
            if _answers(container):
                samples.notes["read-only"] = "usual with a read-only root: starts"
                return
            time.sleep(0.1)
    raise MeasurementError(f"{side.name} neither ends nor answers with a read-only root.")


def _answers(container: Container) -> bool:
    try:
        return container.ask(PLAIN_PAGE).status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
