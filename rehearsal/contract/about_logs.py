"""What the contract asks of logs, and of what stands in them."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from rehearsal.contract.about_web import OVER_HTTPS, asked
from rehearsal.contract.container import NotStartedError
from rehearsal.contract.requirement import MissingError, Requirement, UntriedError
from rehearsal.contract.terms import RELEASE
from rehearsal.secrets_search import Secret

if TYPE_CHECKING:
    from rehearsal.contract.container import Container
    from rehearsal.contract.trial import Trial

TOPIC = "Logs and secrets"
ALWAYS = ("timestamp", "level", "logger", "message", "release")
OF_A_REQUEST = ("request_id", "method", "path", "status", "duration_ms")
LINE_SECONDS = 5.0
LOGGING = "LOGGING and the request's line come with app_image/deployment/: `deployed(...)` around MIDDLEWARE, and no"
LOGGING += " LOGGING of the project's own."


def _line(trial: Trial, web: Container) -> dict[str, Any] | None:
    """The line of the request that carried our trace id; asks it first. None when there is none."""
    headers = {**OVER_HTTPS, "X-Amzn-Trace-Id": f"Root={trial.trace}"}
    asked(web, f"{trial.terms.page}?token={trial.marker}", headers=headers)
    deadline = time.monotonic() + LINE_SECONDS
    while time.monotonic() < deadline:
        for line in _parsed(web.output()[0]):
            if isinstance(line, dict) and line.get("request_id") == trial.trace and "status" in line:
                return line
        time.sleep(0.2)
    return None


def _parsed(output: str) -> list[object]:
    """Each line as JSON; None for one that is none."""
    found: list[object] = []
    for line in output.splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            found.append(None)
    return found


def json_lines(trial: Trial) -> None:
    web = trial.spoken()
    stdout, stderr = web.output()
    if stderr.strip():
        raise MissingError(f"It writes to standard error: {stderr.strip().splitlines()[-1][:120]}")
    lines = _parsed(stdout)
    if not lines:
        raise MissingError("It logged nothing at all")
    for text, line in zip(stdout.splitlines(), lines, strict=True):
        if not isinstance(line, dict):
            raise MissingError(f"A line is no JSON object: {text[:120]}")
        lacking = [name for name in ALWAYS if name not in line]
        if lacking:
            raise MissingError(f"A line lacks {', '.join(lacking)}: {text[:160]}")
        if line["release"] != RELEASE:
            raise MissingError(f"A line has release {line['release']!r}, RELEASE was {RELEASE!r}")


def request_lines(trial: Trial) -> None:
    line = _line(trial, trial.needing(trial.serving))
    if line is None:
        raise MissingError("No line has the request_id that came in X-Amzn-Trace-Id")
    lacking = [name for name in OF_A_REQUEST if name not in line]
    if lacking:
        raise MissingError(f"The request's line lacks {', '.join(lacking)}")
    if line["path"] != trial.terms.page:
        raise MissingError(f"The line of a request for {trial.terms.page} has path {line['path']!r}")


def request_id(trial: Trial) -> None:
    web = trial.needing(trial.serving)
    headers = {**OVER_HTTPS, "X-Amzn-Trace-Id": f"Root={trial.trace}"}
    answered = asked(web, trial.terms.page, headers=headers).headers.get("x-request-id", "")
    if answered != trial.trace:
        raise MissingError(f"X-Amzn-Trace-Id was Root={trial.trace}, X-Request-ID came back {answered or 'not at all'}")


def missing_variable(trial: Trial) -> None:
    try:
        ended = trial.lacking("SECRET_KEY")
    except NotStartedError as error:
        raise UntriedError(str(error)) from error
    if ended.code == 0:
        raise MissingError("Without SECRET_KEY it ends with exit code 0, as if all were well")
    if ended.code is None:
        raise MissingError("Without SECRET_KEY it runs all the same, and signs with a key that the image holds")
    if leaked := _leaked(trial, ended.stdout + ended.stderr):
        raise MissingError(f"Without SECRET_KEY it logs the value of {leaked}")


def no_secret_in_logs(trial: Trial) -> None:
    logs = trial.logs()
    if not logs.strip():
        raise UntriedError("nothing was logged")
    if leaked := _leaked(trial, logs):
        raise MissingError(f"The value of {leaked} stands in a log")


def _leaked(trial: Trial, text: str) -> str:
    written = text.encode()
    secrets = (Secret(name=name, value=value) for name, value in trial.given.secrets.items())
    return ", ".join(secret.name for secret in secrets if any(form in written for form in secret.forms()))


def no_query_string(trial: Trial) -> None:
    web = trial.needing(trial.serving)
    asked(web, f"{trial.terms.page}?token={trial.marker}", headers=OVER_HTTPS)
    asked(web, f"/there-is-no-such-page/?token={trial.marker}", headers=OVER_HTTPS)
    # Its line is written before the answer is.
    if trial.marker in web.log():
        raise MissingError("The query string of a request stands in the log, with whatever users have in it")


REQUIREMENTS = [
    Requirement(
        topic=TOPIC,
        name="every line is a JSON object on standard output, with " + ", ".join(ALWAYS),
        remedy=LOGGING,
        check=json_lines,
    ),
    Requirement(
        topic=TOPIC,
        name="a request's line has besides " + ", ".join(OF_A_REQUEST),
        remedy=LOGGING,
        check=request_lines,
    ),
    Requirement(
        topic=TOPIC,
        name="the request id is the balancer's (X-Amzn-Trace-Id), answered as X-Request-ID",
        remedy=LOGGING,
        check=request_id,
    ),
    Requirement(topic=TOPIC, name="no query string in the log", remedy=LOGGING, check=no_query_string),
    Requirement(
        topic=TOPIC,
        name="a missing variable ends it with an error, and with no secret in its words",
        remedy="Read the environment as a whole at start, name what lacks, and exit with 1; deployment.settings does.",
        check=missing_variable,
    ),
    Requirement(
        topic=TOPIC,
        name="no secret's value in any log",
        remedy="Log names, never values; no settings, no environment, no connection string.",
        check=no_secret_in_logs,
    ),
]
