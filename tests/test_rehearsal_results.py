"""What a rehearsal finds and says: secrets in the open, users without an answer, the report, the command line."""

from __future__ import annotations

import gzip
import http.server
import io
import json
import tarfile
import threading
from typing import TYPE_CHECKING, Any

import pytest

from rehearsal import __main__ as command_line
from rehearsal import secrets_search, smoke
from rehearsal.errors import RehearsalError
from rehearsal.place import Place
from rehearsal.progress import Phase
from rehearsal.report import Report
from rehearsal.secrets_search import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SECRET = Secret(name="pactum/staging/database-login (password)", value='p4ss"w/rd-0123456789')


@pytest.mark.parametrize(
    "written",
    ['p4ss"w/rd-0123456789', 'p4ss\\"w/rd-0123456789', "p4ss%22w%2Frd-0123456789", "cDRzcyJ3L3JkLTAxMjM0NTY3ODk="],
    ids=["as it is", "in JSON", "in a URL", "in base64"],
)
def test_a_planted_secret_is_found_in_every_form(tmp_path: Path, written: str) -> None:
    (tmp_path / "state.json").write_text(f"before {written} after")
    found = secrets_search.in_files([SECRET], tmp_path.glob("*"))
    assert found == {str(tmp_path / "state.json"): {SECRET.name}}, "a value in the open must not be missed"


def test_a_secret_across_two_chunks_is_found() -> None:
    value = SECRET.value.encode()
    assert secrets_search.in_bytes([SECRET], iter([b"x" * 50 + value[:7], value[7:] + b"y"])) == {SECRET.name}


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_secret_in_a_layer_is_found_however_the_engine_keeps_layers(pack: Callable[[bytes], bytes]) -> None:
    layer, saved = pack(SECRET.value.encode() * 3), io.BytesIO()
    with tarfile.open(fileobj=saved, mode="w") as archive:
        entry = tarfile.TarInfo("blobs/sha256/0a1b")
        entry.size = len(layer)
        archive.addfile(entry, io.BytesIO(layer))
    saved.seek(0)
    found = secrets_search.in_bytes([SECRET], secrets_search.unpacked(saved))
    assert found == {SECRET.name}, "a search that cannot see into layers would always be satisfied"


def test_nothing_is_found_where_nothing_is() -> None:
    assert secrets_search.in_bytes([SECRET], iter([b"p4ss", b"word", b""])) == set()


def test_seeded_values_are_those_of_every_secret_without_the_user_names() -> None:
    found = {(secret.name, secret.value) for secret in secrets_search.seeded(_SecretsManager())}
    assert found == {("key", "k" * 50), ("login (password)", "hidden")}, "a login's user name stands in the code"


class _SecretsManager:
    values = {"key": "k" * 50, "login": json.dumps({"username": "pactum_app", "password": "hidden"})}  # noqa: RUF012

    def get_paginator(self, _: str) -> _SecretsManager:
        return self

    def paginate(self) -> list[dict[str, Any]]:
        return [{"SecretList": [{"Name": name, "ARN": name} for name in self.values]}]

    def get_secret_value(self, *, SecretId: str) -> dict[str, str]:  # noqa: N803 - boto3's name
        return {"SecretString": self.values[SecretId]}


@pytest.fixture
def application() -> Iterator[tuple[int, list[int]]]:
    """A server on loopback that answers with the given statuses, the last one for ever."""
    statuses = [200]

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status = statuses[0] if len(statuses) == 1 else statuses.pop(0)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Tests are quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server.server_address[1], statuses
    server.shutdown()
    server.server_close()
    thread.join(5)


def test_a_page_that_breaks_fails_its_check(application: tuple[int, list[int]]) -> None:
    application[1][:] = [503]
    live = smoke.Live(stack="dev", url="http://b.example", release="sha256:0", cluster="c", service="web")
    place = Place(gateway_port=application[0])
    found = smoke.run({"home": lambda: smoke.page_answers(place, live), "fine": lambda: None}, lambda _: None)
    assert found["fine"] == "ok"
    assert found["home"].startswith("/ answered 503"), "a failed check says what it found"


def test_the_report_holds_what_pipelines_read(tmp_path: Path) -> None:
    report = Report(stack="staging", ok=True, url="http://x", digest="sha256:0", changed=0, smoke={"home_page": "ok"})
    report.write(tmp_path / "new" / "report.json", [Phase(name="up", seconds=12.3, ok=True)])
    content = json.loads((tmp_path / "new" / "report.json").read_text())
    expected = {"ok", "stack", "url", "digest", "resources", "declared", "changed", "phases", "smoke", "error"}
    assert expected <= content.keys()
    assert content["phases"] == [{"name": "up", "seconds": 12.3}]
    assert "sha256:0" in report.rows([])["digest"]


def test_a_failed_rehearsal_writes_its_report_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise RehearsalError("there is no engine", remedy="start one")

    monkeypatch.setenv("REHEARSAL_GATEWAY_PORT", "1")
    monkeypatch.setattr(Place, "report", property(lambda _: tmp_path / "report.json"))
    monkeypatch.setattr("rehearsal.docker_engine.ensure", refuse)
    assert command_line.main(["staging"]) == 1, "a failed rehearsal ends non-zero"
    content = json.loads((tmp_path / "report.json").read_text())
    assert (content["ok"], content["error"]) == (False, "there is no engine\n  What to do: start one")
    assert "rehearsal: there is no engine\n  What to do: start one" in capsys.readouterr().err


def test_an_unknown_stack_is_answered_with_the_stacks_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["production"]) == 1
    assert "Choose one of: prod, staging" in capsys.readouterr().err


def test_of_a_failing_applications_log_its_errors_are_shown() -> None:
    good = [json.dumps({"level": "INFO", "message": str(number)}) for number in range(5)]
    bad = json.dumps({"level": "ERROR", "message": "boom", "exception": "Traceback ..."})
    assert smoke.last_errors([*good, bad, *good]) == [bad], "the cause must not be taken away with the containers"
    assert smoke.last_errors(good) == good[-3:], "a log without errors still says what was asked"


def test_a_release_that_cannot_be_built_is_told_before_anything_is_deployed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line.main(["staging", "--then", str(tmp_path)]) == 1
    told = capsys.readouterr()
    assert f"There is no Dockerfile in {tmp_path}." in told.err
    assert "Docker engine" not in told.out, "nothing was started for it"
