"""How a statement's table is found, and what an account's locks keep others from."""

from __future__ import annotations

import pytest

from ops.pipeline.migration_account import account_of, subject
from tests.migration_accounts import TABLE, account


@pytest.mark.parametrize(
    ("statement", "table"),
    [
        ('ALTER TABLE "shop_order" ADD COLUMN "x" integer', "shop_order"),
        ("alter table only Shop_Order add column x integer", "shop_order"),
        ('ALTER TABLE "public"."Shop ""order" DROP COLUMN "x"', 'Shop "order'),
        ('SET CONSTRAINTS "c" IMMEDIATE; ALTER TABLE "shop_order" DROP CONSTRAINT "c"', "shop_order"),
        ('CREATE UNIQUE INDEX CONCURRENTLY "i" ON "shop_order" ("x")', "shop_order"),
        ("UPDATE shop_order SET x = 1", "shop_order"),
        ("DELETE FROM ONLY shop_order", "shop_order"),
        ('DROP INDEX "shop_order"', ""),
        ("-- ALTER TABLE shop_order\nSELECT 1", ""),
    ],
)
def test_a_statement_is_about_the_table_that_it_names_first(statement: str, table: str) -> None:
    assert subject(statement) == table


@pytest.mark.parametrize(
    ("modes", "blocked"),
    [
        (["AccessExclusiveLock", "ShareLock"], "read or write"),
        (["ExclusiveLock"], "write to"),
        (["ShareRowExclusiveLock"], "write to"),
        (["ShareLock"], "write to"),
        (["ShareUpdateExclusiveLock", "RowExclusiveLock", "AccessShareLock"], ""),
    ],
)
def test_a_lock_keeps_others_from_what_postgresql_documents(modes: list[str], blocked: str) -> None:
    assert account_of(account(locks={TABLE: modes})).blocks(TABLE) == blocked


def test_a_table_that_was_there_is_not_new_though_one_of_its_name_is_made() -> None:
    sql = ["CREATE TABLE shop_order (id int)"]
    assert account_of(account(sql=sql, locks={})).is_about_a_new_table("ALTER TABLE shop_order ADD x int")
    assert not account_of(account(sql=sql)).is_about_a_new_table("ALTER TABLE shop_order ADD x int")
