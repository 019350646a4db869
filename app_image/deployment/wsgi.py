"""What the server serves: the project whose settings DJANGO_SETTINGS_MODULE names, whole before anybody is served."""

import logging
import sys

from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.urls import get_resolver

from deployment.apps import close_pools

try:
    application = get_wsgi_application()
    # Django would import the views with the first request: in every process anew, and a release whose views cannot be
    # imported would be healthy.
    get_resolver().url_patterns  # noqa: B018 - reading it is what imports them
except Exception:
    logging.getLogger(__name__).critical("The project cannot start.", exc_info=True)
    sys.exit(1)

# The server forks now. A connection would be written to by two processes, and a pool's threads stay behind.
connections.close_all()
close_pools()
