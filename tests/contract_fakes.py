"""The terms of an image that a test makes up."""

from __future__ import annotations

from typing import Any

from infra.serving import Serving
from rehearsal.contract.terms import Terms
from tests.shop import ROOT

PROBE = ("python", "probe.py")


def agreed_terms(**changes: Any) -> Terms:
    given: dict[str, Any] = {
        "context": ROOT,
        "dockerfile": "Dockerfile",
        "port": 8000,
        "health_path": "/healthz",
        "readiness_path": "/readyz",
        "health_command": PROBE,
        "web_command": (),
        "migrate_command": ("migrate",),
        "memory_mib": 512,
        "serving": Serving(processes=1, threads=4, connections=5),
    }
    return Terms(**given | changes)
