"""What surrounds the app's life in production: roles and migrations before it, the end of its pool after it."""

import atexit

from django.apps import AppConfig
from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper


class DeploymentConfig(AppConfig):
    """The command `migrate_safely`, and a clean end of every process; no models."""

    name = "deployment"

    def ready(self) -> None:
        """Close the pool before Python ends: left to its finaliser, psycopg waits 5 s for each of its four threads."""
        atexit.register(close_pools)


def close_pools() -> None:
    """Close the pools of this process; one that is not open is left alone."""
    for connection in connections.all():
        if isinstance(connection, DatabaseWrapper):
            connection.close_pool()
