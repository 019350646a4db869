"""From a container's start to its first good answer."""

import http.client
import threading
import time

from benchmarks import host_view
from benchmarks.containers import PLAIN_PAGE, START_SECONDS, Container, created
from benchmarks.errors import MeasurementError
from benchmarks.samples import Samples
from benchmarks.sides import Side
from benchmarks.stage import Stage


def measure(stage: Stage, side: Side, image: str, samples: Samples) -> None:
    """Seconds from the container's first process to the first 200, and from the `docker start` command on.

    The judged figure is the first: what the engine does before (network, file systems) is the same on both sides.
    """
    with created(stage, side, image) as container:
        answered: list[float] = []
        user = threading.Thread(target=lambda: answered.append(_first_answer(container)), daemon=True)
        commanded = time.clock_gettime(time.CLOCK_BOOTTIME)
        user.start()
        container.start()
        pid = container.pid()
        now = time.clock_gettime(time.CLOCK_BOOTTIME)
        began = now - host_view.running_seconds(pid, now=now)
        user.join()
        if not answered:
            container.wait_for(PLAIN_PAGE, http.client.OK, seconds=1)
        samples.add("start_seconds", side.name, answered[0] - began)
        samples.add("start_with_engine_seconds", side.name, answered[0] - commanded)


def _first_answer(container: Container) -> float:
    container.wait_for(PLAIN_PAGE, http.client.OK, seconds=START_SECONDS)
    return time.clock_gettime(time.CLOCK_BOOTTIME)


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
