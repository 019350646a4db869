"""What AWS services tell EventBridge of themselves: delivered to its rules in order, and nobody waits for it."""

import json
import queue
import threading
from collections.abc import Callable, Mapping
from typing import Any

from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import eventbridge

from rehearsal.emulator.patching import require
from rehearsal.emulator.repeating import TICK_SECONDS, LoopFailedError, repeat

Tenant = tuple[str, str]  # account, region

_told: "queue.SimpleQueue[tuple[Tenant, dict[str, Any]]]" = queue.SimpleQueue()


def tell(source: str, kind: str, resource: str, detail: Mapping[str, Any]) -> None:
    """Tell of something in the current account and region, as it is at this moment."""
    entry = {"Source": source, "DetailType": kind, "Resources": [resource], "Detail": json.dumps(detail)}
    _told.put(((get_account_id(), get_region()), entry))


def deliver(wait_seconds: float = 0.0) -> None:
    """Deliver what was told by now, and what is told within some seconds if nothing was."""
    try:
        tenant, entry = _told.get(timeout=wait_seconds) if wait_seconds else _told.get_nowait()
        while True:
            with request_scope(*tenant):
                eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
            tenant, entry = _told.get_nowait()
    except queue.Empty:
        return


def run(closing: threading.Event, on_failure: Callable[[LoopFailedError], None]) -> None:
    """Deliver until the emulator closes."""
    repeat("delivery of events", lambda: deliver(TICK_SECONDS), closing, on_failure)


def install() -> None:
    """Check what delivers."""
    require(eventbridge, "_put_events", "(data, allow_aws_source=False)")
