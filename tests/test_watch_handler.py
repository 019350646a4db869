"""ops/watch/handler.py: what Lambda calls, with the files it is given and nothing else."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING, Any

import pulumi
import pytest

from infra.observability import watch
from ops.watch.clients import CONFIG
from rehearsal.realisers.tables import REHEARSED
from tests.ops_fakes.account import BASE_TIME, Refused
from tests.recorder import ROOT
from tests.test_watch_jobs import ended
from tests.watch_fakes import ENVIRONMENT, Watched, clients_of

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

TICK = {"source": "aws.events", "detail-type": "Scheduled Event", "time": "2026-11-22T12:07:00Z"}
# Boto3 and what it is made of are there in AWS's runtime, and nothing else that we install.
ALONE = """
import sys
before = set(sys.modules)
from ops.watch import handler
loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
import json
third = {"boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3", "ops"}
third |= {"certifi", "__mp_main__"}  # botocore uses the one where it is there, multiprocessing makes the other
print(json.dumps([handler.__file__, sorted(loaded - third - set(sys.stdlib_module_names))]))
"""


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    for name, value in {**ENVIRONMENT, "READINESS_URL": "http://127.0.0.1:1/readyz"}.items():
        monkeypatch.setenv(name, value)
    return importlib.import_module("ops.watch.handler")


def handle(handler: ModuleType, world: Watched, event: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(handler, "CLIENTS", clients_of(world))
    return handler.handle(event, object())


def test_a_minute_is_a_pass_published_for_that_minute(handler: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    world = Watched()
    assert handle(handler, world, TICK, monkeypatch) == {"published": 5, "failed": []}
    (asked,) = world.published
    assert asked["Namespace"] == "pactum/staging"
    assert {datum["Timestamp"] for datum in asked["MetricData"]} == {BASE_TIME.replace(minute=7)}, "come late, or twice"
    assert asked["MetricData"][0]["MetricName"] == "Watched"
    first_look = BASE_TIME.replace(minute=7).timestamp()
    assert world.succeeded("nightly") == first_look, "from then on the job is counted"


def test_a_gauge_that_fails_fails_no_pass(handler: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    world = Watched()

    def refused() -> None:
        raise Refused("AccessDeniedException", "no scheduler:GetSchedule")

    world.before["GetSchedule"] = refused
    answer = handle(handler, world, TICK, monkeypatch)
    assert answer["failed"] == ["jobs"], "a second attempt would publish the others twice"
    assert world.published[0]["MetricData"][0]["Value"] == 0.0


def test_what_cannot_be_published_is_tried_again(handler: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    world = Watched()

    def throttled() -> None:
        raise Refused("ThrottlingException", "Rate exceeded")

    world.before["PutMetricData"] = throttled
    with pytest.raises(Exception, match="Rate exceeded"):
        handle(handler, world, TICK, monkeypatch)


def test_the_end_of_a_job_is_remembered_and_nothing_published(
    handler: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = Watched()
    assert handle(handler, world, ended(), monkeypatch) == {"succeeded": "nightly"}
    assert world.succeeded("nightly") == BASE_TIME.timestamp()
    assert world.published == []


def test_the_files_that_are_shipped_run_by_themselves(tmp_path: Path) -> None:
    """In an interpreter that knows neither this directory nor the user's, as the handler the function names."""
    fingerprint = REHEARSED["aws:lambda/function:Function"].fingerprint
    assert fingerprint is not None
    (tmp_path / "code.zip").write_bytes(fingerprint(Any, {"code": watch.code()})["code"].zipped)  # type: ignore[arg-type]
    with zipfile.ZipFile(tmp_path / "code.zip") as archive:
        archive.extractall(tmp_path / "code")
    clean = {"PATH": os.environ["PATH"], "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}
    done = subprocess.run(
        [sys.executable, "-B", "-c", f"import sys\nsys.path.insert(0, {str(tmp_path / 'code')!r})\n{ALONE}"],
        cwd=tmp_path,
        env=clean,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    file, foreign = json.loads(done.stdout)
    assert file == str(tmp_path / "code" / "ops" / "watch" / "handler.py")
    assert foreign == [], "AWS's runtime has none of it"
    module, _, function = watch.HANDLER.rpartition(".")
    assert (module, function) == ("ops.watch.handler", "handle")


def test_the_shipped_files_are_the_packages_and_no_others() -> None:
    code = watch.code()
    shipped = {name: asset.path for name, asset in code.assets.items() if isinstance(asset, pulumi.FileAsset)}
    written = {f"ops/watch/{path.name}" for path in (ROOT / "ops" / "watch").glob("*.py")}
    assert set(shipped) == {"ops/__init__.py"} | written, "what a test leaves beside them is not the function's"
    assert all((ROOT / name).samefile(path) for name, path in shipped.items())


def test_one_call_that_hangs_leaves_time_to_publish() -> None:
    from ops.watch.gauges import PATIENCE_SECONDS  # noqa: PLC0415 - beside what it is compared with

    call = (CONFIG.connect_timeout + CONFIG.read_timeout) * CONFIG.retries["total_max_attempts"]  # type: ignore[attr-defined]
    assert call < PATIENCE_SECONDS
    assert PATIENCE_SECONDS + call < watch.TIMEOUT_SECONDS, "publishing may hang as well"
