"""The stand-in for the Pulumi CLI: never taken for the CLI, knows only what stages call, and locks as the CLI does."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from rehearsal import attached, processes, program
from rehearsal.docker_client import DockerClient
from rehearsal.errors import RehearsalError
from rehearsal.place import PROJECT_ROOT, Place
from rehearsal.pulumi_stand_in import __main__ as command_line
from rehearsal.pulumi_stand_in import actions, words
from rehearsal.pulumi_stand_in.state_lock import LockedError, StateLock
from rehearsal.realisers.tools import Tools
from rehearsal.state import Tally
from rehearsal.updater import Updater

LAUNCHER = PROJECT_ROOT / "rehearsal/pulumi_stand_in/bin/pulumi"
BACKEND = "s3://states?region=us-east-1&awssdk=v2"
LOCKS = ".pulumi/locks/organization/pactum/staging/"
DIGEST = f"sha256:{'a' * 64}"
OUTPUTS = {"url": "http://x", "release": DIGEST, "cluster_name": "c", "service_name": "web"}


class Bucket:
    """What a lock needs of S3."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.written: list[str] = []

    def put_object(self, *, Bucket: str, Key: str, Body: str) -> None:  # noqa: N803 - boto3's names
        assert Bucket == "states"
        self.written.append(Key)
        self.kept[Key] = Body.encode()

    def delete_object(self, *, Bucket: str, Key: str) -> None:  # noqa: N803
        assert Bucket == "states"
        self.kept.pop(Key, None)

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        assert Bucket == "states"
        return {"Body": _Body(self.kept[Key])}

    def list_objects_v2(self, *, Bucket: str, Prefix: str) -> dict[str, Any]:  # noqa: N803
        assert Bucket == "states"
        return {"Contents": [{"Key": key} for key in self.kept if key.startswith(Prefix)]}


