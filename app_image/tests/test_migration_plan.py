"""`migration_plan` against a real PostgreSQL: an app whose first migration made tables, and those after it tried."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from deployment.management.commands.migration_plan import MARK
from tests.test_migrate_safely import APP, DATABASE, ENVIRONMENT, FreshDatabase

HEAD = """from django.db import migrations, models


def fill(apps, _):
    apps.get_model('trial', 'Order').objects.count()


"""
FIRST = """
migrations.CreateModel("Order", [
    ("id", models.BigAutoField(primary_key=True)), ("state", models.CharField(max_length=10)),
    ("note", models.TextField(null=True)), ("size", models.IntegerField(default=0)),
]),
migrations.CreateModel("Line", [("id", models.BigAutoField(primary_key=True)), ("name", models.TextField())]),
"""


class Plan(FreshDatabase):
    """Each test writes an app `trial`, whose first migration the database has."""

    def setUp(self) -> None:
        super().setUp()
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.place = Path(scratch.name)
        (self.place / "trial" / "migrations").mkdir(parents=True)
        (self.place / "trial" / "__init__.py").touch()
        (self.place / "trial" / "migrations" / "__init__.py").touch()
        (self.place / "trial_settings.py").write_text(
            "from pactum.settings import *\nINSTALLED_APPS = [*INSTALLED_APPS, 'trial']\n"
        )
        self.write(1, FIRST)
        code, output = self.manage("migrate", "--verbosity", "0")
        self.assertEqual(code, 0, output)
        self.server.execute(f"COMMENT ON DATABASE {DATABASE} IS '{MARK}'")

    def write(self, number: int, operations: str, rest: str = "") -> None:
        before = f"('trial', 'm{number - 1}')" if number > 1 else ""
        text = f"{HEAD}class Migration(migrations.Migration):\n    dependencies = [{before}]\n{rest}"
        (self.place / "trial" / "migrations" / f"m{number}.py").write_text(f"{text}    operations = [{operations}]\n")

    def manage(self, *arguments: str) -> tuple[int, str]:
        environment = {"DJANGO_SETTINGS_MODULE": "trial_settings", "PYTHONPATH": f"{self.place}:{APP}"}
        done = subprocess.run(
            ["python", "manage.py", *arguments], cwd=APP, env=os.environ | ENVIRONMENT | environment,
            text=True, capture_output=True, check=False, timeout=100,
        )  # fmt: skip
        return done.returncode, done.stdout if arguments[0] == "migration_plan" else done.stdout + done.stderr

    def plan(self) -> list[dict[str, Any]]:
        code, output = self.manage("migration_plan")
        self.assertEqual(code, 0, output)
        self.told = json.loads(output.splitlines()[-1])
        return self.told["migration_plan"]

    def tried(self, operations: str, rest: str = "") -> dict[str, Any]:
        self.write(2, operations, rest)
        (account,) = self.plan()
        self.assertEqual(account["error"], "")
        return account

    def kinds(self, account: dict[str, Any]) -> list[tuple[str, str, str]]:
        return [(each["kind"], each["table"], each.get("column", "")) for each in account["changes"]]


class WhatIsTold(Plan):
    def test_a_database_that_lacks_nothing_has_an_empty_plan(self) -> None:
        self.assertEqual(self.plan(), [])

    def test_what_only_adds_changes_nothing_that_was_there(self) -> None:
        account = self.tried(
            "migrations.AddField('Order', 'extra', models.TextField(null=True)),"
            "migrations.CreateModel('Other', [('id', models.BigAutoField(primary_key=True))])"
        )
        self.assertEqual((account["name"], account["undoable"], account["atomic"]), ("trial.m2", True, True))
        self.assertEqual(account["changes"], [])
        self.assertEqual(account["locks"], {"trial_order": ["AccessExclusiveLock"]})
        self.assertIn('ALTER TABLE "trial_order" ADD COLUMN "extra" text NULL', account["sql"])

    def test_what_the_old_release_would_miss_is_told(self) -> None:
        account = self.tried(
            "migrations.RemoveField('Order', 'state'), migrations.RenameField('Order', 'note', 'remark'),"
            "migrations.DeleteModel('Line')"
        )
        self.assertEqual(
            self.kinds(account),
            [
                ("table_gone", "trial_line", ""),
                ("column_gone", "trial_order", "state"),
                ("column_renamed", "trial_order", "note"),
            ],
        )
        self.assertFalse(account["undoable"])
        self.assertIn("AccessExclusiveLock", account["locks"]["trial_line"], "a table that is gone had its lock, too")

    def test_a_renamed_table_is_told(self) -> None:
        self.assertEqual(
            self.kinds(self.tried("migrations.RenameModel('Line', 'Row')")), [("table_renamed", "trial_line", "")]
        )

    def test_a_column_that_the_old_release_does_not_fill_is_told(self) -> None:
        account = self.tried("migrations.AddField('Order', 'kind', models.TextField(default='x'))")
        self.assertEqual(self.kinds(account), [("column_required", "trial_order", "kind")])

    def test_a_column_with_a_default_in_the_database_is_none_of_them(self) -> None:
        account = self.tried("migrations.AddField('Order', 'kind', models.TextField(db_default='x'))")
        self.assertEqual(account["changes"], [])

    def test_a_column_that_must_have_a_value_from_now_on_is_told(self) -> None:
        account = self.tried("migrations.AlterField('Order', 'note', models.TextField(default=''))")
        self.assertIn(("not_null", "trial_order", "note"), self.kinds(account))

    def test_a_table_that_is_written_anew_is_told_and_a_longer_text_is_none(self) -> None:
        account = self.tried("migrations.AlterField('Order', 'size', models.BigIntegerField(default=0))")
        self.assertEqual(
            self.kinds(account)[:2], [("rewritten", "trial_order", ""), ("type_changed", "trial_order", "size")]
        )
        self.write(3, "migrations.AlterField('Order', 'state', models.CharField(max_length=20))")
        self.assertNotIn("rewritten", str(self.plan()))

    def test_indexes_and_constraints_of_tables_that_are_there_are_told(self) -> None:
        account = self.tried(
            "migrations.AddIndex('Order', models.Index(fields=['state'], name='by_state')),"
            "migrations.AddConstraint('Order', models.CheckConstraint(condition=models.Q(size__gt=-1), name='c')),"
            "migrations.AddConstraint('Line', models.UniqueConstraint(fields=['name'], name='u')),"
            "migrations.AddField('Line', 'order', models.ForeignKey('trial.Order', models.CASCADE, null=True))"
        )
        found = {(each["kind"], each.get("name", "")) for each in account["changes"]}
        self.assertLessEqual({("index", "by_state"), ("constraint", "c"), ("unique", "u")}, found)
        self.assertIn(
            "trial_order", [each.get("other") for each in account["changes"]], "of a foreign key both tables count"
        )
        self.assertIn("ShareLock", account["locks"]["trial_order"])

    def test_what_it_consists_of_is_told(self) -> None:
        account = self.tried("migrations.RunPython(fill), migrations.RunSQL('SELECT 1')")
        self.assertEqual(
            [(each["type"].rpartition(".")[2], each["runs_code"]) for each in account["operations"]],
            [("RunPython", True), ("RunSQL", False)],
        )
        self.assertEqual(account["operations"][1]["sql"], ["SELECT 1"])
        self.assertFalse(account["undoable"])

    def test_outside_a_transaction_nobody_can_look_at_locks(self) -> None:
        account = self.tried(
            "AddIndexConcurrently('Order', models.Index(fields=['state'], name='by_state'))",
            "    from django.contrib.postgres.operations import AddIndexConcurrently\n    atomic = False\n",
        )
        self.assertEqual((account["atomic"], account["locks"]), (False, None))
        self.assertIn("CONCURRENTLY", account["sql"][0])

    def test_the_first_that_fails_is_the_last_and_the_others_are_named(self) -> None:
        self.write(2, "migrations.AddField('Order', 'x', models.TextField(null=True))")
        self.write(3, "migrations.RunSQL('ALTER TABLE nowhere ADD COLUMN x int')")
        self.write(4, "migrations.AddField('Order', 'y', models.TextField(null=True))")
        names = [each["name"] for each in self.plan()]
        self.assertEqual(names, ["trial.m2", "trial.m3"])
        self.assertIn('relation "nowhere" does not exist', self.told["migration_plan"][1]["error"])
        self.assertEqual(self.told["untried"], ["trial.m4"])

    def test_migrations_that_were_squashed_and_applied_are_not_in_the_plan(self) -> None:
        self.write(2, "migrations.AddField('Order', 'x', models.TextField(null=True))")
        self.assertEqual(self.manage("migrate", "--verbosity", "0")[0], 0)
        replaced = "    replaces = [('trial', 'm1'), ('trial', 'm2')]\n"
        body = f"    dependencies = []\n{replaced}    operations = [{FIRST}]\n"
        text = f"{HEAD}class Migration(migrations.Migration):\n{body}"
        (self.place / "trial" / "migrations" / "squashed.py").write_text(text)
        self.assertEqual(self.plan(), [])


class WhatDjangoRefuses(Plan):
    """`migrate` asks for these before its first migration; what it only carries out, does not."""

    def test_a_migration_put_before_one_that_is_applied_is_refused_and_not_tried(self) -> None:
        self.write(2, "migrations.AddField('Order', 'x', models.TextField(null=True))")
        self.assertEqual(self.manage("migrate", "--verbosity", "0")[0], 0)
        self.write(3, "migrations.AddField('Line', 'y', models.TextField(null=True))")
        migrations = self.place / "trial" / "migrations"
        (migrations / "m3.py").write_text((migrations / "m3.py").read_text().replace("'m2'", "'m1'"))
        (migrations / "m2.py").write_text((migrations / "m2.py").read_text().replace("'m1'", "'m3'"))
        self.assertEqual(self.plan(), [])
        self.assertIn("trial.m2 is applied before its dependency trial.m3", self.told["refused"])
        self.assertNotEqual(self.manage("migrate")[0], 0, "only what Django refuses may be told as refused")

    def test_two_that_both_are_the_last_are_refused(self) -> None:
        self.write(2, "migrations.AddField('Order', 'x', models.TextField(null=True))")
        migrations = self.place / "trial" / "migrations"
        (migrations / "m2b.py").write_text((migrations / "m2.py").read_text().replace("'x'", "'y'"))
        self.assertEqual(self.plan(), [])
        self.assertIn("trial ends in m2 and in m2b", self.told["refused"])
        self.assertNotEqual(self.manage("migrate")[0], 0, "only what Django refuses may be told as refused")

    def test_what_it_does_not_refuse_is_told_so(self) -> None:
        self.plan()
        self.assertEqual(self.told["refused"], "")


class WhereItIsRun(Plan):
    def test_a_database_that_nobody_has_marked_is_left_as_it_is(self) -> None:
        self.server.execute(f"COMMENT ON DATABASE {DATABASE} IS NULL")
        self.write(2, "migrations.DeleteModel('Line')")
        code, _ = self.manage("migration_plan")
        self.assertEqual(code, 1)
        self.assertEqual(self.master().execute("SELECT count(*) FROM trial_line").fetchone(), (0,), "it was migrated")
