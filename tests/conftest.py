"""What every test starts from: no configuration and no credentials of this machine's user."""

from __future__ import annotations

import pulumi
import pytest


@pytest.fixture(autouse=True)
def _clean_slate(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "PULUMI_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    pulumi.runtime.set_all_config({})
