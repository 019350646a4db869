"""What each kind of change means to users: in words that are true of the lock that PostgreSQL takes for it."""

from __future__ import annotations

import pytest

from ops.pipeline.migration_judgement import risks
from ops.pipeline.migration_risks import HARMLESS, LONG, MEANINGS
from tests.migration_accounts import TABLE, account, change


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("table_gone", "still uses table shop_order"),
        ("view_gone", "reads from view shop_order"),
        ("table_renamed", "which is status then, and does not find it"),
        ("row_security", "may see and write other rows"),
        ("trigger", "the trigger i acts on what the release that runs now writes"),
        ("column_gone", "still reads and writes shop_order.state"),
        ("column_renamed", "which is called status then"),
        ("column_required", "it can add no rows"),
        ("default_gone", "filled by the database no more"),
        ("not_null", "must have a value now: all rows are read while nobody can read or write"),
        ("type_changed", "from integer to status"),
        ("type_narrowed", "make the migration fail, or are cut or rounded for good"),
        ("rewritten", "written anew as a whole: nobody can read or write it"),
        ("view_rewritten", "is filled anew: nobody can read or write it"),
        ("index", "nobody can read or write shop_order while the index i is built"),
        ("index_gone", "takes as long as reading all rows"),
        ("unique", "that are alike make the migration fail"),
        ("unique_gone", "INSERT ... ON CONFLICT of the release that runs now fails"),
        ("constraint", "are checked against i while nobody can read or write it"),
        ("constraint", "the release that runs now can write no such row"),
        ("constraint_not_valid", "can write no row of shop_order that does not keep to i"),
        ("exclusion", "that overlap by i make the migration fail"),
    ],
)
def test_each_kind_of_change_is_told_with_what_users_see_and_what_to_do(kind: str, said: str) -> None:
    (found,) = risks(account(changes=[change(kind)]))
    assert said in found.what
    assert found.remedy
    assert found.breaks


@pytest.mark.parametrize("kind", sorted(HARMLESS))
def test_what_users_do_not_see_is_to_be_known_all_the_same(kind: str) -> None:
    (found,) = risks(account(changes=[change(kind)]))
    assert not found.breaks


@pytest.mark.parametrize("kind", sorted(LONG.keys() - {"validated", "foreign_key"}))
def test_what_takes_long_is_told_with_what_it_keeps_others_from(kind: str) -> None:
    assert "nobody can {blocks}" in MEANINGS[kind][0]
    (found, *_) = risks(account(changes=[change(kind)], atomic=False, locks=None))
    assert f"nobody can {LONG[kind]}" in found.what, "where locks are not known, as PostgreSQL's documentation has it"


def test_an_index_alone_lets_others_read() -> None:
    (found,) = risks(account(changes=[change("index")], locks={TABLE: ["ShareLock"]}))
    assert "nobody can write to shop_order while" in found.what


def test_both_tables_of_a_key_are_told() -> None:
    locks = {TABLE: ["AccessExclusiveLock", "ShareRowExclusiveLock"], "shop_user": ["ShareRowExclusiveLock"]}
    (found,) = risks(account(changes=[change("constraint", other="shop_user")], locks=locks))
    assert "nobody can read or write shop_order, nor write to shop_user" in found.what
    (found, _) = risks(account(changes=[change("constraint", other="shop_user")], atomic=False, locks=None))
    assert "nobody can write to shop_order, nor write to shop_user" in found.what
