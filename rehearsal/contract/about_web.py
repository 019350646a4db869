"""What the contract asks of the web process: starting, health, readiness, TLS to the database."""

from __future__ import annotations

import http.client
import json
import time
from typing import TYPE_CHECKING

from rehearsal.contract.container import OK, NotStartedError
from rehearsal.contract.requirement import MissingError, Requirement, UntriedError
from rehearsal.contract.terms import APP_USER, RELEASE

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehearsal.contract.container import Answer, Container
    from rehearsal.contract.trial import Trial

TOPIC = "The web process"
UNAVAILABLE = 503
HTTP_1_1 = 11
READY_SECONDS = 15.0
BY_ADDRESS = "10.0.0.9"
# What the balancer adds for a user who came over HTTPS.
OVER_HTTPS = {"X-Forwarded-Proto": "https"}
SETTINGS = (
    "take over deployment.settings at the end of settings.py, and wrap MIDDLEWARE in deployed(...), as the last section"
    " of docs/app-contract.md shows."
)
UNENCRYPTED = f"""
SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = '{APP_USER}' AND NOT ssl
"""  # noqa: S608 - a name of ours


def starts(trial: Trial) -> None:
    _or_missing(trial.alone)
    if trial.unhardened:
        raise MissingError(
            f"{trial.unhardened}\nWith a writable root, all capabilities and as the image's own user it does start:"
            f" so it is tried below"
        )


def healthy(trial: Trial) -> None:
    answer = asked(trial.needing(trial.alone), trial.application.health_path)
    if answer.status != OK:
        raise MissingError(f"Without any database, {trial.application.health_path} was answered {answer.status}")


def other_port(trial: Trial) -> None:
    trial.needing(trial.alone)
    _or_missing(trial.elsewhere)


def _or_missing(web: Callable[[], Container]) -> Container:
    try:
        return web()
    except NotStartedError as error:
        raise MissingError(str(error)) from error


def asked(container: Container, path: str, **options: object) -> Answer:
    """One answer. MissingError when there is none."""
    try:
        return container.get(path, **options)  # type: ignore[arg-type]
    except (OSError, http.client.HTTPException) as error:
        raise MissingError(f"{path} was not answered: {type(error).__name__} {error}{container.told()}") from error


def _short(answer: Answer) -> str:
    return " ".join(answer.body.split())[:100]


def http_1_1(trial: Trial) -> None:
    answer = asked(trial.needing(trial.alone), trial.application.health_path)
    if answer.version != HTTP_1_1:
        raise MissingError("It answers in HTTP/1.0, so the balancer opens a connection for every request")


def by_address(trial: Trial) -> None:
    """Health, like readiness, whoever is asked for: over plain HTTP, although users come over HTTPS."""
    for path, expected in (
        (trial.application.health_path, {OK}),
        (trial.application.readiness_path, {OK, UNAVAILABLE}),
    ):
        answer = asked(trial.needing(trial.alone), path, host=BY_ADDRESS)
        if answer.status not in expected:
            raise MissingError(f"{path} with `Host: {BY_ADDRESS}` was answered {answer.status}: {_short(answer)}")


def not_ready_without_database(trial: Trial) -> None:
    answer = asked(trial.needing(trial.alone), trial.application.readiness_path)
    if answer.status != UNAVAILABLE:
        raise MissingError(f"Without a database, {trial.application.readiness_path} was answered {answer.status}")


def not_ready_without_migrations(trial: Trial) -> None:
    if trial.migration().code != 0:
        raise UntriedError("the migration fails, see above: there is no login to ask with")
    answer = asked(trial.needing(trial.unmigrated), trial.application.readiness_path)
    if answer.status != UNAVAILABLE:
        raise MissingError(f"On an empty database, {trial.application.readiness_path} was answered {answer.status}")


