"""`make contract` on an image that keeps next to nothing: each thing that lacks is named, and nothing crashes."""

from __future__ import annotations

import pytest

from rehearsal import __main__ as command_line
from rehearsal.contract import container

pytestmark = [pytest.mark.rehearsal, pytest.mark.timeout(600)]
# Of an image that `startproject` and runserver made, with a key among its files: tests/bad_image/Dockerfile.
MISSING = {
    "its user is a number, and not root's",
    "its command needs no shell, so that SIGTERM reaches the server",
    "VOLUME /tmp, mode 1777",
    "Amazon RDS' certificate authorities are in it",
    "no file that looks like a secret or a repository",
    "no secret in its variables or its history",
    "HEALTHCHECK is what the task definition runs",
    "prepares an empty database as its master, over verified TLS, and ends with exit code 0",
    "starts as uid 10001, with a read-only root and no capabilities, without any database",
    "answers the health path 200 without any database",
    "listens where PORT says",
    "answers health and readiness whatever the Host header, over plain HTTP",
    "the health command tells a healthy process from none",
    "is not ready (503) without a database",
    "is ready (200, with RELEASE) after the migration, without the master's login",
    "answers a page without a 5xx",
    "HTTPS=true: sends users to https, and tells browsers to stay there",
    "every line is a JSON object on standard output, with timestamp, level, logger, message, release",
    "a request's line has besides request_id, method, path, status, duration_ms",
    "the request id is the balancer's (X-Amzn-Trace-Id), answered as X-Request-ID",
    "no query string in the log",
    "a missing variable ends it with an error, and with no secret in its words",
    "SIGTERM while there is no database: ends before ECS kills it, exit code 0",
    "SIGTERM: requests in flight are finished, then it ends before ECS kills it, with exit code 0",
}


def test_all_that_a_strangers_image_lacks_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # It would never listen: no need to wait as long as for an image that may be good.
    monkeypatch.setattr(container, "START_SECONDS", 20.0)
    bad = ["--context", "app_image", "--dockerfile", "../tests/bad_image/Dockerfile"]
    assert command_line.main(["contract", *bad]) == 1, "a pipeline must stop"
    said = capsys.readouterr()
    assert said.err == ""
    lines = [line for line in said.out.splitlines() if line.startswith("  MISSING  ")]
    assert {line.removeprefix("  MISSING  ") for line in lines} == MISSING
    assert said.out.count("What to do: ") >= len(MISSING), "each with what to do"
    assert f"{len(MISSING)} MISSING" in said.out.splitlines()[-1]
