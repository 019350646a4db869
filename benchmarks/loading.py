"""Pages under load: throughput, latency, CPU time, and the memory that is left in use afterwards."""

from benchmarks import host_view, wrk
from benchmarks.containers import PLAIN_PAGE, PLAIN_TEXT, QUERY_PAGE, QUERY_TEXT, Container, serving
from benchmarks.errors import MeasurementError
from benchmarks.samples import Samples
from benchmarks.sides import HOST, Side
from benchmarks.stage import Stage
from rehearsal import bounded

WARM_UP_SECONDS, LOAD_SECONDS = 1, 5
# From few requests no 99th percentile can be read.
FEWEST_REQUESTS = 200
# Transactions the database may have counted while a page without a query was asked: its own work, our looking.
SHARE_WITHOUT_QUERY = 0.05


def measure(stage: Stage, side: Side, image: str, samples: Samples) -> None:
    """One fresh container; the page without a query first, while the database has nothing of the other to count."""
    with serving(stage, side, image) as container:
        before = _transactions(stage)
        count = _measure_page(container, samples, "plain", PLAIN_PAGE, PLAIN_TEXT)
        if (share := (_transactions(stage) - before) / count) > SHARE_WITHOUT_QUERY:
            raise MeasurementError(f"{side.name}: {PLAIN_PAGE} asks the database, {share:.2f} times a request.")
        _measure_page(container, samples, "query", QUERY_PAGE, QUERY_TEXT)
        samples.add("memory_mib", side.name, host_view.pss_mib(container.pid()))


def measure_query_only(stage: Stage, side: Side, image: str, samples: Samples) -> None:
    with serving(stage, side, image) as container:
        _measure_page(container, samples, "query", QUERY_PAGE, QUERY_TEXT)


def _measure_page(container: Container, samples: Samples, kind: str, path: str, text: str) -> int:
    """Load one page and return how many requests were made in all."""
    container.check_page(path, text)
    warm_up = _load(container, path, WARM_UP_SECONDS)
    pid = container.pid()
    before = host_view.cpu_seconds(pid)
    load = _load(container, path, LOAD_SECONDS)
    spent = host_view.cpu_seconds(pid) - before
    if load.requests < FEWEST_REQUESTS:
        raise MeasurementError(f"{path} was asked {load.requests} times only; a percentile of that says nothing.")
    if container.pid() != pid:
        raise MeasurementError(f"{container.side.name}: the container was started anew during the load.")
    container.check_page(path, text)
    name = container.side.name
    samples.add(f"{kind}_rate", name, load.rate)
    samples.add(f"{kind}_p99_ms", name, load.p99_ms)
    samples.add(f"{kind}_cpu_ms", name, spent / load.requests * 1000)
    return warm_up.requests + load.requests


def _load(container: Container, path: str, seconds: int) -> wrk.Load:
    done = bounded.attempt(wrk.command(container.url(path), HOST, seconds), timeout_seconds=seconds + 30)
    if done.returncode:
        raise MeasurementError(f"wrk failed: {done.stdout}{done.stderr}")
    return wrk.parse(done.stdout)


def _transactions(stage: Stage) -> int:
    return int(stage.sql("SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = 'pactum'"))
