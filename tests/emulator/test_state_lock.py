"""S3 as `python -m ops state` asks it about the lock of a stack: the command itself, run as an operator runs it."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from conftest import Emulator
from emulator_cloud import Cloud

ROOT = Path(__file__).parents[2]
BUCKET = "pactum-state-123456789012"
LOCKS = ".pulumi/locks/organization/pactum/dev"
STATE = ".pulumi/stacks/pactum/dev.json"
LOCK = {"pid": 3367, "username": "root", "hostname": "runner-7", "timestamp": "2026-11-22T11:45:13.081815503Z"}


@pytest.fixture(scope="module")
def s3(emulator: Emulator) -> Any:
    """A bucket with a stack that two killed updates hold, and another stack's lock beside theirs."""
    s3 = Cloud(emulator.port, "").client("s3")
    s3.create_bucket(Bucket=BUCKET)
    state = {"version": 3, "checkpoint": {"latest": {"resources": []}}}
    for key, content in (
        (f"{LOCKS}/1.json", LOCK),
        (f"{LOCKS}/2.json", LOCK),
        (f"{LOCKS}-eu/1.json", LOCK),
        (STATE, state),
    ):
        s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(content))
    return s3


def keys(s3: Any) -> list[str]:
    """What is in the bucket."""
    return [each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]


def ops_state(port: int, *options: str) -> tuple[int, dict[str, Any]]:
    """Run the command in the project's own interpreter; its exit code and its answer."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PULUMI_"))},
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "PULUMI_BACKEND_URL": f"s3://{BUCKET}?region=us-east-1&awssdk=v2",
    }
    ran = subprocess.run(
        [ROOT / ".venv/bin/python", "-m", "ops", "state", "--stack", "dev", "--json", *options],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.stdout, ran.stderr
    return ran.returncode, json.loads(ran.stdout)


def test_a_stacks_locks_are_shown_then_freed_and_no_other_file_is_touched(s3: Any, emulator: Emulator) -> None:
    before = keys(s3)
    code, answer = ops_state(emulator.port)
    assert (code, [each["host"] for each in answer["locks"]], keys(s3)) == (1, ["runner-7"] * 2, before)
    assert answer["pending_operations"] == []
    code, answer = ops_state(emulator.port, "--yes")
    assert (code, answer["freed"]) == (0, [f"{LOCKS}/1.json", f"{LOCKS}/2.json"])
    assert keys(s3) == [f"{LOCKS}-eu/1.json", STATE]
    assert ops_state(emulator.port)[0] == 0


@pytest.mark.usefixtures("s3")
def test_a_bucket_that_is_not_there_is_told_by_its_name(emulator: Emulator) -> None:
    code, answer = ops_state(emulator.port, "--backend", "s3://nobodys-bucket")
    assert code == 2, "1 would say that the stack is locked"
    assert "there is no bucket nobodys-bucket" in answer["error"]
