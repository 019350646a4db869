"""An id for every request, and one line in the log for it."""

from __future__ import annotations

import logging
import random
import re
import sys
import time
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.signals import got_request_exception
from django.utils.log import log_response

from deployment.json_logs import REQUEST_LINE, RequestFacts, current_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

logger = logging.getLogger(REQUEST_LINE)

# The load balancer's header: "Root=1-67891233-abcdef012345678912345678", perhaps among Self= and Parent= parts.
TRACE_ROOT = re.compile(r"(?:^|;)\s*Root=(1-[0-9a-f]{8}-[0-9a-f]{24})(?:;|$)")
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,128}")
FIRST_ERROR = 400


def request_id_for(trace_header: str, request_id_header: str) -> str:
    """Return the balancer's trace id, else the caller's request id if it is harmless, else a new one."""
    if root := TRACE_ROOT.search(trace_header):
        return root.group(1)
    if REQUEST_ID.fullmatch(request_id_header):
        return request_id_header
    # No secret, so the system need not be asked for each; gunicorn seeds every process anew.
    return f"{random.getrandbits(128):032x}"


class RequestLogMiddleware:
    """Gives the request an id, returns it in `X-Request-ID`, and logs one line: path only, never the query string.

    A health check that succeeds is logged at DEBUG: balancers ask several times a minute from every zone.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response
        got_request_exception.connect(_remember, dispatch_uid="deployment.request_log")
        self._health_paths = {settings.ENVIRONMENT.health_path, settings.ENVIRONMENT.readiness_path}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        headers = request.headers
        facts = RequestFacts(
            request_id=request_id_for(headers.get("X-Amzn-Trace-Id", ""), headers.get("X-Request-ID", "")),
            method=request.method or "",
            path=request.path,
            request=request,
        )
        started = time.monotonic()
        token = current_request.set(facts)
        try:
            response = self._get_response(request)
            response["X-Request-ID"] = facts.request_id
            if response.status_code >= FIRST_ERROR:
                # What is not logged yet Django would log later, without the id; and never the exception of a page that
                # tells of another error.
                log_response(
                    "%s: %s",
                    response.reason_phrase,
                    request.path,
                    response=response,
                    request=request,
                    # Taken off: the request is in the exception's traceback, and they would hold each other in memory.
                    exception=request.__dict__.pop("failed_with", None),
                )
            self._log(facts, response.status_code, round((time.monotonic() - started) * 1000, 1))
        finally:
            current_request.reset(token)
        return response

    def _log(self, facts: RequestFacts, status: int, duration_ms: float) -> None:
        healthy = facts.path in self._health_paths and status == 200  # noqa: PLR2004 - HTTP's OK
        logger.log(
            logging.DEBUG if healthy else logging.INFO,
            "%s %s %s",
            facts.method,
            facts.path,
            status,
            extra={"status": status, "duration_ms": duration_ms},
        )


def _remember(request: HttpRequest | None = None, **_: object) -> None:
    if request is not None:
        request.failed_with = sys.exception()