def ready(trial: Trial) -> None:
    web = trial.needing(trial.serving)
    answer = wait_until_ready(trial, web)
    if answer.status == UNAVAILABLE and trial.migration().code != 0:
        raise UntriedError("the migration fails, see above")
    if answer.status != OK:
        raise MissingError(
            f"{trial.application.readiness_path} is answered {answer.status}: {_short(answer)}{web.told()}"
        )
    try:
        release = json.loads(answer.body)["release"]
    except (ValueError, KeyError, TypeError):
        raise MissingError(
            f'{trial.application.readiness_path} answers no JSON with "release": {answer.body[:80]}'
        ) from None
    if release != RELEASE:
        raise MissingError(f"{trial.application.readiness_path} answers release {release!r}, RELEASE was {RELEASE!r}")


def wait_until_ready(trial: Trial, web: Container) -> Answer:
    """The first answer that is not "not yet", or the last that is. MissingError when there is none at all."""
    deadline = time.monotonic() + READY_SECONDS
    while (
        answer := asked(web, trial.application.readiness_path)
    ).status == UNAVAILABLE and time.monotonic() < deadline:
        time.sleep(0.3)
    return answer


def ready_or_untried(trial: Trial) -> Container:
    """The web process that serves. UntriedError where it is not ready."""
    try:
        ready(trial)
    except MissingError as missing:
        raise UntriedError("it never gets ready, see above") from missing
    return trial.serving()


def starts_in_time(trial: Trial) -> None:
    """Nobody waits for the ones that are started first; for this one somebody does."""
    took, most = trial.needing(trial.serving).answered_after_seconds, trial.terms.times.start_seconds
    if took > most:
        raise MissingError(f"It took {took:.0f} s until it answered; the stack file's startSeconds is {most}")


def verified_tls(trial: Trial) -> None:
    web = ready_or_untried(trial)
    if trial.ground.sql(UNENCRYPTED) != "0":
        raise MissingError("It talks to the database without TLS, although DATABASE_SSLMODE is verify-full")
    answer = asked(trial.needing(trial.elsewhere), trial.application.readiness_path)
    if answer.status == OK:
        raise MissingError("It talks to a database whose certificate has another name")
    asked(web, trial.application.readiness_path)


REQUIREMENTS = [
    Requirement(
        topic=TOPIC,
        name="starts as uid 10001, with a read-only root and no capabilities, without any database",
        remedy="The log says why not. Write nowhere but to /tmp and /dev/shm, listen on 0.0.0.0 and $PORT, and ask no"
        f" database at start. With app_image/deployment/: {SETTINGS}",
        check=starts,
    ),
    Requirement(topic=TOPIC, name="answers the health path 200 without any database", remedy=SETTINGS, check=healthy),
    Requirement(
        topic=TOPIC,
        name="listens where PORT says",
        remedy="Read PORT: gunicorn --config python:deployment.gunicorn_config does; or set the stack file's `port`.",
        check=other_port,
    ),
    Requirement(topic=TOPIC, name="speaks HTTP/1.1", remedy="Serve with gunicorn, not with runserver.", check=http_1_1),
    Requirement(
        topic=TOPIC,
        name="answers health and readiness whatever the Host header, over plain HTTP",
        remedy="Answer them before ALLOWED_HOSTS and the redirect to https: " + SETTINGS,
        check=by_address,
    ),
    Requirement(
        topic=TOPIC, name="is not ready (503) without a database", remedy=SETTINGS, check=not_ready_without_database
    ),
    Requirement(
        topic=TOPIC,
        name="is not ready (503) as long as migrations lack",
        remedy=SETTINGS,
        check=not_ready_without_migrations,
    ),
    Requirement(
        topic=TOPIC,
        name="is ready (200, with RELEASE) after the migration, without the master's login",
        remedy='Answer {"status": "ok", "release": "..."} with what RELEASE says: ' + SETTINGS,
        check=ready,
    ),
    Requirement(
        topic=TOPIC,
        name="answers within startSeconds of its start",
        remedy="Raise startSeconds to what the slowest start takes on Fargate, and healthGraceSeconds with it; or start"
        " faster.",
        check=starts_in_time,
        advice=True,
    ),
    Requirement(
        topic=TOPIC,
        name="checks the database's certificate and its name",
        remedy="Pass DATABASE_SSLMODE and DATABASE_SSLROOTCERT on: " + SETTINGS,
        check=verified_tls,
    ),
]
