"""rehearsal/realisers/watching.py: functions, and who may start them, as the emulator is asked for them."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pulumi
import pytest

from rehearsal.errors import RehearsalError
from rehearsal.realisers.tables import REHEARSED
from rehearsal.state import Deployed, differing
from tests.rehearsal_fakes import fake_tools
from tests.test_rehearsal_realisers import FakeClient, tools_with

if TYPE_CHECKING:
    from pathlib import Path

    from rehearsal.state import Properties

FUNCTION, PERMISSION = REHEARSED["aws:lambda/function:Function"], REHEARSED["aws:lambda/permission:Permission"]
INVOKE = REHEARSED["aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"]
ANSWER = {"FunctionArn": "arn:watch"}


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    (tmp_path / "a.py").write_text("A = 1\n")
    (tmp_path / "b.py").write_text("B = 2\n")
    return tmp_path


def inputs_of(sources: Path, **changes: Any) -> Properties:
    code = pulumi.AssetArchive({f"ops/{name}.py": pulumi.FileAsset(str(sources / f"{name}.py")) for name in "ba"})
    asked: Properties = {
        "name": "watch",
        "code": code,
        "handler": "ops.a.handle",
        "runtime": "python3.13",
        "architectures": ["arm64"],
        "memorySize": 128,
        "timeout": 50,
        "role": "arn:role",
        "environment": {"variables": {"NAME": "pactum-staging"}},
        "loggingConfig": {"logFormat": "JSON", "logGroup": "/a", "applicationLogLevel": "INFO"},
        "tags": {"stack": "staging"},
    } | changes
    FUNCTION.check(asked)
    assert FUNCTION.fingerprint is not None
    return {**asked, **FUNCTION.fingerprint(fake_tools(), asked)}


def deployed(inputs: Properties) -> Deployed:
    return Deployed(urn="urn", type="t", name="watch", id="watch", inputs=inputs, outputs=inputs)


def test_a_function_is_made_with_its_files_and_told_of_the_emulator(
    monkeypatch: pytest.MonkeyPatch, sources: Path
) -> None:
    client = FakeClient(ANSWER)
    made = FUNCTION.create(tools_with(monkeypatch, client), "watch", inputs_of(sources))
    assert (made.id, made.outputs) == ("watch", {"arn": "arn:watch", "code": None})
    asked = client.asked["create_function"]
    with zipfile.ZipFile(io.BytesIO(asked.pop("Code")["ZipFile"])) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            "ops/a.py": b"A = 1\n",
            "ops/b.py": b"B = 2\n",
        }
    variables = asked.pop("Environment")["Variables"]
    assert variables["NAME"] == "pactum-staging"
    assert variables["OPS_CONNECT_TO"].startswith("127.0.0.1:"), "no name of a balancer leads anywhere on this machine"
    assert "127.0.0.1" in variables["NO_PROXY"]
    assert asked == {
        "FunctionName": "watch",
        "Handler": "ops.a.handle",
        "Runtime": "python3.13",
        "Architectures": ["arm64"],
        "MemorySize": 128,
        "Timeout": 50,
        "Role": "arn:role",
        "LoggingConfig": {"LogFormat": "JSON", "LogGroup": "/a", "ApplicationLogLevel": "INFO"},
        "Tags": {"stack": "staging"},
    }


def test_the_same_files_change_nothing_and_others_do(sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = inputs_of(sources)
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
    kept = json.loads(json.dumps(asdict(deployed(before))["inputs"], default=str))
    (sources / "a.py").touch()
    assert differing(before, inputs_of(sources)) == []
    assert differing(kept, inputs_of(sources)) == [], "the state's file keeps a text in place of the archive"
    (sources / "a.py").write_text("A = 2\n")
    assert differing(before, inputs_of(sources)) == ["code"]
    assert differing(kept, inputs_of(sources)) == ["code"]


def test_new_code_is_brought_to_the_function_that_is_there(monkeypatch: pytest.MonkeyPatch, sources: Path) -> None:
    before, client = deployed(inputs_of(sources)), FakeClient(ANSWER)
    assert FUNCTION.update is not None
    FUNCTION.update(tools_with(monkeypatch, client), before, inputs_of(sources, timeout=40))
    assert "update_function_code" not in client.asked
    assert client.asked["update_function_configuration"]["Timeout"] == 40
    (sources / "a.py").write_text("A = 2\n")
    FUNCTION.update(tools_with(monkeypatch, client), before, inputs_of(sources))
    with zipfile.ZipFile(io.BytesIO(client.asked["update_function_code"]["ZipFile"])) as archive:
        assert archive.read("ops/a.py") == b"A = 2\n"


@pytest.mark.parametrize(
    "code",
    [
        pulumi.FileArchive("dist.zip"),
        pulumi.AssetArchive({}),
        pulumi.AssetArchive({"a.py": pulumi.StringAsset("A = 1")}),
        pulumi.AssetArchive({"a.py": pulumi.StringAsset("A = 1"), "b.py": pulumi.FileAsset(__file__)}),
        None,
    ],
)
def test_code_that_is_no_archive_of_files_is_refused(code: pulumi.Archive | None) -> None:
    assert FUNCTION.fingerprint is not None
    with pytest.raises(RehearsalError, match="archive of files"):
        FUNCTION.fingerprint(fake_tools(), {"code": code})


def test_a_permission_names_who_may_start_it_and_for_what(monkeypatch: pytest.MonkeyPatch) -> None:
    client = FakeClient({})
    asked: Properties = {
        "function": "watch",
        "action": "lambda:InvokeFunction",
        "principal": "events.amazonaws.com",
        "sourceArn": "arn:rule",
    }
    PERMISSION.check(asked)
    named = PERMISSION.named("watch-minutes", asked)
    made = PERMISSION.create(tools_with(monkeypatch, client), "watch-minutes", named)
    assert made.id == named["statementId"]
    assert client.asked["add_permission"] == {
        "FunctionName": "watch",
        "StatementId": made.id,
        "Action": "lambda:InvokeFunction",
        "Principal": "events.amazonaws.com",
        "SourceArn": "arn:rule",
    }


def test_how_often_a_start_is_tried_is_set_and_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    client = FakeClient({})
    asked: Properties = {"functionName": "watch", "maximumRetryAttempts": 2, "maximumEventAgeInSeconds": 3600}
    INVOKE.check(asked)
    INVOKE.create(tools_with(monkeypatch, client), "watch", asked)
    assert client.asked["put_function_event_invoke_config"] == {
        "FunctionName": "watch",
        "MaximumRetryAttempts": 2,
        "MaximumEventAgeInSeconds": 3600,
    }
    assert INVOKE.update is not None
    INVOKE.update(tools_with(monkeypatch, client), deployed(asked), {**asked, "maximumRetryAttempts": 0})
    assert client.asked["put_function_event_invoke_config"]["MaximumRetryAttempts"] == 0
