"""SIGTERM: with requests in flight that wait for the database, and while the container still starts."""

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchmarks.containers import QUERY_PAGE, QUERY_TEXT, Answer, Container, created, serving
from benchmarks.errors import MeasurementError
from benchmarks.samples import Samples
from benchmarks.sides import Side
from benchmarks.stage import Stage
from benchmarks.wrk import CONNECTIONS

LOCK = "BEGIN; LOCK TABLE agreements_agreement IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep({seconds}); COMMIT"
HELD = (
    "SELECT count(*) FROM pg_locks WHERE relation = 'agreements_agreement'::regclass"
    " AND mode = 'AccessExclusiveLock' AND granted"
)
SETTLE_SECONDS = 1.0
# How long the requests wait after SIGTERM; gunicorn gives them 8 s in ours, 30 s in the usual way.
AFTER_SIGTERM_SECONDS = 2.0
SLOW_SECONDS = 5.0
# Where in its start a container is stopped; one after the other in the runs.
EARLY_MOMENTS = (0.05, 0.2, 0.4, 0.7, 1.0)
# When it is killed; the goal is 2 s.
EARLY_GRACE_SECONDS = 5
LOCK_SECONDS = 10


@dataclass(kw_only=True)
class Users:
    """Each asks once, at the same time; an answer is had when it is 200 and whole."""

    container: Container
    address: str
    answers: list[Answer] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)

    def ask(self, count: int) -> None:
        self._threads = [threading.Thread(target=self._ask_once, daemon=True) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def waiting(self) -> int:
        return sum(thread.is_alive() for thread in self._threads)

    def lost(self) -> int:
        """How many got no good answer, when all have ended."""
        for thread in self._threads:
            thread.join()
        return len(self._threads) - sum(
            answer.status == http.client.OK and QUERY_TEXT in answer.body for answer in self.answers
        )

    def _ask_once(self) -> None:
        try:
            self.answers.append(self.container.ask(QUERY_PAGE, self.address))
        except (OSError, http.client.HTTPException) as error:
            self.failures.append(type(error).__name__)


def measure_in_flight(stage: Stage, side: Side, image: str, samples: Samples) -> None:
    """How many of 16 requests are lost that wait for the database when SIGTERM comes."""
    lost, _, _ = _stop_while_waiting(stage, side, image, CONNECTIONS, SETTLE_SECONDS + AFTER_SIGTERM_SECONDS)
    samples.add("lost_requests", side.name, lost)


def measure_slow_request(stage: Stage, side: Side, image: str, samples: Samples) -> None:
    """Whether a request of five seconds is answered and the exit code says that all is well."""
    lost, code, seconds = _stop_while_waiting(stage, side, image, 1, SLOW_SECONDS)
    samples.add("slow_request_failures", side.name, int(lost > 0 or code != 0))
    samples.add("slow_request_stop_seconds", side.name, seconds)


def measure_early(stage: Stage, side: Side, image: str, samples: Samples, run: int) -> None:
    """How long a container takes to end that is told so while it starts."""
    with created(stage, side, image) as container:
        container.start()
        time.sleep(EARLY_MOMENTS[run % len(EARLY_MOMENTS)])
        seconds, _ = container.stop(grace_seconds=EARLY_GRACE_SECONDS)
        samples.add("early_stop_seconds", side.name, seconds)


def _stop_while_waiting(stage: Stage, side: Side, image: str, users: int, wait: float) -> tuple[int, int, float]:
    """Lost requests, exit code, seconds to the end; requests wait `wait` seconds for a table that is locked."""
    with serving(stage, side, image) as container:
        container.check_page(QUERY_PAGE, QUERY_TEXT)
        asking = Users(container=container, address=container.address())
        with _locked(stage, wait):
            asking.ask(users)
            time.sleep(SETTLE_SECONDS)
            if asking.waiting() != users:
                raise MeasurementError(f"{side.name}: only {asking.waiting()} of {users} requests wait for the lock.")
            seconds, code = container.stop()
            return asking.lost(), code, seconds


@contextmanager
def _locked(stage: Stage, seconds: float) -> Iterator[None]:
    """The table is locked from now on for so many seconds; nothing in the app is made for this."""
    locker = threading.Thread(target=stage.sql, args=(LOCK.format(seconds=seconds),), daemon=True)
    locker.start()
    deadline = time.monotonic() + LOCK_SECONDS
    while stage.sql(HELD) != "1":
        if time.monotonic() > deadline:
            raise MeasurementError("the table of agreements could not be locked.")
    yield
    locker.join()
