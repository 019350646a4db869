"""What the contract asks of the pages that users see, through a balancer and over HTTPS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehearsal.contract.about_web import OVER_HTTPS, SETTINGS, TOPIC, asked
from rehearsal.contract.requirement import MissingError, Requirement

if TYPE_CHECKING:
    from rehearsal.contract.trial import Trial

FIRST_BAD_STATUS, BAD_REQUEST = 500, 400


def page(trial: Trial) -> None:
    web = trial.needing(trial.serving)
    answer = asked(web, trial.terms.page, headers=OVER_HTTPS)
    if answer.status >= FIRST_BAD_STATUS:
        raise MissingError(f"{trial.terms.page} was answered {answer.status}{web.told()}")
    if answer.status == BAD_REQUEST:
        raise MissingError(f"{trial.terms.page} was answered 400 to a host name that ALLOWED_HOSTS has")
    location = answer.headers.get("location", "")
    if location.startswith("https://") and location.partition("://")[2].partition("/")[2] == trial.terms.page[1:]:
        raise MissingError("A user who is on HTTPS is sent to HTTPS again and again: X-Forwarded-Proto is not read")


def https(trial: Trial) -> None:
    web = trial.needing(trial.serving)
    plain = asked(web, trial.terms.page)
    if not plain.headers.get("location", "").startswith("https://"):
        raise MissingError(f"HTTPS=true, but {trial.terms.page} over plain HTTP was answered {plain.status}")
    if "strict-transport-security" not in asked(web, trial.terms.page, headers=OVER_HTTPS).headers:
        raise MissingError("HTTPS=true, but answers carry no Strict-Transport-Security")


def foreign_host(trial: Trial) -> None:
    answer = asked(trial.needing(trial.serving), trial.terms.page, host="foreign.example", headers=OVER_HTTPS)
    if answer.status != BAD_REQUEST:
        raise MissingError(f"{trial.terms.page} under a host name of somebody else's was answered {answer.status}")


REQUIREMENTS = [
    Requirement(topic=TOPIC, name="answers a page without a 5xx", remedy="The log says why not.", check=page),
    Requirement(
        topic=TOPIC,
        name="HTTPS=true: sends users to https, and tells browsers to stay there",
        remedy=SETTINGS,
        check=https,
    ),
    Requirement(
        topic=TOPIC,
        name="answers only under host names that ALLOWED_HOSTS has",
        remedy="Set ALLOWED_HOSTS from the environment: " + SETTINGS,
        check=foreign_host,
    ),
]
