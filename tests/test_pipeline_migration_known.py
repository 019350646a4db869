"""Silence is a statement: it is made only of what is positively known, and of all else a person is told to read it."""

from __future__ import annotations

from typing import Any

import pytest

from ops.pipeline.migration_judgement import risks
from tests.migration_accounts import ADD_COLUMN, TABLE, account, operation, run_sql, words

READ_IT = "A person has to read it"
BRIEF = [
    ADD_COLUMN,
    """ALTER TABLE "shop_order" ADD COLUMN "x" text DEFAULT 'a;b' NOT NULL""",
    'ALTER TABLE "shop_order" ALTER COLUMN "x" DROP DEFAULT',
    'ALTER TABLE "shop_order" ALTER COLUMN "x" SET DEFAULT 3, ALTER COLUMN "x" DROP NOT NULL',
    'ALTER TABLE "shop_order" DROP CONSTRAINT "c"',
    'SET CONSTRAINTS "c" IMMEDIATE; ALTER TABLE "shop_order" DROP CONSTRAINT "c"',
    'ALTER INDEX "a" RENAME TO "b"',
    """COMMENT ON COLUMN "shop_order"."x" IS 'a'""",
]
NOT_KNOWN = [
    'ALTER TABLE "shop_order" ALTER COLUMN "x" SET NOT NULL',
    'ALTER TABLE "shop_order" ALTER COLUMN "x" SET DEFAULT 3, ALTER COLUMN "x" SET NOT NULL',
    'ALTER TABLE "shop_order" ALTER COLUMN "x" TYPE varchar(10) COLLATE "C"',
    'ALTER TABLE "shop_order" ADD COLUMN "x" integer NULL CHECK ("x" > 0)',
    'ALTER TABLE "shop_order" ADD COLUMN "x" integer GENERATED ALWAYS AS (1) STORED',
    'CREATE INDEX "i" ON "shop_order" ("x")',
    'DROP INDEX "i"; UPDATE shop_order SET x = 1',
    "VACUUM FULL shop_order",
]
WRITTEN_AND_KNOWN = [
    "COMMENT ON TABLE shop_order IS 'a'",
    "SET LOCAL lock_timeout = '2s';",
    "ALTER TABLE shop_order VALIDATE CONSTRAINT c",
]
WRITTEN = [
    "UPDATE shop_order SET x = 1",
    "DELETE FROM shop_order",
    "LOCK TABLE shop_order IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(1)",
    "SELECT pg_sleep(60)",
    "REINDEX TABLE shop_order",
    "ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'",
    "COMMENT ON TABLE shop_order IS 'a'; DELETE FROM shop_order",
    "-- CREATE INDEX CONCURRENTLY i ON shop_order (x)\nDELETE FROM shop_order",
    "CREATE EXTENSION hstore",
]


def said(**changes: Any) -> str:
    return words(risks(account(**changes)))


@pytest.mark.parametrize("statement", BRIEF)
def test_what_django_writes_and_is_over_at_once_is_known(statement: str) -> None:
    assert said(sql=[statement]) == ""


@pytest.mark.parametrize("statement", NOT_KNOWN)
def test_a_statement_whose_effect_was_not_found_is_not_known_though_django_wrote_it(statement: str) -> None:
    assert READ_IT in said(sql=[statement])


@pytest.mark.parametrize("statement", WRITTEN_AND_KNOWN)
def test_of_what_somebody_wrote_little_is_known(statement: str) -> None:
    assert said(operations=[run_sql(statement)], sql=[statement]) == ""


@pytest.mark.parametrize("statement", WRITTEN)
@pytest.mark.parametrize("locks", [{}, {TABLE: ["RowExclusiveLock"]}, {TABLE: ["AccessExclusiveLock"]}])
def test_the_rest_of_it_is_to_be_read_whatever_was_measured(statement: str, locks: dict[str, list[str]]) -> None:
    found = risks(account(operations=[run_sql(statement)], sql=[], locks=locks))
    assert READ_IT in words(found)
    assert statement in [risk.statement for risk in found]


@pytest.mark.parametrize(
    "name",
    ["shop.migrations.0002.MyRun", "django_pgtrigger.AddTrigger", "django.contrib.postgres.operations.HStoreExtension"],
)
def test_another_operation_than_djangos_own_is_not_known(name: str) -> None:
    assert f"what {name} does is not known here" in said(operations=[operation("fields.AddField") | {"type": name}])


def test_an_index_or_a_constraint_of_ones_own_class_is_not_known() -> None:
    own = operation("models.AddIndex", parts=["django.db.models.indexes.Index", "shop.indexes.Slow"])
    assert "what SQL shop.indexes.Slow makes is not known" in said(operations=[own])
    assert "django.db.models.indexes.Index makes" not in said(operations=[own])


def test_a_lock_for_which_nothing_was_found_is_told() -> None:
    assert "what it holds shop_order for (ShareLock) was not found out" in said(locks={TABLE: ["ShareLock"]})


def test_where_nobody_looked_at_locks_it_is_not_known() -> None:
    assert "which locks it holds is not known" in said(locks=None)


def test_an_image_of_before_whose_command_tells_less_is_not_believed() -> None:
    told = account()
    del told["operations"]
    (found,) = risks(told)
    assert "what it consists of is not known" in found.what
    assert "Copy `app_image/deployment/`" in found.remedy
