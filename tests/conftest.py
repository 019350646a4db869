"""What every test starts from: no configuration and no credentials of this machine's user."""

from __future__ import annotations

import gc
import os
import signal
from typing import TYPE_CHECKING

import pulumi
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def pytest_configure() -> None:
    """SIGTERM ends a run of tests as Ctrl-C does: what their fixtures have up on this machine is taken down."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_xdist_auto_num_workers() -> int:
    """Of `-n auto`: half as many workers again as there are processors, for a fifth of these tests' time is waiting."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(2, processors + processors // 2)


def pytest_collection_finish() -> None:
    """Thousands of tests and the provider's packages stay until the end: the collector need not look at them again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _clean_slate(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "PULUMI_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    # What `stacks.sdk_messages` has replaced comes back.
    monkeypatch.setattr(pulumi.log, "debug", pulumi.log.debug)
    pulumi.runtime.set_all_config({})


@pytest.fixture(autouse=True)
def _ends_when_told() -> Iterator[None]:
    """A program's `main` answers signals as it must; left in place, its answer would be the next test's failure."""
    before = {number: signal.getsignal(number) for number in ENDING}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