class _Body:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self) -> bytes:
        return self._content


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Bucket:
    made = Bucket()
    monkeypatch.setattr(Tools, "client", lambda *_: made)
    return made


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of the project, and a rehearsal of staging that another working copy holds up."""
    made, kept = tmp_path / "checkout", tmp_path / "kept"
    for directory in (made, kept):
        directory.mkdir()
    for name in ("Pulumi.yaml", "Pulumi.staging.yaml"):
        (made / name).write_text((PROJECT_ROOT / name).read_text())
    place = Place(root=made, kept=kept)
    attached.announce(place, stack="staging", overrides={}, docker=DockerClient(executable="/nonexistent/docker"))
    processes.record(place.emulator_record, os.getpid())
    (kept / "outputs-staging.json").write_text(json.dumps(OUTPUTS))
    monkeypatch.chdir(made)
    monkeypatch.setenv(command_line.KEPT, str(kept))
    monkeypatch.setenv(actions.BACKEND, BACKEND)
    return made


def lock(bucket: Bucket) -> StateLock:
    return StateLock(s3=bucket, backend=BACKEND, project="pactum", stack="staging")


def test_on_a_users_path_it_says_that_it_is_not_the_cli() -> None:
    environment = {name: value for name, value in os.environ.items() if name != command_line.KEPT}
    done = subprocess.run([LAUNCHER, "up"], env=environment, capture_output=True, text=True, check=False, timeout=20)
    assert done.returncode == 255
    assert "is not the Pulumi CLI but the rehearsal's stand-in" in done.stderr


@pytest.mark.parametrize("line", [["destroy", "--stack", "staging"], ["up", "--stack", "staging", "--target", "x"], []])
@pytest.mark.usefixtures("checkout")
def test_what_stages_do_not_call_is_an_error(line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(line) == 255
    assert "error: " in capsys.readouterr().err


@pytest.mark.usefixtures("checkout")
def test_outputs_are_those_of_the_last_update_that_ended_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["stack", "output", "--json", "--stack", "staging", "--non-interactive"]) == 0
    assert json.loads(capsys.readouterr().out) == OUTPUTS
    assert command_line.main(["stack", "output", "nothing", "--stack", "staging"]) == 255
    assert "does not have output property 'nothing'" in capsys.readouterr().err


@pytest.mark.usefixtures("checkout")
def test_a_stack_that_nobody_began_is_not_found(capsys: pytest.CaptureFixture[str]) -> None:
    (Path.cwd() / "Pulumi.prod.yaml").write_text("config: {}\n")
    assert command_line.main(["stack", "output", "--stack", "prod"]) == 255
    assert "no stack named 'prod' found" in capsys.readouterr().err


@pytest.mark.usefixtures("checkout")
def test_without_a_backend_there_is_nothing_to_ask(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(actions.BACKEND)
    assert command_line.main(["stack", "output", "--stack", "staging"]) == 255
    assert actions.BACKEND in capsys.readouterr().err


def test_an_update_is_given_its_digest_by_the_stack_file_and_has_the_stack_to_itself(
    checkout: Path, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, list[str]]] = []

    def up(updater: Updater, *_: object, **__: object) -> Tally:
        digest = updater._configuration(None).values["pactum:imageDigest"]
        seen.append((digest, [key for key in bucket.kept if key.startswith(LOCKS)]))
        return Tally()

    monkeypatch.setattr(Updater, "up", up)
    line = ["up", "--stack", "staging", "--yes", "--skip-preview", "--config", f"pactum:imageDigest={DIGEST}"]
    assert command_line.main(line) == 0
    ((digest, locks),) = seen
    assert digest == DIGEST
    assert len(locks) == 1, "while it runs, others are refused"
    assert not [key for key in bucket.kept if key.startswith(LOCKS)]
    assert DIGEST in (checkout / "Pulumi.staging.yaml").read_text(), "the CLI writes what --config says there, too"
    own = checkout / "own.yaml"
    own.write_text((PROJECT_ROOT / "Pulumi.staging.yaml").read_text())
    other = f"sha256:{'b' * 64}"
    assert command_line.main([*line[:-1], f"pactum:imageDigest={other}", "--config-file", str(own)]) == 0
    assert seen[1][0] == other
    assert other not in (checkout / "Pulumi.staging.yaml").read_text()


@pytest.mark.usefixtures("checkout")
def test_an_interrupted_update_frees_its_lock(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> Tally:
        raise KeyboardInterrupt

    monkeypatch.setattr(Updater, "up", interrupted)
    assert command_line.main(["up", "--stack", "staging", "--yes"]) == 1
    assert "update canceled" in capsys.readouterr().err
    assert not [key for key in bucket.kept if key.startswith(LOCKS)]


@pytest.mark.usefixtures("checkout")
def test_a_preview_tells_changes_to_people_and_to_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = Tally(
        created=Counter({"a:b/c:D": 2}),
        coming=["a:b/c:D one", "a:b/c:D two"],
        updated=Counter({"aws:ecs/service:Service": 1}),
        reasons=["aws:ecs/service:Service web: taskDefinition"],
        deleted=Counter({"a:b/c:D": 1}),
        going=["a:b/c:D old"],
    )
    monkeypatch.setattr(Updater, "plan", lambda *_: changed)
    log = tmp_path / "events"
    line = ["preview", "--stack", "staging", "--diff", "--policy-pack", "p", "--event-log", str(log)]
    assert command_line.main([*line, "--expect-no-changes"]) == 255
    said = capsys.readouterr()
    assert "aws:ecs:Service web: taskDefinition" in said.out
    assert "no changes were expected" in said.err
    told = [json.loads(event)["resourcePreEvent"]["metadata"] for event in log.read_text().splitlines()]
    assert [(each["op"], each["type"], each["urn"].rpartition("::")[2]) for each in told] == [
        ("create", "a:b/c:D", "one"),
        ("create", "a:b/c:D", "two"),
        ("update", "aws:ecs/service:Service", "web"),
        ("delete", "a:b/c:D", "old"),
    ]
    monkeypatch.setattr(Updater, "plan", lambda *_: Tally(unchanged=Counter({"x": 3})))
    assert command_line.main([*line, "--expect-no-changes"]) == 0


def test_of_two_that_want_a_stack_one_is_refused_and_told_who_has_it(bucket: Bucket) -> None:
    with lock(bucket).held(), pytest.raises(LockedError, match=r"locked by 1 lock\(s\)") as raised, lock(bucket).held():
        pass
    assert f"(pid {os.getpid()})" in str(raised.value)
    assert len(bucket.written) == 1, "a third would be told of a lock that holds nothing"
    assert bucket.kept == {}, "who was refused leaves no lock, and who had it frees it"


def test_cancel_frees_a_stack_of_whoever_was_killed_and_no_other(bucket: Bucket) -> None:
    bucket.put_object(Bucket="states", Key=f"{LOCKS}killed.json", Body="{}")
    bucket.put_object(Bucket="states", Key=".pulumi/locks/organization/pactum/staging-eu/1.json", Body="{}")
    lock(bucket).cancel()
    assert list(bucket.kept) == [".pulumi/locks/organization/pactum/staging-eu/1.json"]


def test_a_backend_that_is_no_bucket_is_told(bucket: Bucket) -> None:
    with pytest.raises(RehearsalError, match="is no s3://BUCKET"):
        StateLock(s3=bucket, backend="file://~", project="pactum", stack="staging").cancel()


def test_outputs_that_would_be_others_are_told_and_secret_ones_only_by_name() -> None:
    before = {"url": "http://x", "release": "a", "gone": 1, "live": "c"}
    after = {"url": "http://x", "release": "b", "key": program.SECRET, "all": {"each": ["x"]}, "live": program.UNKNOWN}
    assert words.outputs(before, after).splitlines() == [
        "    --outputs:--",
        "  + all: {",
        "        each: [",
        '            [0]: "x"',
        "        ]",
        "    }",
        "  - gone: 1",
        "  + key: [secret]",
        '  ~ release: "a" => "b"',
    ]
    assert words.outputs(before, before) == ""


@pytest.mark.usefixtures("checkout")
def test_a_program_that_fails_is_told_to_people_and_to_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: object) -> Tally:
        raise RehearsalError("it is open to strangers (G18, open to strangers)")

    monkeypatch.setattr(Updater, "plan", fails)
    log = tmp_path / "events"
    assert command_line.main(["preview", "--stack", "staging", "--event-log", str(log)]) == 255
    assert "error: it is open to strangers" in capsys.readouterr().err
    (event,) = log.read_text().splitlines()
    assert json.loads(event)["diagnosticEvent"]["severity"] == "error"
    assert "open to strangers" in json.loads(event)["diagnosticEvent"]["message"]


def test_numbers_are_told_as_the_cli_tells_them() -> None:
    tally = Tally(created=Counter({"a:b/c:D": 2}), unchanged=Counter({"x": 5}))
    assert words.previewed("staging", "pactum", tally).splitlines()[1:] == [
        " +  a:b:D create (2)",
        "Resources:",
        "    + 2 to create",
        "    2 changes. 5 unchanged",
    ]
