"""Starting while the database is down."""

import http.client
import time
from contextlib import ExitStack

from benchmarks.containers import created
from benchmarks.errors import MeasurementError
from benchmarks.samples import Samples
from benchmarks.sides import Side
from benchmarks.stage import Stage

HEALTH_PATH, READINESS_PATH = "/healthz", "/readyz"
# The usual entrypoint gives up after 30 s.
END_SECONDS = 45
RECOVERY_SECONDS = 30
# Readiness answers within 2 s, and not at all while the process still starts.
FAILURE_SECONDS = 10
STAY_SECONDS = 2.0


def measure_ours(stage: Stage, side: Side, image: str, samples: Samples) -> None:
    """1 when it stayed up, was healthy, not ready, and ready by itself once the database was back; else 0."""
    survived = False
    stage.docker.run("stop", stage.database, timeout_seconds=60)
    try:
        with created(stage, side, image) as container:
            container.start()
            container.wait_for(HEALTH_PATH, http.client.OK)
            container.wait_for(READINESS_PATH, http.client.SERVICE_UNAVAILABLE, seconds=FAILURE_SECONDS)
            first_process = container.pid()
            time.sleep(STAY_SECONDS)
            container.wait_for(HEALTH_PATH, http.client.OK, seconds=1)
            container.wait_for(READINESS_PATH, http.client.SERVICE_UNAVAILABLE, seconds=FAILURE_SECONDS)
            _restart(stage)
            back = time.monotonic()
            container.wait_for(READINESS_PATH, http.client.OK, seconds=RECOVERY_SECONDS)
            samples.add("outage_recovery_seconds", side.name, time.monotonic() - back)
            survived = container.pid() == first_process
    except MeasurementError as error:
        samples.notes["outage"] = f"database down at start: {error}"
    finally:
        _restart(stage)
    samples.add("outage_survived", side.name, int(survived))


def measure_usual(stage: Stage, side: Side, image: str, samples: Samples, runs: int) -> None:
    """All at once, for they only wait: how each ends, or that it answers."""
    stage.docker.run("stop", stage.database, timeout_seconds=60)
    try:
        with ExitStack() as containers:
            waiting = [containers.enter_context(created(stage, side, image)) for _ in range(runs)]
            started = time.monotonic()
            for container in waiting:
                container.start()
            while waiting and time.monotonic() - started < END_SECONDS:
                time.sleep(0.2)
                ended = [container for container in waiting if not container.facts()["State"]["Running"]]
                for container in ended:
                    code, seconds = container.facts()["State"]["ExitCode"], time.monotonic() - started
                    samples.notes["outage-usual"] = f"usual with the database down: exits {code} after {seconds:.0f} s"
                    samples.add("outage_survived", side.name, 0)
                waiting = [container for container in waiting if container not in ended]
            for _ in waiting:
                samples.add("outage_survived", side.name, 1)
    finally:
        _restart(stage)


def _restart(stage: Stage) -> None:
    stage.docker.run("start", stage.database, timeout_seconds=60)
    stage.wait_for_database()
