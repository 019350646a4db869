"""The one database connection: who connects, how TLS is checked, the pool, and how long a request waits at most.

gunicorn's threads have no time limit for a request, so these limits are what gives a thread back when it waits for the
database. Together they keep one wait at 10 s, the time the balancer gives a target that leaves:

- for a connection: 5 s (the pool's `timeout`); each attempt to make one: 3 s (`connect_timeout`);
- for an answer: 8 s (`statement_timeout`, set on the app's role), kept by the database;
- for an answer of a database that hangs: 10 s (`BoundedConnection`), kept here;
- for a host that is gone: 10 s (`tcp_user_timeout`, keepalives), kept by the kernel.

A request that asks often may take the sum. The migration has none of the app's limits: it may take long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deployment.bounded_connection import BoundedConnection

if TYPE_CHECKING:
    from deployment.environment import Database

# Ends a connection whose other side has silently gone (a failover, a lost host): when idle within 25 s, with a question
# under way within 10 s.
DEAD_PEER_OPTIONS = {
    "connect_timeout": 3,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


def connection_settings(database: Database) -> dict[str, Any]:
    """Return Django's settings for the database.

    A process that is given the master login, which only the migration is, connects with it and without a pool: it
    needs one session that keeps its lock. Everything else connects as the app, through the pool.
    """
    login = database.master_login or database.login
    options: dict[str, Any] = {**DEAD_PEER_OPTIONS, "sslmode": database.sslmode, "application_name": "django"}
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
        # The pool tests a connection before it hands it out (`BoundedConnection.execute`), so a database failover costs
        # no failed request.
        "CONN_HEALTH_CHECKS": True,
    }


def pool_options(pool_max: int) -> dict[str, Any]:
    """Return psycopg_pool's options; times are seconds."""
    return {
        "connection_class": BoundedConnection,
        "min_size": 1,
        "max_size": pool_max,
        # A request waits this long for a free connection before it fails.
        "timeout": 5,
        # An attempt to connect is repeated ever more rarely, and nothing else is tried meanwhile. Giving up early, and
        # beginning anew with the next request, finds the database within seconds of its return, not minutes.
        "reconnect_timeout": 5,
        "max_idle": 300,
        # Connections are renewed in turn, so that none outlives a failover or a changed role setting for long.
        "max_lifetime": 1800,
    }
