"""The application, which after a while answers 500 to whatever is no health check."""  # noqa: INP001 - copied into an image

import time
from collections.abc import Callable, Iterable
from typing import Any

from deployment.wsgi import application as healthy

HEALTHY_SECONDS = 30
HEALTH_PATHS = ("/healthz", "/readyz")
_began = time.monotonic()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer as the application does, at first."""
    if environ["PATH_INFO"] in HEALTH_PATHS or time.monotonic() - _began < HEALTHY_SECONDS:
        return healthy(environ, start_response)
    start_response("500 Internal Server Error", [("Content-Type", "text/plain"), ("Content-Length", "6")])
    return [b"later\n"]
