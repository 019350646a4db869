"""The one database connection: who connects, how TLS is checked, and the pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pactum.environment import Database

# Ends a connection whose other side has silently gone (a failover, a lost host) within about half a minute.
DEAD_PEER_OPTIONS = {
    "connect_timeout": 3,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}


def connection_settings(database: Database) -> dict[str, Any]:
    """Return Django's settings for the database.

    A process that is given the master login, which only the migration is, connects with it and without a pool: it
    needs one session that keeps its lock. Everything else connects as the app, through the pool.
    """
    login = database.master_login or database.login
    options: dict[str, Any] = {**DEAD_PEER_OPTIONS, "sslmode": database.sslmode, "application_name": "pactum"}
    if database.sslmode.startswith("verify-"):
        # Only then: with sslmode=require, libpq would verify as well once it is given a CA.
        options["sslrootcert"] = database.sslrootcert
    if database.master_login is None:
        options["pool"] = pool_options(database.pool_max)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": database.host,
        "PORT": database.port,
        "NAME": database.name,
        "USER": login.user,
        "PASSWORD": login.password,
        "OPTIONS": options,
        # The pool tests a connection before it hands it out, so a database failover costs no failed request.
        "CONN_HEALTH_CHECKS": True,
    }


def pool_options(pool_max: int) -> dict[str, Any]:
    """Return psycopg_pool's options; times are seconds."""
    return {
        "min_size": 1,
        "max_size": pool_max,
        # A request waits this long for a free connection before it fails.
        "timeout": 5,
        "max_idle": 300,
        # Connections are renewed in turn, so that none outlives a failover or a changed role setting for long.
        "max_lifetime": 1800,
    }
