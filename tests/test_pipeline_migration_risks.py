"""What a migration means to users, told from what it did to tables, and from its statements by squawk."""

from __future__ import annotations

from typing import Any

import pytest

from ops.pipeline.migration_plan import understood
from ops.pipeline.migration_risks import Risk, risks

TABLE = "shop_order"


def account(**changes: Any) -> dict[str, Any]:
    blank = {"name": "shop.0002_change", "undoable": True, "why": "", "atomic": True, "code": [], "sql": []}
    return {**blank, "changes": [], "locks": {TABLE: ["AccessExclusiveLock"]}, "error": "", **changes}


def change(kind: str, **about: str) -> dict[str, str]:
    return {"kind": kind, "table": TABLE, "column": "state", "to": "status", "was": "integer", "name": "i", **about}


def words(found: list[Risk]) -> str:
    return "\n".join(f"{risk.what} / {risk.remedy}" for risk in found)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("table_gone", "still uses table shop_order"),
        ("table_renamed", "does not find it"),
        ("column_gone", "still reads and writes shop_order.state"),
        ("column_renamed", "which is called status then"),
        ("column_required", "it can add no rows"),
        ("not_null", "must have a value now"),
        ("type_changed", "from integer to status"),
        ("rewritten", "written anew as a whole"),
        ("index", "nobody can write to shop_order while the index i is built"),
        ("unique", "that are alike make the migration fail"),
        ("constraint", "are checked against i"),
    ],
)
def test_each_kind_of_change_is_told_with_what_users_see_and_what_to_do(kind: str, said: str) -> None:
    (found,) = risks(account(changes=[change(kind)]))
    assert said in found.what
    assert found.remedy
    assert found.breaks


def test_a_migration_that_only_adds_a_table_has_no_risks() -> None:
    made = 'CREATE TABLE "shop_note" ("id" bigint NOT NULL PRIMARY KEY)'
    assert risks(account(sql=[made, 'CREATE INDEX "n" ON "shop_note" ("id")'], locks={})) == []


def test_the_statement_that_does_it_is_shown() -> None:
    sql = ['ALTER TABLE "shop_order" ADD COLUMN "x" int NULL', 'ALTER TABLE "shop_order" DROP COLUMN "state" CASCADE']
    assert risks(account(changes=[change("column_gone")], sql=sql))[0].statement == sql[1]


def test_an_index_that_is_built_beside_writers_is_no_risk() -> None:
    sql = ['CREATE INDEX CONCURRENTLY "i" ON "shop_order" ("x")']
    (found,) = risks(account(changes=[change("index")], sql=sql, atomic=False, locks=None))
    assert not found.breaks, "only that it is no transaction is to be known"
    assert "not one transaction" in found.what


def test_indexes_of_a_table_that_is_written_anew_are_no_risks_of_their_own() -> None:
    assert len(risks(account(changes=[change("rewritten"), change("index")]))) == 1


def test_code_beside_a_changed_schema_keeps_users_out_for_as_long_as_it_runs() -> None:
    found = risks(account(code=["RunPython"]))
    assert [risk.breaks for risk in found] == [True, False]
    assert "nobody can use shop_order while code goes over rows" in found[0].what
    (alone,) = risks(account(code=["RunPython"], locks={TABLE: ["RowExclusiveLock"]}))
    assert not alone.breaks


def test_what_cannot_be_undone_is_to_be_known() -> None:
    (found,) = risks(account(undoable=False, why="the values of shop.Order.state are gone"))
    assert "the values of shop.Order.state are gone" in found.what
    assert not found.breaks


def test_squawk_tells_what_nobody_could_see_happen() -> None:
    sql = ['ALTER TABLE "shop_order" ADD CONSTRAINT "c" CHECK ("x" > 1)']
    assert "squawk" in words(risks(account(sql=sql)))
    assert "squawk" not in words(risks(account(sql=sql, changes=[change("constraint")]))), "it would be told twice"
    assert risks(account(sql=sql, locks={})) == [], "a table that this migration made has no rows"


def test_squawks_taste_is_not_shown() -> None:
    assert risks(account(sql=['ALTER TABLE "shop_order" ADD COLUMN "x" integer NULL'])) == []


def test_a_migration_that_fails_on_a_copy_would_end_the_deployment() -> None:
    plan = understood(
        {"migration_plan": [account(error="ProgrammingError: no")], "untried": ["a.0003"], "looked": True}
    )
    assert plan.fails
    assert plan.untried == ("a.0003",)
    assert "ProgrammingError: no" in words(list(plan.risks))


def test_before_the_first_deployment_nobody_waits_and_nothing_breaks() -> None:
    plan = understood({"migration_plan": [account(undoable=False, code=["RunPython"])], "looked": True}, first=True)
    assert plan.risks == ()
    assert not plan.fails


def test_where_only_names_are_known_what_cannot_be_undone_is_still_told() -> None:
    bare = {"name": "shop.0002", "undoable": False, "why": "RunSQL has no way back"}
    plan = understood({"migration_plan": [bare], "looked": False})
    assert not plan.looked
    assert "RunSQL has no way back" in words(list(plan.risks))
