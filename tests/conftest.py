"""What every test starts from: no configuration and no credentials of this machine's user."""

from __future__ import annotations

import gc

import pulumi
import pytest


def pytest_collection_finish() -> None:
    """Thousands of tests and the provider's packages stay until the end: the collector need not look at them again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _clean_slate(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "PULUMI_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    pulumi.runtime.set_all_config({})
