"""The table: what is compared, what the reference had, which goal ours has, and whether it is met.

Goals are held against the reference column where it is exact (sizes, lost requests), and against the usual way, which
is measured in the same run, where it is a time or depends on the machine.
"""

import enum
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.samples import OURS, USUAL, USUAL_KEPT, Samples

MEGABYTE, KIBIBYTE = 1e6, 1024
SMALL_KIB = 1000


class Against(enum.Enum):
    """What a goal is held against."""

    USUAL = "usual"
    REFERENCE = "reference"
    # A fixed limit, for every single run.
    LIMIT = "limit"


@dataclass(frozen=True, kw_only=True)
class Goal:
    """`bound` is a ratio, or with LIMIT the figure itself. A stretch goal may be missed."""

    against: Against
    bound: float
    text: str
    at_least: bool = False
    is_stretch: bool = False


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table. `reference` is the stock image's figure where the issue has one, in the metric's unit."""

    part: str
    metric: str
    title: str
    show: Callable[[float], str]
    goal: Goal | None = None
    reference: float | None = None
    reference_text: str = ""
    usual: str = USUAL
    has_ratio: bool = True


@dataclass(frozen=True, kw_only=True)
class Line:
    """A row with its figures, ready to print."""

    title: str
    reference: str
    usual: str
    ours: str
    ratio: str
    goal: str
    verdict: str
    missed: str = ""


def megabytes(value: float) -> str:
    return f"{value / MEGABYTE:.1f} MB"


def kibibytes(value: float) -> str:
    return megabytes(value) if value / KIBIBYTE >= SMALL_KIB else f"{value / KIBIBYTE:.1f} KiB"


def seconds(value: float) -> str:
    return f"{value:.0f} s" if value >= 10 else f"{value:.2f} s"  # noqa: PLR2004 - three figures are enough


def milliseconds(value: float) -> str:
    return f"{value:.0f} ms" if value >= 10 else f"{value:.2f} ms"  # noqa: PLR2004 - the same


def a_second(value: float) -> str:
    return f"{value:,.0f} req/s"


def mebibytes(value: float) -> str:
    return f"{value:.0f} MiB"


def of_16(value: float) -> str:
    return f"{value:.0f} of 16"


def yes_no(yes: str, no: str) -> Callable[[float], str]:
    return lambda value: yes if value else no


def times_usual(bound: float, **more: bool) -> Goal:
    at_least = more.get("at_least", False)
    return Goal(against=Against.USUAL, bound=bound, text=f"{'≥' if at_least else '≤'} {bound:g}x", **more)


def times_reference(bound: float) -> Goal:
    return Goal(against=Against.REFERENCE, bound=bound, text=f"≤ {bound:g}x reference")


def limit(bound: float, text: str, **more: bool) -> Goal:
    return Goal(against=Against.LIMIT, bound=bound, text=text, **more)


def line(row: Row, samples: Samples) -> Line:
    """Judge one row. MeasurementError where a side was not measured."""
    ours, usual = samples.median(row.metric, OURS), samples.median(row.metric, row.usual)
    compared = row.reference if row.goal and row.goal.against is Against.REFERENCE else usual
    met = judged(row, samples)
    missed = ""
    verdict = "" if row.goal is None else "met" if met else "missed (stretch)" if row.goal.is_stretch else "MISSED"
    if row.goal and not met and not row.goal.is_stretch:
        missed = f"{row.title}: ours {row.show(_worst(row, samples))}, usual {row.show(usual)}, goal {row.goal.text}"
    return Line(
        title=row.title,
        reference=row.reference_text or (row.show(row.reference) if row.reference is not None else ""),
        usual=row.show(usual),
        ours=row.show(_worst(row, samples)),
        ratio=f"{ours / compared:.2f}x" if row.has_ratio and compared else "",
        goal=row.goal.text if row.goal else "",
        verdict=verdict,
        missed=missed,
    )


def judged(row: Row, samples: Samples) -> bool:
    """Whether the goal is met; True where there is none."""
    if row.goal is None:
        return True
    value, bound = _worst(row, samples), row.goal.bound
    if row.goal.against is Against.USUAL:
        bound *= samples.median(row.metric, row.usual)
    if row.goal.against is Against.REFERENCE:
        if row.reference is None:
            raise ValueError(f"{row.title} is held against a reference that it does not have")
        bound *= row.reference
    return value >= bound if row.goal.at_least else value <= bound


def _worst(row: Row, samples: Samples) -> float:
    """What is judged of ours: the median, or with a limit the worst run."""
    values = samples.of(row.metric, OURS)
    if row.goal is None or row.goal.against is not Against.LIMIT:
        return samples.median(row.metric, OURS)
    return min(values) if row.goal.at_least else max(values)


ROWS = (
    Row(part="size", metric="size_added_bytes", title="image on top of the runtime", show=megabytes,
        reference=137e6, goal=times_reference(0.45)),
    Row(part="size", metric="size_bytes", title="image in all", show=megabytes, reference=316e6,
        goal=times_reference(0.5)),
    Row(part="size", metric="size_compressed_bytes", title="image in all, compressed", show=megabytes,
        goal=limit(35e6, "≤ 35 MB (stretch)", is_stretch=True)),
    Row(part="build", metric="cold_build_seconds", title="cold build", show=seconds, reference=44,
        goal=times_usual(0.5)),
    Row(part="rebuild", metric="rebuild_seconds", title="rebuild after one changed line", show=seconds, reference=4.9,
        goal=times_usual(0.2)),
    Row(part="rebuild", metric="rebuild_bytes", title="new layer data of the rebuild", show=kibibytes,
        reference=109e6, has_ratio=False, goal=limit(64 * KIBIBYTE, "≤ 64 KiB")),
    Row(part="rebuild", metric="rebuild_compressed_bytes", title="new layer data, compressed", show=kibibytes,
        has_ratio=False),
    Row(part="start", metric="start_seconds", show=seconds,
        title="container start to the first 200 (ours: read-only root, arbitrary uid)", reference=1.5,
        goal=times_usual(0.45)),
    Row(part="start", metric="start_with_engine_seconds", title="`docker start` to the first 200", show=seconds),
    Row(part="load", metric="query_rate", title="page with a query, 16 connections", show=a_second, reference=326,
        goal=times_usual(5, at_least=True)),
    Row(part="load", metric="query_p99_ms", title="page with a query: 99th percentile", show=milliseconds, reference=68,
        goal=times_usual(0.5)),
    Row(part="load", metric="query_cpu_ms", title="page with a query: CPU a request", show=milliseconds, reference=5.6),
    Row(part="load", metric="query_rate", title="page with a query, usual with CONN_MAX_AGE=60", show=a_second,
        usual=USUAL_KEPT),
    Row(part="load", metric="plain_rate", title="page without a query, 16 connections", show=a_second, reference=2568,
        goal=times_usual(1, at_least=True)),
    Row(part="load", metric="plain_cpu_ms", title="page without a query: CPU a request", show=milliseconds,
        reference=0.67, goal=times_usual(0.8)),
    Row(part="load", metric="memory_mib", title="memory after load (PSS)", show=mebibytes, reference=245,
        goal=times_usual(0.8)),
    Row(part="stop", metric="lost_requests", title="SIGTERM with 16 slow requests in flight: lost", show=of_16,
        reference=12, has_ratio=False, goal=limit(0, "0 lost")),
    Row(part="stop", metric="slow_request_failures", title="SIGTERM with a 5 s request in flight", has_ratio=False,
        show=yes_no("lost, or exit code not 0", "finished, exit 0"), goal=limit(0, "finished, exit 0")),
    Row(part="stop", metric="early_stop_seconds", title="SIGTERM during start: exits after", show=seconds,
        goal=limit(2, "≤ 2 s")),
    Row(part="outage", metric="outage_survived", title="database down at start", has_ratio=False,
        show=yes_no("stays up, recovers", "does not last"), reference_text="exits 124 after 30 s",
        goal=limit(1, "/healthz 200, /readyz 503, recovers", at_least=True)),
)  # fmt: skip
PARTS = tuple(dict.fromkeys(row.part for row in ROWS))
