"""Another project than the bundled one: what startproject made and the few lines of the contract, really deployed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.shop import CONTEXT, PROJECT, ROOT, STACK_FILE, assemble, block

pytestmark = [pytest.mark.rehearsal, pytest.mark.timeout(600)]
GATEWAY_PORT, FRONT_PORT = 4678, 8678
PAYMENT_KEY = "value-of-an-operator-0123456789"
SHOP = ["--config-file", str(STACK_FILE)]


@pytest.fixture(scope="module")
def image_context() -> None:
    assemble(CONTEXT)


def rehearsal(*words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the rehearsal's, on ports of its own."""
    environment = {
        **os.environ,
        "REHEARSAL_GATEWAY_PORT": str(GATEWAY_PORT),
        "REHEARSAL_FRONT_PORT": str(FRONT_PORT),
        "REHEARSAL_SECRET_PAYMENT_API_KEY": PAYMENT_KEY,
    }
    return subprocess.run(
        [sys.executable, "-m", "rehearsal", *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=540,
    )


def test_its_settings_end_with_the_lines_that_the_contract_tells() -> None:
    settings = (PROJECT / "shop/settings.py").read_text(encoding="utf-8")
    stock, _, own = settings.partition("\n# --- What docs/app-contract.md asks")
    assert "SECRET_KEY = 'django-insecure-" in stock, "startproject's settings stay as they are"
    for line in filter(None, block("python").splitlines()):
        assert f"\n{line}\n" in own, "the page would tell something that nobody tried"


@pytest.mark.usefixtures("image_context")
def test_it_keeps_the_contract() -> None:
    done = rehearsal("contract", "--stack", "shop", *SHOP, "--page", "/products/")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The image keeps the contract" in done.stdout


@pytest.mark.usefixtures("image_context")
def test_it_is_deployed_tried_by_its_own_checks_and_released_again() -> None:
    done = rehearsal("shop", *SHOP, "--then", "tests/releases/good", "--set", "pactum:logRetentionDays=7")
    assert done.returncode == 0, done.stdout + done.stderr
    report: dict[str, Any] = json.loads((ROOT / f"rehearsal-report/{GATEWAY_PORT}/report.json").read_text())
    assert report["ok"]
    of_any = {"page_answers", "readyz_release", "request_id_in_logs", "secrets_stay_secret"}
    own = {"shop_is_open", "a_product_survives_its_task"}
    assert report["smoke"] == dict.fromkeys(of_any | own, "ok")
    assert report["releases"][0]["ok"], "users of its pages noticed nothing of a second release"
    assert report["operator_values"] == {"PAYMENT_API_KEY": "REHEARSAL_SECRET_PAYMENT_API_KEY"}
    assert report["overrides"]["pactum:logRetentionDays"] == "7"
    assert PAYMENT_KEY not in done.stdout + json.dumps(report)
