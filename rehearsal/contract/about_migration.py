"""What the contract asks of the migration."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rehearsal.contract.requirement import MissingError, Requirement, UntriedError
from rehearsal.contract.terms import APP_USER, MASTER_USER
from rehearsal.contract.trial import MIGRATION_SECONDS, NOWHERE
from rehearsal.docker_client import last_lines

if TYPE_CHECKING:
    from rehearsal.contract.trial import Ended, Trial

TOPIC = "The migration"
KIT = "Set migrateCommand to what app_image/deployment/ brings: python manage.py migrate_safely."
FIELDS = {"name", "undoable", "why"}
# Tables outside PostgreSQL's own schemas on which the app lacks a right.
UNREADABLE = f"""
SELECT string_agg(c.oid::regclass::text, ', ') FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
AND NOT (has_table_privilege('{APP_USER}', c.oid, 'SELECT') AND has_table_privilege('{APP_USER}', c.oid, 'INSERT')
AND has_table_privilege('{APP_USER}', c.oid, 'UPDATE') AND has_table_privilege('{APP_USER}', c.oid, 'DELETE'))
"""  # noqa: S608 - a name of ours
POWERS = f"""
SELECT concat_ws(', ', CASE WHEN rolsuper THEN 'superuser' END, CASE WHEN rolcreaterole THEN 'may create roles' END,
CASE WHEN rolcreatedb THEN 'may create databases' END,
CASE WHEN pg_has_role(oid, '{MASTER_USER}', 'MEMBER') THEN 'has the master''s rights' END)
FROM pg_roles WHERE rolname = '{APP_USER}'
"""  # noqa: S608 - names of ours
TABLES = """
SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
"""


def _expect_success(ended: Ended) -> None:
    if ended.code is None:
        raise MissingError(f"It did not end within {MIGRATION_SECONDS} s{_end(ended)}")
    if ended.code:
        raise MissingError(f"It ended with exit code {ended.code}{_end(ended)}")


def _end(ended: Ended) -> str:
    lines = last_lines(ended.stdout + ended.stderr, 4)
    return f"; it said at last:\n{lines}" if lines else ""


def first(trial: Trial) -> None:
    _expect_success(trial.migration())
    if not int(trial.ground.sql(TABLES)):
        raise MissingError("It ended with exit code 0, and made no table in DATABASE_NAME")


def _needing_tables(trial: Trial) -> None:
    if trial.migration().code != 0:
        raise UntriedError("the migration fails, see above")


def second(trial: Trial) -> None:
    _needing_tables(trial)
    _expect_success(trial.migration(1))


def without_database(trial: Trial) -> None:
    ended = trial.migration(DATABASE_HOST=NOWHERE)
    if ended.code is None:
        raise UntriedError(f"it did not end within {MIGRATION_SECONDS} s{_end(ended)}")
    if ended.code == 0:
        raise MissingError("Without a database it ended with exit code 0: a deployment would go on")


def login(trial: Trial) -> None:
    _needing_tables(trial)
    if trial.ground.sql(f"SELECT rolcanlogin FROM pg_roles WHERE rolname = '{APP_USER}'") != "t":  # noqa: S608 - ours
        raise MissingError("After it, DATABASE_USER cannot log in: there is no such login")


def rights(trial: Trial) -> None:
    login_or_untried(trial)
    if powers := trial.ground.sql(POWERS):
        raise MissingError(f"DATABASE_USER has too much: {powers}")
    if lacking := trial.ground.sql(UNREADABLE):
        raise MissingError(f"DATABASE_USER may not read and write rows of {lacking}")
    if not trial.ground.refusal(APP_USER, "CREATE TABLE made_by_the_app ()"):
        trial.ground.sql("DROP TABLE made_by_the_app")
        raise MissingError("DATABASE_USER may create tables")


def login_or_untried(trial: Trial) -> None:
    try:
        login(trial)
    except MissingError as missing:
        raise UntriedError("there is no such login, see above") from missing


def account(trial: Trial) -> None:
    _needing_tables(trial)
    (applied,) = _accounts(trial.migration(0))
    if not applied:
        raise MissingError("Its first run made tables, but its line with `migrations` is an empty list")
    for each in applied:
        if not isinstance(each, dict) or not each.keys() >= FIELDS:
            raise MissingError(f"An entry of `migrations` lacks one of {', '.join(sorted(FIELDS))}: {str(each)[:100]}")
    if trial.migration(1).code == 0 and _accounts(trial.migration(1)) != [[]]:
        raise MissingError("Its second run, with nothing to apply, did not log `migrations` as an empty list")


def _accounts(ended: Ended) -> list[list[Any]]:
    lines = [parsed for line in ended.stdout.splitlines() if isinstance(parsed := _parsed(line), dict)]
    found = [line["migrations"] for line in lines if isinstance(line.get("migrations"), list)]
    if len(found) != 1:
        raise MissingError(f"It logged {len(found)} JSON lines with a list `migrations` instead of one")
    return found


def _parsed(line: str) -> object:
    try:
        parsed: object = json.loads(line)
    except ValueError:
        return None
    return parsed


REQUIREMENTS = [
    Requirement(
        topic=TOPIC,
        name="prepares an empty database as its master, over verified TLS, and ends with exit code 0",
        remedy=KIT,
        check=first,
    ),
    Requirement(topic=TOPIC, name="may be run again at will", remedy=KIT, check=second),
    Requirement(
        topic=TOPIC,
        name="ends with another exit code when there is no database",
        remedy="Let its error end the process with exit code 1; a deployment goes by nothing else.",
        check=without_database,
    ),
    Requirement(
        topic=TOPIC,
        name="makes the application's own login",
        remedy=KIT + " Or create the role DATABASE_USER with DATABASE_PASSWORD in it yourself.",
        check=login,
    ),
    Requirement(
        topic=TOPIC,
        name="gives that login rows to read and write, and no table to change",
        remedy=KIT + " Or GRANT SELECT, INSERT, UPDATE and DELETE (and default privileges), nothing more.",
        check=rights,
    ),
    Requirement(
        topic=TOPIC,
        name="logs which migrations it applied, and whether they can be undone",
        remedy=KIT + " Without this line, `ops rollback` takes the release for one that cannot be undone.",
        check=account,
    ),
]
