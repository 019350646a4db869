"""The app's login in PostgreSQL: made and kept by the migration, with rights on data and none on structure.

Runs as RDS' master user, which is no superuser: everything here works with CREATEROLE and ownership of the database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg import sql

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.backends.utils import CursorWrapper

    from deployment.environment import Login

SCHEMA = "public"
ROLE_SETTINGS = {
    # A page that asks longer than this is broken; better an error in the log than all threads waiting.
    "statement_timeout": "8s",
    "idle_in_transaction_session_timeout": "60s",
}
DATA_RIGHTS = (
    (sql.SQL("SELECT, INSERT, UPDATE, DELETE"), sql.SQL("TABLES")),
    (sql.SQL("USAGE, SELECT"), sql.SQL("SEQUENCES")),
)


class RoleUnsafe(Exception):  # noqa: N818 - it is an answer, not a fault
    """The app's login may do more than it should, in a way this program cannot or must not take away."""


def ensure_app_role(connection: BaseDatabaseWrapper, login: Login) -> str:
    """Create the app's login or set its password, and give it its rights; return "created" or "updated".

    Also sets the rights on tables that later migrations of this master user will make. Raises `RoleUnsafe`.
    """
    with connection.cursor() as cursor:
        result = _create_or_alter(cursor, login, _verifier(connection, login))
        role = sql.Identifier(login.user)
        for name, value in ROLE_SETTINGS.items():
            _run(cursor, "ALTER ROLE {} SET {} = {}", role, sql.Identifier(name), sql.Literal(value))
        _grant_data_rights(cursor, role)
        _check(cursor, login.user)
    return result


def _verifier(connection: BaseDatabaseWrapper, login: Login) -> str:
    """Return what PostgreSQL stores instead of the password, so that the server's own log can never show it."""
    verifier: bytes = connection.connection.pgconn.encrypt_password(
        login.password.encode(), login.user.encode(), b"scram-sha-256"
    )
    return verifier.decode()


def _create_or_alter(cursor: CursorWrapper, login: Login, verifier: str) -> str:
    cursor.execute("SELECT current_user = %s, to_regrole(quote_ident(%s)) IS NOT NULL", [login.user, login.user])
    is_master, exists = cursor.fetchone()
    if is_master:
        raise RoleUnsafe(
            f"DATABASE_USER and DATABASE_MASTER_USER are both {login.user!r}: the app needs its own login."
        )
    statement = "ALTER ROLE {} LOGIN PASSWORD {}" if exists else "CREATE ROLE {} LOGIN PASSWORD {}"
    _run(cursor, statement, sql.Identifier(login.user), sql.Literal(verifier))
    return "updated" if exists else "created"


def _grant_data_rights(cursor: CursorWrapper, role: sql.Identifier) -> None:
    schema = sql.Identifier(SCHEMA)
    cursor.execute("SELECT current_database()")
    _run(cursor, "GRANT CONNECT ON DATABASE {} TO {}", sql.Identifier(cursor.fetchone()[0]), role)
    # PostgreSQL 14 and older let everybody create tables in "public".
    _run(cursor, "REVOKE CREATE ON SCHEMA {} FROM PUBLIC", schema)
    _run(cursor, "REVOKE CREATE ON SCHEMA {} FROM {}", schema, role)
    _run(cursor, "GRANT USAGE ON SCHEMA {} TO {}", schema, role)
    for rights, kind in DATA_RIGHTS:
        _run(cursor, "GRANT {} ON ALL {} IN SCHEMA {} TO {}", rights, kind, schema, role)
        _run(cursor, "ALTER DEFAULT PRIVILEGES IN SCHEMA {} GRANT {} ON {} TO {}", schema, rights, kind, role)


def _check(cursor: CursorWrapper, user: str) -> None:
    cursor.execute(
        "SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls,"
        " has_schema_privilege(rolname, %s, 'CREATE'), has_database_privilege(rolname, current_database(), 'CREATE')"
        " FROM pg_roles WHERE rolname = %s",
        [SCHEMA, user],
    )
    privileged, creates_tables, creates_schemas = cursor.fetchone()
    if privileged or creates_tables or creates_schemas:
        raise RoleUnsafe(
            f"The app's login {user!r} has rights beyond data (a role attribute, CREATE on schema {SCHEMA} or on the"
            " database, perhaps through another role). Take them away, or use another DATABASE_USER."
        )


def _run(cursor: CursorWrapper, statement: str, *parts: Any) -> None:  # noqa: ANN401 - any composable
    cursor.execute(sql.SQL(statement).format(*parts))
