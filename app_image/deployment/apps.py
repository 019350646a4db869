"""What surrounds the app's life in production: roles and migrations before it, the end of its pool after it."""

import atexit

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.signals import request_started
from django.db import connections
from django.template.autoreload import reset_loaders

from deployment.last_words import log_last_words
from deployment.slow_statements import watch_statements


class DeploymentConfig(AppConfig):
    """The command `migrate_safely`, what is logged besides requests, and a clean end of every process; no models."""

    name = "deployment"

    def ready(self) -> None:
        """Close the pool before Python ends: left to its finaliser, psycopg waits 5 s for each of its four threads."""
        atexit.register(close_pools)
        if settings.ENVIRONMENT.database.master_login is None:
            watch_statements()
        if apps.is_installed("django.contrib.auth"):
            from deployment.admin_login import log_logins  # noqa: PLC0415 - a project without users has no such signals

            log_logins()
        if settings.ENVIRONMENT.development:
            request_started.connect(read_templates_anew, dispatch_uid="deployment.read_templates_anew")
        else:
            log_last_words()


def read_templates_anew(**_: object) -> None:
    """Forget the templates read so far: a developer who edits one sees it at the next request."""
    reset_loaders()


def close_pools() -> None:
    """Close the pools of this process; one that is not open is left alone."""
    for connection in connections.all():
        # PostgreSQL's has one; in an image's build there is no database.
        if hasattr(connection, "close_pool"):
            connection.close_pool()
