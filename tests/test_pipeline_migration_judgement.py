"""What a migration means, all of it, and when there is nothing to say."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from ops.errors import CannotAct
from ops.pipeline.migration_judgement import risks
from tests.migration_accounts import ADD_COLUMN, TABLE, account, change, code, operation, run_sql, words

PLAIN, BESIDE = 'CREATE INDEX "{}" ON "shop_order" ("x")', 'CREATE INDEX CONCURRENTLY "{}" ON "shop_order" ("x")'


def indexes(*statements: str, built: tuple[str, ...] = ("i",), **more: Any) -> str:
    changes = [change("index", name=name) for name in built]
    about = {"sql": list(statements), "atomic": False, "locks": None, **more}
    return words(risks(account(changes=changes, operations=[], **about)))


def test_a_migration_that_only_adds_a_column_or_a_table_has_no_risks() -> None:
    assert risks(account()) == []
    made = ['CREATE TABLE "shop_note" ("id" bigint NOT NULL PRIMARY KEY)', 'CREATE INDEX "n" ON "shop_note" ("id")']
    key = 'ALTER TABLE "shop_note" ADD CONSTRAINT "f" FOREIGN KEY ("o") REFERENCES "shop_order" ("id")'
    sql = [*made, f"{key} DEFERRABLE INITIALLY DEFERRED"]
    locks = {TABLE: ["ShareRowExclusiveLock"]}
    assert risks(account(operations=[operation("models.CreateModel")], sql=sql, locks=locks)) == []


def test_the_statement_that_does_it_is_shown() -> None:
    sql = [ADD_COLUMN, 'ALTER TABLE "shop_order" DROP COLUMN "state" CASCADE']
    assert risks(account(changes=[change("column_gone")], sql=sql))[0].statement == sql[1]
    sql = ['DROP INDEX CONCURRENTLY "i"', PLAIN.format("i")]
    built = {"kind": "index", "table": TABLE, "name": "i"}
    assert risks(account(changes=[built], sql=sql))[0].statement == sql[1], "it is the index that is built"


def test_an_index_that_is_built_beside_writers_is_no_risk() -> None:
    assert "not one transaction" in indexes(BESIDE.format("i"))
    assert "nobody can" not in indexes(BESIDE.format("i"))
    assert "nobody can" not in indexes("CREATE INDEX CONCURRENTLY i ON shop_order (x)")


@pytest.mark.parametrize(
    "statements",
    [
        pytest.param([BESIDE.format("i_long"), PLAIN.format("i")], id="another's name begins alike"),
        pytest.param(['DROP INDEX CONCURRENTLY IF EXISTS "i"', PLAIN.format("i")], id="dropped concurrently only"),
        pytest.param([BESIDE.format("i"), 'DROP INDEX "i"', PLAIN.format("i")], id="built twice"),
        pytest.param([f"-- CONCURRENTLY\n{PLAIN.format('i')}"], id="in a comment"),
        pytest.param([f"{BESIDE.format('k')}; {PLAIN.format('i')}"], id="beside another in one text"),
        pytest.param([], id="by a statement that nobody took down"),
    ],
)
def test_an_index_that_blocks_writers_is_never_taken_for_a_concurrent_one(statements: list[str]) -> None:
    assert "nobody can write to shop_order while the index i is built" in indexes(*statements)


def test_a_unique_index_beside_users_keeps_nobody_out_but_may_fail() -> None:
    sql = ['CREATE UNIQUE INDEX CONCURRENTLY "i" ON "shop_order" ("x")']
    said = words(risks(account(changes=[change("unique")], sql=sql, atomic=False, locks=None, operations=[])))
    assert "alike make the migration fail and leave i behind" in said
    assert "nobody can" not in said


def test_indexes_of_a_table_that_is_written_anew_are_no_risks_of_their_own() -> None:
    assert len(risks(account(changes=[change("rewritten"), change("index")]))) == 1


def test_a_table_that_was_emptied_is_not_called_written_anew() -> None:
    for statement in ("TRUNCATE shop_order", 'truncate table "shop_order" cascade'):
        said = words(risks(account(changes=[change("rewritten")], sql=[statement], operations=[run_sql(statement)])))
        assert "all rows of shop_order are gone" in said
        assert "written anew as a whole" not in said
    other = words(risks(account(changes=[change("rewritten")], sql=["TRUNCATE shop_order_line"])))
    assert "written anew as a whole" in other


def test_a_lock_of_a_moment_is_held_for_as_long_as_the_rest_takes() -> None:
    held = "nobody can read or write shop_order until the migration ends, and in the same transaction"
    both = {TABLE: ["AccessExclusiveLock", "RowExclusiveLock"]}
    assert f"{held} code goes over rows" in words(risks(account(operations=[code()])))
    assert f"{held} rows are changed" in words(risks(account(locks=both)))
    assert f"{held} SQL of its own runs" in words(risks(account(operations=[run_sql("LOCK TABLE shop_order")])))
    other = {**both, "shop_user": ["ShareRowExclusiveLock"]}
    built = risks(account(changes=[change("index")], locks={**other, TABLE: ["AccessExclusiveLock", "ShareLock"]}))
    assert "nobody can write to shop_user until the migration ends" in words(built), "a key's other table, too"
    assert held not in words(built), "of the index's own table it was said with the index"
    assert all(risk.breaks for risk in built)


def test_code_alone_keeps_nobody_out() -> None:
    (alone,) = risks(account(operations=[code()], locks={TABLE: ["RowExclusiveLock"]}, sql=[]))
    assert not alone.breaks
    assert "nobody else can change the rows" in alone.what


def test_outside_a_transaction_code_holds_no_rows() -> None:
    said = words(risks(account(operations=[code()], atomic=False, locks=None, sql=[])))
    assert "its code goes over rows" in said
    assert "nobody else can change" not in said


def test_rows_that_an_operation_of_django_changes_are_told() -> None:
    said = words(risks(account(locks={TABLE: ["RowExclusiveLock"]}, operations=[operation("fields.AlterField")])))
    assert "rows of shop_order are changed" in said


def test_what_cannot_be_undone_is_to_be_known() -> None:
    (found,) = risks(account(undoable=False, why="the values of shop.Order.state are gone"))
    assert "the values of shop.Order.state are gone" in found.what
    assert not found.breaks


def test_of_a_failure_without_rows_nobody_says_that_it_fails_with_them() -> None:
    (found,) = risks(account(error="DoesNotExist: no order", locks=None, sql=[]))
    assert "tried on tables without rows: DoesNotExist: no order" in found.what
    assert "With the stack's rows it may pass" in found.remedy


def test_squawk_tells_what_nobody_could_see_happen() -> None:
    for sql in (
        'ALTER TABLE "shop_order" ADD CONSTRAINT "c" CHECK ("x" > 1)',
        "ALTER TABLE shop_order ADD CHECK (x > 1)",
    ):
        assert "squawk" in words(risks(account(sql=[sql])))
        for kind in ("constraint", "exclusion", "constraint_not_valid"):
            assert "squawk" not in words(risks(account(sql=[sql], changes=[change(kind)]))), "it would be told twice"
        made = ["CREATE TABLE shop_order (id int)", sql]
        assert risks(account(sql=made, locks={})) == [], "a table that this migration made has no rows"
        in_one = f"CREATE TABLE shop_note (id int); {sql}"
        assert "squawk" in words(risks(account(sql=[in_one]))), "it begins with a new table, and goes on with another"


def test_squawks_taste_is_not_shown() -> None:
    assert risks(account(sql=[ADD_COLUMN])) == []


def test_a_statement_that_squawk_cannot_read_is_told_and_hides_no_other() -> None:
    said = words(
        risks(account(sql=["SELEC nonsense ((", 'ALTER TABLE "shop_order" ADD CONSTRAINT "c" CHECK ("x" > 1)']))
    )
    assert "squawk could not read a statement" in said
    assert "squawk: By default new constraints require a table scan" in said


def test_without_squawk_nothing_is_said_to_be_harmless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(CannotAct, match="cannot be asked"):
        risks(account())
