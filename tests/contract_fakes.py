"""The terms of an image that a test makes up."""

from __future__ import annotations

from typing import Any

from infra.serving import Serving
from infra.settings import ApplicationSettings
from rehearsal.contract.terms import Terms
from tests.shop import ROOT

PROBE = ("python", "probe.py")


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
    }
    own = {name: value for name, value in changes.items() if name in application}
    rest = {name: value for name, value in changes.items() if name not in application}
    return Terms(application=ApplicationSettings(**application | own), **given | rest)
