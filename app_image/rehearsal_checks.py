"""What the rehearsal tries of Pactum besides what it tries of any application; it is not in the image."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING
from urllib.parse import urlencode

if TYPE_CHECKING:
    from rehearsal.application import Site
    from rehearsal.balancer_client import BalancerClient

PATHS = ("/", "/agreements/new/")
FORM = "/agreements/new/"
OK, FOUND = 200, 302


class Wrong(Exception):  # noqa: N818 - it is an answer, not a fault
    """What a check found instead of what must be there."""


def expect(met: bool, otherwise: str) -> None:
    """Say what is wrong, where something is."""
    if not met:
        raise Wrong(otherwise)


def check_home_page(site: Site) -> None:
    """The home page is a page."""
    answer = site.user().get("/")
    expect(answer.status == OK, f"the home page answered {answer.status} instead of 200")
    expect("<html" in answer.body.lower(), f"the home page is not HTML: {answer.body[:200]}")


def check_browsers_stay_with_https(site: Site) -> None:
    """Where users come over HTTPS, browsers are told to stay there, and to send no cookie on another way."""
    if not site.url.startswith("https:"):
        return
    headers = site.user().get(FORM).headers
    expect("max-age=" in headers.get("strict-transport-security", ""), "no Strict-Transport-Security is answered")
    cookie = headers.get("set-cookie", "none")
    expect("; secure" in cookie.lower(), f"the form's cookie may be sent unencrypted: {cookie.partition('=')[0]}")


def check_agreement_survives_its_task(site: Site) -> None:
    """An agreement made with the real form is still there after every task that ran was replaced."""
    path, title = _create_agreement(site.user(), site.url.rstrip("/"))
    site.replace_tasks()
    answer = site.user().get(path)
    expect(
        answer.status == OK and title in answer.body,
        f"{path} no longer shows the agreement after its task was replaced, but answers {answer.status}",
    )


def _create_agreement(user: BalancerClient, origin: str) -> tuple[str, str]:
    form = user.get(FORM)
    expect(form.status == OK, f"the form answered {form.status} instead of 200: {form.body[:200]}")
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form.body)
    if token is None:
        raise Wrong("the form for a new agreement carries no CSRF token")
    title = f"Rehearsed agreement {secrets.token_hex(4)}"
    fields = {
        "csrfmiddlewaretoken": token[1],
        "title": title,
        "parties": "Ana Lima\nBento Souza",
        "terms": "Both parties rehearse before they deploy.",
        "status": "draft",
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Referer": f"{origin}{FORM}"}
    answer = user.request("POST", FORM, headers=headers, body=urlencode(fields))
    expect(answer.status == FOUND, f"creating an agreement answered {answer.status}: {answer.body[:200]}")
    path = re.sub(r"^https?://[^/]+", "", answer.headers.get("location", ""))
    expect(title in user.get(path).body, f"{path} does not show the agreement that was just created")
    return path, title
