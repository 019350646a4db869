"""The health path, `/healthz`: the process can answer. The readiness path, `/readyz`: so can the database, migrated."""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

CACHE_SECONDS = 1.0
# Shorter than any balancer's or client's own limit, so that the answer says what is wrong instead of nothing.
DEADLINE_SECONDS = 2.0
MIGRATIONS_NAMED = 5


@dataclass(frozen=True, kw_only=True)
class Failure:
    """The check that failed and what a caller may know of it; hosts, logins and database texts go to the log only."""

    check: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The result of one check, and when it was had (`time.monotonic` seconds)."""

    failure: Failure | None
    at: float


def check_dependencies() -> Failure | None:
    """Ask the database; return None if the release can serve."""
    try:
        connection.ensure_connection()
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        logger.warning("readiness: the database does not answer: %s", error)
        return Failure(check="database", reason="the database does not answer; the log says why")
    finally:
        # Gives the connection back to the pool; this thread has no request whose end would do it.
        connection.close()
    if plan:
        names = [f"{migration.app_label}.{migration.name}" for migration, _ in plan]
        more = f" and {len(names) - MIGRATIONS_NAMED} more" if len(names) > MIGRATIONS_NAMED else ""
        return Failure(check="migrations", reason=f"not applied: {', '.join(names[:MIGRATIONS_NAMED])}{more}")
    return None


class Readiness:
    """Answers from one check at a time, in a thread of its own, and from memory for a second.

    A database that hangs blocks that one thread, and no request for longer than the deadline.
    """

    def __init__(self, check: Callable[[], Failure | None] = check_dependencies) -> None:
        self._check = check
        self._lock = threading.Lock()
        self._latest: Future[Outcome] | None = None

    def failure(self) -> Failure | None:
        """Return what keeps the release from serving, or None; within `DEADLINE_SECONDS`."""
        try:
            return self._current().result(timeout=DEADLINE_SECONDS).failure
        except TimeoutError:
            logger.warning("readiness: the database gave no answer within %s s", DEADLINE_SECONDS)
            return Failure(check="database", reason=f"no answer within {DEADLINE_SECONDS:g} s")

    def _current(self) -> Future[Outcome]:
        with self._lock:
            if self._latest is None or self._is_stale(self._latest):
                self._latest = Future()
                # A daemon, so that a check that hangs does not keep the process from ending.
                threading.Thread(target=self._ask, args=(self._latest,), name="readiness", daemon=True).start()
            return self._latest

    def _ask(self, future: Future[Outcome]) -> None:
        try:
            failure = self._check()
        except Exception as error:  # noqa: BLE001 - whoever waits gets it
            future.set_exception(error)
        else:
            future.set_result(Outcome(failure=failure, at=time.monotonic()))

    @staticmethod
    def _is_stale(future: Future[Outcome]) -> bool:
        if not future.done():
            return False
        return future.exception() is not None or time.monotonic() - future.result().at > CACHE_SECONDS


class HealthMiddleware:
    """Answers the two health paths before anything else looks at the request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response
        self._readiness = Readiness()
        self._answers = {
            settings.ENVIRONMENT.health_path: self._healthz,
            settings.ENVIRONMENT.readiness_path: self._readyz,
        }

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self._answers.get(request.path)
        if answer is None:
            return self._get_response(request)
        if request.method not in ("GET", "HEAD"):
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
        response = answer()
        response["Cache-Control"] = "no-store"
        # CommonMiddleware, which would say it, is never reached.
        response["Content-Length"] = str(len(response.content))
        return response

    def _healthz(self) -> HttpResponse:
        return JsonResponse({"status": "ok"})

    def _readyz(self) -> HttpResponse:
        release = settings.ENVIRONMENT.release
        failure = self._readiness.failure()
        if failure is None:
            return JsonResponse({"status": "ok", "release": release})
        response = JsonResponse(
            {"status": "failing", "check": failure.check, "reason": failure.reason, "release": release}, status=503
        )
        # Keeps Django from logging it as an ERROR besides: whoever asks decides what "not ready yet" means.
        response._has_been_logged = True  # noqa: SLF001 - the tests notice if Django drops it
        return response
