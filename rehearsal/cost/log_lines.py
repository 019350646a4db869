"""How much a request writes to the log: measured on lines of the application's own formatter."""

import importlib
import logging
import random
import sys
import zlib
from dataclasses import dataclass
from typing import Any

from rehearsal.place import PROJECT_ROOT

APP_IMAGE = PROJECT_ROOT / "app_image"
RELEASE = f"sha256:{'5e' * 32}"
SAMPLE_LINES = 2000
# 2026-01-01, and a request each second.
FIRST_SECOND = 1_767_225_600
PATHS = ("/", "/agreements/", "/agreements/{}/", "/agreements/{}/edit/", "/about/", "/admin/agreements/agreement/{}/")
# CloudWatch keeps a log compressed as gzip does at its usual level 6, and counts 26 bytes with each line.
LEVEL, BYTES_BESIDE = 6, 26


@dataclass(frozen=True, kw_only=True)
class LineSize:
    """Bytes of one request's line, as it is sent and as it is kept, on average."""

    sent: float
    kept: float


def measure() -> LineSize:
    """Write the line of many different requests, the same ones each time."""
    lines = _lines()
    kept = len(zlib.compress(b"\n".join(lines), LEVEL)) + BYTES_BESIDE * len(lines)
    return LineSize(sent=sum(map(len, lines)) / len(lines), kept=kept / len(lines))


def _lines() -> list[bytes]:
    json_logs = _json_logs()
    formatter, dice = json_logs.LineFormatter(RELEASE), random.Random(1)  # noqa: S311 - a sample
    lines = []
    for number in range(SAMPLE_LINES):
        path = dice.choice(PATHS).format(dice.randrange(1, 100_000))
        trace = f"1-{FIRST_SECOND + number:08x}-{dice.getrandbits(96):024x}"
        facts = json_logs.RequestFacts(request_id=trace, method="GET", path=path)
        record = logging.makeLogRecord(
            {
                "created": FIRST_SECOND + number,
                "name": "deployment.request",
                "levelname": "INFO",
                "msg": "%s %s %s",
                "args": ("GET", path, 200),
                "status": 200,
                "duration_ms": round(dice.lognormvariate(3, 1), 1),
            }
        )
        token = json_logs.current_request.set(facts)
        lines.append(formatter.format(record).encode())
        json_logs.current_request.reset(token)
    return lines


def _json_logs() -> Any:  # noqa: ANN401 - a module of the application, whose types are checked elsewhere
    """The application's module. It needs nothing but Python; the application itself is not installed here."""
    sys.path.insert(0, str(APP_IMAGE))
    try:
        return importlib.import_module("deployment.json_logs")
    finally:
        sys.path.remove(str(APP_IMAGE))
