"""What Lambda calls: once a minute for a pass, and whenever a task of a job has ended."""

from __future__ import annotations

import datetime as dt
import os
from typing import Any

from ops.watch import gauges, jobs
from ops.watch.assignment import read
from ops.watch.clients import connect
from ops.watch.measure import publish

# Made while the function starts, when Lambda gives it more of a processor than later.
CLIENTS = connect()


def handle(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Do what the event asks for, and say what was done. What fails, Lambda tries again."""
    assignment = read(os.environ)
    if event.get("detail-type") == jobs.TASK_ENDED:
        return {"succeeded": jobs.remember(assignment, CLIENTS, event)}
    # The minute that the event is for: also when it comes late, or a second time.
    moment = dt.datetime.fromisoformat(event["time"]) if "time" in event else dt.datetime.now(dt.UTC)
    seen = gauges.read(assignment, CLIENTS, moment, by_hand=False)
    publish(CLIENTS.cloudwatch, assignment.namespace, moment, seen.all)
    return {"published": len(seen.all), "failed": sorted(seen.failed)}
