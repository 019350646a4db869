"""The application with two pages more: one raises, the other is slow."""  # noqa: INP001 - copied into an image

import time

from deployment.wsgi import application
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

__all__ = ["application", "urlpatterns"]


def raises(_: HttpRequest) -> HttpResponse:
    """Fail as a mistake in a view does."""
    raise RuntimeError("nobody handles this")


def slow(request: HttpRequest) -> HttpResponse:
    """Answer after so many seconds."""
    time.sleep(float(request.GET["seconds"]))
    return HttpResponse("at last\n", content_type="text/plain")


urlpatterns = [path("drill/raises", raises), path("drill/slow", slow), path("", include(settings.ROOT_URLCONF))]
settings.ROOT_URLCONF = __name__
