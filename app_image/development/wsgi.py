"""What the development server serves: the project, or why it cannot be served."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

logger = logging.getLogger(__name__)


def application_or_reason() -> Callable[..., Iterable[bytes]]:
    """Return the project's application; where an error keeps it from starting, one that shows the error.

    gunicorn does that for a SyntaxError only, and ends for all others. The addresses, and so the views, are imported
    here too: Django's own page for an error in them cannot be made without them.
    """
    try:
        project = get_wsgi_application()
        get_resolver().url_patterns  # noqa: B018 - a property that imports them
    except Exception:
        logger.exception("The project cannot start. The server waits for your next edit.")
        return reason(traceback.format_exc())
    return project


def reason(text: str) -> Callable[..., Iterable[bytes]]:
    """Return an application that answers every request with the text."""

    def application(_: dict[str, object], start_response: Callable[..., object]) -> Iterable[bytes]:
        start_response("500 Internal Server Error", [("Content-Type", "text/plain; charset=utf-8")])
        return [text.encode()]

    return application


application = application_or_reason()
