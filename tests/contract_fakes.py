"""The terms of an image that a test makes up."""

from __future__ import annotations

from typing import Any

from infra.serving import Serving
from infra.settings import ApplicationSettings, TimesSettings
from rehearsal.contract.terms import Terms
from tests.shop import ROOT

PROBE = ("python", "probe.py")
TIMES = TimesSettings(
    balancer_idle_seconds=60,
    keep_alive_seconds=75,
    drain_seconds=10,
    stop_seconds=10,
    graceful_seconds=8,
    start_seconds=30,
    health_grace_seconds=60,
    rollout_minimum_percent=100,
    rollout_maximum_percent=200,
)


def agreed_terms(**changes: Any) -> Terms:
    """Changes are of the application's settings, or of the terms themselves."""
    application: dict[str, Any] = {
        "context": "app_image",
        "dockerfile": "Dockerfile",
        "port": 8000,
        "health_path": "/healthz",
        "readiness_path": "/readyz",
        "health_command": PROBE,
        "web_command": (),
        "migrate_command": ("migrate",),
        "environment": {},
        "environment_names": {},
        "secrets": (),
    }
    given: dict[str, Any] = {
        "context": ROOT,
        "memory_mib": 512,
        "serving": Serving(processes=1, threads=4, connections=5),
        "times": TIMES,
    }
    own = {name: value for name, value in changes.items() if name in application}
    rest = {name: value for name, value in changes.items() if name not in application}
    return Terms(application=ApplicationSettings(**application | own), **given | rest)
