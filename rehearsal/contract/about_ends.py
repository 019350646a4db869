"""What the contract asks of the web process in bad moments: a database that hangs, SIGTERM, idle connections."""

from __future__ import annotations

import http.client
import time
from typing import TYPE_CHECKING

from infra.times_settings import HEALTH_TIMEOUT_SECONDS
from rehearsal.contract.about_web import OVER_HTTPS, UNAVAILABLE, asked, ready_or_untried, wait_until_ready
from rehearsal.contract.container import OK, ask
from rehearsal.contract.requirement import MissingError, Requirement, UntriedError
from rehearsal.contract.terms import HOST
from rehearsal.contract.trial import Users

if TYPE_CHECKING:
    from rehearsal.contract.container import Container
    from rehearsal.contract.trial import Trial

TOPIC = "Bad moments"
FILL_SECONDS = 0.7
# Readiness may stand in line behind users, several to a thread where one process got most of them.
QUEUE_SECONDS = 60.0
HANG_SECONDS = 2.0
KILLED_BY_TERM, KILLED = 143, 137


def hanging_database(trial: Trial) -> None:
    web = ready_or_untried(trial)
    users = Users(container=web)
    with trial.ground.hanging():
        # More than it has threads, however they are spread over its processes.
        size = trial.terms.serving
        users.ask([trial.terms.page] * (size.processes * size.threads + size.threads), OVER_HTTPS)
        time.sleep(FILL_SECONDS)
        waiting = len(users.waiting())
        started = time.monotonic()
        try:
            health = web.get(trial.application.health_path, seconds=HEALTH_TIMEOUT_SECONDS).status
        except (OSError, http.client.HTTPException):
            health = 0
        took = time.monotonic() - started
        readiness = asked(web, trial.application.readiness_path, seconds=QUEUE_SECONDS).status
    users.leave(30)
    if health != OK:
        told = f"was answered {health}" if health else f"was not answered within {HEALTH_TIMEOUT_SECONDS} s"
        raise MissingError(
            f"While {waiting} requests waited for the database, {trial.application.health_path} {told} ({took:.1f} s)"
        )
    if readiness != UNAVAILABLE:
        raise MissingError(f"While the database hung, {trial.application.readiness_path} was answered {readiness}")


def recovers(trial: Trial) -> None:
    web = ready_or_untried(trial)
    answer = wait_until_ready(trial, web)
    if answer.status != OK:
        raise MissingError(
            f"Seconds after the database came back, readiness is still {answer.status}: {answer.body[:120]}"
        )
    status = asked(web, trial.terms.page, headers=OVER_HTTPS).status
    if status >= UNAVAILABLE:
        raise MissingError(f"Seconds after the database came back, {trial.terms.page} is answered {status}")


def ends_without_database(trial: Trial) -> None:
    web = trial.needing(trial.alone)
    asked(web, trial.application.readiness_path)
    _signal(web)
    _judge_end(trial, web)


def finishes_requests(trial: Trial) -> None:
    web = trial.needing(trial.serving)
    users = Users(container=web)
    with trial.ground.hanging():
        users.ask([*[trial.terms.page] * 3, trial.application.readiness_path], OVER_HTTPS)
        time.sleep(FILL_SECONDS)
        in_flight = users.waiting()
        _signal(web)
        time.sleep(HANG_SECONDS)
    users.leave(30)
    _judge_end(trial, web)
    lost = [users.lost[number] for number in in_flight if number in users.lost]
    if lost:
        raise MissingError(f"{len(lost)} of {len(in_flight)} requests in flight got no answer: {lost[0]}")
    if not in_flight:
        raise UntriedError(
            "it ended well, but no request took long enough to be in flight; name a page that asks the"
            " database (--page)"
        )


def _signal(web: Container) -> None:
    web.ground.docker.run("kill", "--signal", "TERM", web.id)


def _judge_end(trial: Trial, web: Container) -> None:
    seconds = trial.terms.times.stop_seconds
    code = web.end(seconds)
    if code is None:
        raise MissingError(f"It still ran {seconds} s after SIGTERM, when ECS kills it{web.told()}")
    if code in (KILLED, KILLED_BY_TERM):
        raise MissingError(f"SIGTERM killed it (exit code {code}): nobody took the signal for an order to finish")
    if code:
        raise MissingError(f"After SIGTERM it ended with exit code {code}{web.told()}")


def keeps_idle_connections(trial: Trial) -> None:
    balancer_seconds = trial.terms.times.balancer_idle_seconds
    idle_seconds = balancer_seconds + 1
    if not trial.thorough:
        raise UntriedError(f"it takes {idle_seconds} s: ask for it with --thorough (THOROUGH=1)")
    web = trial.needing(trial.elsewhere)
    connection = http.client.HTTPConnection("127.0.0.1", web.published(), timeout=15)
    try:
        for pause in (idle_seconds, 0):
            ask(connection, trial.application.health_path, {"Host": HOST, "Connection": "keep-alive"})
            time.sleep(pause)
            if connection.sock is None:
                raise MissingError("It closes a connection after its answer, although it was asked to keep it")
    except (OSError, http.client.HTTPException) as error:
        raise MissingError(
            f"A connection that was idle for {idle_seconds} s was closed; the balancer, which keeps them for"
            f" {balancer_seconds} s, would have sent a request on it: {type(error).__name__}"
        ) from error
    finally:
        connection.close()


REQUIREMENTS = [
    Requirement(
        topic=TOPIC,
        name=f"the database hangs: health is answered within {HEALTH_TIMEOUT_SECONDS} s, readiness 503",
        remedy="Health must ask no database and wait for no thread that does; deployment.gunicorn_config keeps threads"
        " free for it.",
        check=hanging_database,
    ),
    Requirement(
        topic=TOPIC,
        name="the database comes back: so does the application, by itself",
        remedy="Check connections before they are used (CONN_HEALTH_CHECKS, or the pool's), and give up on dead ones.",
        check=recovers,
    ),
    Requirement(
        topic=TOPIC,
        name="idle connections are kept longer than the balancer keeps them",
        remedy="gunicorn: keepalive = KEEP_ALIVE_SECONDS, with a worker class that keeps connections (gthread).",
        check=keeps_idle_connections,
    ),
    Requirement(
        topic=TOPIC,
        name="SIGTERM while there is no database: ends before ECS kills it, exit code 0",
        remedy="Handle SIGTERM, and let no background thread or pool keep the process alive.",
        check=ends_without_database,
    ),
    Requirement(
        topic=TOPIC,
        name="SIGTERM: requests in flight are finished, then it ends before ECS kills it, with exit code 0",
        remedy="Let the server be process 1 (a command as a list, no shell, no runserver), and give requests in flight"
        " GRACEFUL_SECONDS (gunicorn: graceful_timeout).",
        check=finishes_requests,
    ),
]
