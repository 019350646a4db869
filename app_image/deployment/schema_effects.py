"""What a migration does to tables that are there already: found by looking, before and after, never by reading SQL."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deployment.column_types import holds_all

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deployment.catalogue import Column, Schema

Change = dict[str, str]


@dataclass(kw_only=True)
class Effects:
    """What happened to tables that were there before; `locks` is None where nobody could look at them."""

    changes: list[Change] = field(default_factory=list)
    locks: dict[str, list[str]] | None = None


def compare(before: Schema, after: Schema) -> list[Change]:
    """Return what is otherwise with the tables of before: each with `kind`, `table`, and what it is about."""
    found: list[Change] = []
    for oid, table in sorted(before.tables.items(), key=lambda item: item[1].name):
        if oid not in after.tables:
            found.append(_change("view_gone" if table.is_view else "table_gone", table.name))
            continue
        found += _of_table(oid, before, after)
        found += _of_columns(oid, table.name, before, after)
        found += _of_constraints(oid, table.name, before, after)
        found += _of_indexes(oid, table.name, before, after)
        found += _of_triggers(oid, table.name, before, after)
    return found


def _of_table(oid: int, before: Schema, after: Schema) -> Iterator[Change]:
    was, now = before.tables[oid], after.tables[oid]
    if was.schema != now.schema:
        yield _change("table_renamed", was.name, to=f"{now.schema}.{now.name}")
    elif was.name != now.name:
        yield _change("table_renamed", was.name, to=now.name)
    if was.file != now.file:
        yield _change("view_rewritten" if was.is_view else "rewritten", was.name)
    if was.row_security != now.row_security:
        yield _change("row_security", was.name)


def _of_columns(oid: int, table: str, before: Schema, after: Schema) -> Iterator[Change]:
    old, new = _columns(oid, before), _columns(oid, after)
    for number in sorted(old.keys() | new.keys()):
        was, now = old.get(number), new.get(number)
        if was and not now:
            yield _change("column_gone", table, column=was.name)
        elif now and not was:
            if now.not_null and not now.fills_itself:
                yield _change("column_required", table, column=now.name)
        elif was and now:
            yield from _of_column(table, was, now)


def _of_column(table: str, was: Column, now: Column) -> Iterator[Change]:
    if was.name != now.name:
        yield _change("column_renamed", table, column=was.name, to=now.name)
    if was.type != now.type:
        kind = "type_changed" if holds_all(was.type, now.type) else "type_narrowed"
        yield _change(kind, table, column=was.name, was=was.type, to=now.type)
    fills_no_more = was.fills_itself and not now.fills_itself
    if now.not_null and not was.not_null:
        yield _change("not_null", table, column=was.name)
    elif fills_no_more:
        yield _change("column_required" if now.not_null else "default_gone", table, column=was.name)


def _of_constraints(oid: int, table: str, before: Schema, after: Schema) -> Iterator[Change]:
    old = {number: each for number, each in before.constraints.items() if each.table == oid}
    new = {number: each for number, each in after.constraints.items() if each.table == oid}
    for number, constraint in sorted(new.items()):
        if number in old:
            if constraint.validated and not old[number].validated:
                yield _change("validated", table, name=constraint.name)
        elif constraint.kind == "x":
            yield _change("exclusion", table, name=constraint.name)
        else:
            other = before.tables.get(constraint.refers_to)
            kind = "constraint" if constraint.validated else "constraint_not_valid"
            yield _change(kind, table, name=constraint.name, **({"other": other.name} if other else {}))
    stands, gone = {each.name for each in new.values()}, _gone_columns(oid, before, after)
    for number, constraint in sorted(old.items()):
        if number not in new and constraint.name not in stands and not gone & constraint.columns:
            yield _change("constraint_gone", table, name=constraint.name)


def _of_indexes(oid: int, table: str, before: Schema, after: Schema) -> Iterator[Change]:
    constraints = [*before.constraints.values(), *after.constraints.values()]
    of_exclusions = {constraint.index for constraint in constraints if constraint.kind == "x"}
    old = {number: index for number, index in before.indexes.items() if index.table == oid}
    new = {number: index for number, index in after.indexes.items() if index.table == oid}
    files = {index.file for index in old.values()}
    for number in sorted(new.keys() - old.keys() - of_exclusions):
        # A longer text gives its indexes new numbers, and builds none.
        if new[number].file in files:
            continue
        yield _change("unique" if new[number].unique else "index", table, name=new[number].name)
    # One that was built anew as it was stands; one over a column that went is no other change than that.
    stands, gone = {index.definition for index in new.values()}, _gone_columns(oid, before, after)
    for number in sorted(old.keys() - new.keys() - of_exclusions):
        index = old[number]
        if index.definition not in stands and not gone & index.columns:
            yield _change("unique_gone" if index.unique else "index_gone", table, name=index.name)


def _of_triggers(oid: int, table: str, before: Schema, after: Schema) -> Iterator[Change]:
    for number, (of, name) in after.triggers.items():
        if of == oid and number not in before.triggers:
            yield _change("trigger", table, name=name)
    for number, (of, name) in before.triggers.items():
        if of == oid and number not in after.triggers:
            yield _change("trigger_gone", table, name=name)


def _columns(oid: int, schema: Schema) -> dict[int, Column]:
    return {number: column for (of, number), column in schema.columns.items() if of == oid}


def _gone_columns(oid: int, before: Schema, after: Schema) -> set[int]:
    return _columns(oid, before).keys() - _columns(oid, after).keys()


def _change(kind: str, table: str, **about: str) -> Change:
    return {"kind": kind, "table": table, **about}
