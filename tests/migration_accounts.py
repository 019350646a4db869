"""What an image tells of a migration (`manage.py migration_plan`), for tests of what is made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ops.pipeline.migration_risks import Risk

TABLE = "shop_order"
DJANGO = "django.db.migrations.operations"
ADD_COLUMN = 'ALTER TABLE "shop_order" ADD COLUMN "x" integer NULL'


def account(**changes: Any) -> dict[str, Any]:
    """One migration that adds a column, and nothing else."""
    blank: dict[str, Any] = {"name": "shop.0002_change", "undoable": True, "why": "", "atomic": True, "error": ""}
    made = {"operations": [operation("fields.AddField")], "sql": [ADD_COLUMN], "changes": []}
    return {**blank, **made, "locks": {TABLE: ["AccessExclusiveLock"]}, **changes}


def operation(name: str, **more: Any) -> dict[str, Any]:
    """One of Django's operations."""
    return {"type": f"{DJANGO}.{name}", "parts": [], "runs_code": False, **more}


def code() -> dict[str, Any]:
    """One that runs code of its own."""
    return operation("special.RunPython", runs_code=True)


def run_sql(*statements: str) -> dict[str, Any]:
    """One of SQL that somebody wrote."""
    return operation("special.RunSQL", sql=list(statements))


def change(kind: str, **about: str) -> dict[str, str]:
    """One change to a table that was there."""
    return {"kind": kind, "table": TABLE, "column": "state", "to": "status", "was": "integer", "name": "i", **about}


def words(found: list[Risk]) -> str:
    """All that is told, as one text."""
    return "\n".join(f"{risk.what} / {risk.remedy}" for risk in found)
