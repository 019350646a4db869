"""The probes that a balancer sends to its targets, over HTTP."""

import http.client
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from rehearsal.emulator.repeating import LoopFailedError, repeat
from rehearsal.emulator.target_health import HealthCheck, Key, TargetRegistry, group_by_arn, health_check

logger = logging.getLogger("rehearsal.targets")

FAILED = "Health checks failed"
STEP_SECONDS = 0.25


def probe(check: HealthCheck, address: str, port: int) -> str | None:
    """Ask a target once; None if it is well, else AWS's words for what is wrong."""
    connection = http.client.HTTPConnection(address, check.port or port, timeout=check.timeout)
    with closing(connection):
        try:
            connection.request(
                "GET", check.path, headers={"User-Agent": "ELB-HealthChecker/2.0", "Connection": "close"}
            )
            status = connection.getresponse().status
        except TimeoutError:
            return "Request timed out"
        except (OSError, http.client.HTTPException):
            return FAILED
    return None if status in check.codes else f"Health checks failed with these codes: [{status}]"


def probe_target(registry: TargetRegistry, key: Key) -> None:
    """Probe one target and record the outcome, whatever happens: a target without one is never probed again."""
    group = group_by_arn(key[0])
    if group is None:
        return
    check = health_check({})  # AWS's defaults, for a check that cannot be read
    try:
        check = health_check(group)
        outcome: str | None = probe(check, key[1], key[2])
    except Exception:  # a path that no request can carry, a matcher that is none
        logger.exception("target %s:%s cannot be probed; this counts as a failed check", key[1], key[2])
        outcome = FAILED
    registry.outcome(key, check, outcome)


def run_probes(registry: TargetRegistry, stop: threading.Event, on_failure: Callable[[LoopFailedError], None]) -> None:
    """Probe what is due, four times a second, until told to stop."""
    with ThreadPoolExecutor(max_workers=16, thread_name_prefix="probe") as pool:

        def step() -> None:
            for key in registry.due():
                pool.submit(probe_target, registry, key)
            stop.wait(STEP_SECONDS)

        repeat("probing of targets", step, stop, on_failure)
