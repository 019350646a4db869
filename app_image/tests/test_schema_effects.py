"""What hostile and careless migrations do, seen in a real PostgreSQL: nothing of it may look like nothing."""

from __future__ import annotations

from typing import Any

from tests.test_migration_plan import Plan

IN_POSTGRES = "    from django.contrib.postgres import operations as o\n"
PRICED = """
migrations.CreateModel("Priced", [
    ("id", models.BigAutoField(primary_key=True)), ("code", models.CharField(max_length=10, unique=True)),
    ("price", models.DecimalField(max_digits=12, decimal_places=4)),
    ("kind", models.IntegerField(null=True, db_default=3)),
    ("order", models.ForeignKey("trial.Order", models.CASCADE)),
], options={"indexes": [models.Index(fields=["price"], name="by_price")]}),
"""


class Effects(Plan):
    """The database has one table more, with an index, a unique column, a key and a default."""

    def setUp(self) -> None:
        super().setUp()
        self.write(2, PRICED)
        code, output = self.manage("migrate", "--verbosity", "0")
        self.assertEqual(code, 0, output)

    def tried(self, operations: str, rest: str = "") -> dict[str, Any]:
        self.write(3, operations, rest)
        (account,) = self.plan()
        self.assertEqual(account["error"], "")
        return account

    def changed(self, operations: str, rest: str = "") -> list[tuple[str, str, str]]:
        account = self.tried(operations, rest)
        return [(each["kind"], each["table"], each.get("name", each.get("column", ""))) for each in account["changes"]]


class Rows(Effects):
    def test_changed_rows_are_seen_by_their_locks_whatever_changed_them(self) -> None:
        account = self.tried(
            "migrations.AddField('Order', 'x', models.TextField(null=True)),"
            "migrations.RunSQL([('UPDATE trial_order SET x = %s', ['a'])], migrations.RunSQL.noop)"
        )
        self.assertEqual(account["locks"]["trial_order"], ["AccessExclusiveLock", "RowExclusiveLock"])
        self.assertEqual(account["operations"][1]["sql"], ["UPDATE trial_order SET x = %s"])

    def test_code_within_an_operation_about_the_database_alone_is_told(self) -> None:
        account = self.tried(
            "migrations.SeparateDatabaseAndState(database_operations=[type('Mine', (migrations.RunPython,), {})(fill)])"
        )
        (operation,) = account["operations"]
        self.assertTrue(operation["runs_code"])
        self.assertFalse(operation["type"].startswith("django."), "a class of its own may do anything")

    def test_an_index_of_ones_own_class_is_told(self) -> None:
        account = self.tried(
            "migrations.AddIndex('Order', type('Mine', (models.Index,), {})(fields=['state'], name='by_state'))"
        )
        self.assertEqual(len(account["operations"][0]["parts"]), 1)
        self.assertFalse(account["operations"][0]["parts"][0].startswith("django."))

    def test_a_migration_that_is_applied_in_its_own_way_is_told(self) -> None:
        own = "    def apply(self, *arguments, **more):\n        return super().apply(*arguments, **more)\n"
        account = self.tried("", own)
        self.assertTrue(account["operations"][-1]["type"].endswith(".apply"))
        self.assertTrue(account["operations"][-1]["runs_code"])


class WhatWent(Effects):
    def test_an_index_that_went_is_told(self) -> None:
        self.assertEqual(
            self.changed("migrations.RemoveIndex('Priced', 'by_price')"), [("index_gone", "trial_priced", "by_price")]
        )

    def test_uniqueness_that_went_is_told(self) -> None:
        found = self.changed("migrations.AlterField('Priced', 'code', models.CharField(max_length=10))")
        self.assertIn(("unique_gone", "trial_priced", "trial_priced_code_key"), found)

    def test_a_constraint_that_went_is_told(self) -> None:
        found = self.changed(
            "migrations.AlterField('Priced', 'order',"
            " models.ForeignKey('trial.Order', models.CASCADE, db_constraint=False))"
        )
        self.assertEqual([(kind, table) for kind, table, _ in found], [("constraint_gone", "trial_priced")])

    def test_what_went_with_its_column_is_told_once(self) -> None:
        found = self.changed("migrations.RemoveField('Priced', 'price'), migrations.RemoveField('Priced', 'order')")
        self.assertEqual({kind for kind, _, _ in found}, {"column_gone"}, found)

    def test_an_index_that_was_built_again_as_it_was_is_not_gone(self) -> None:
        index = "models.Index(fields=['price'], name='by_price')"
        found = self.changed(f"migrations.RemoveIndex('Priced', 'by_price'), migrations.AddIndex('Priced', {index})")
        self.assertEqual(found, [("index", "trial_priced", "by_price")])

    def test_a_default_that_went_is_told(self) -> None:
        found = self.changed("migrations.AlterField('Priced', 'kind', models.IntegerField(null=True))")
        self.assertEqual(found, [("default_gone", "trial_priced", "kind")])

    def test_a_table_in_another_schema_is_not_found_any_more(self) -> None:
        account = self.tried("migrations.RunSQL('CREATE SCHEMA arch; ALTER TABLE trial_line SET SCHEMA arch')")
        self.assertEqual(
            account["changes"], [{"kind": "table_renamed", "table": "trial_line", "to": "arch.trial_line"}]
        )

    def test_views_count(self) -> None:
        master = self.master()
        master.execute("CREATE VIEW seen AS SELECT id FROM trial_order")
        master.execute("CREATE MATERIALIZED VIEW kept AS SELECT id FROM trial_order")
        account = self.tried("migrations.RunSQL('DROP VIEW seen; REFRESH MATERIALIZED VIEW kept')")
        self.assertEqual(
            account["changes"], [{"kind": "view_rewritten", "table": "kept"}, {"kind": "view_gone", "table": "seen"}]
        )
        self.assertIn("AccessExclusiveLock", account["locks"]["kept"])


class WhatTheOldReleaseMeets(Effects):
    def test_a_check_of_new_rows_only_is_told(self) -> None:
        check = "models.CheckConstraint(condition=models.Q(size__gt=5), name='big')"
        self.assertEqual(
            self.changed(f"o.AddConstraintNotValid('Order', {check})", IN_POSTGRES),
            [("constraint_not_valid", "trial_order", "big")],
        )
        self.write(4, "o.ValidateConstraint('Order', 'big')", IN_POSTGRES)
        self.assertEqual([each["kind"] for each in self.plan()[0]["changes"]], ["validated"])

    def test_a_trigger_and_rules_of_rows_are_told(self) -> None:
        function = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;"
        trigger = "CREATE TRIGGER t BEFORE INSERT ON trial_order FOR EACH ROW EXECUTE FUNCTION f();"
        found = self.changed(
            f'migrations.RunSQL("{function} {trigger} ALTER TABLE trial_line ENABLE ROW LEVEL SECURITY")'
        )
        self.assertEqual(found, [("row_security", "trial_line", ""), ("trigger", "trial_order", "t")])
        self.write(4, "migrations.RunSQL('DROP TRIGGER t ON trial_order')")
        self.assertEqual([each["kind"] for each in self.plan()[0]["changes"]], ["trigger_gone"])

    def test_an_exclusion_is_no_plain_index(self) -> None:
        exclusion = "ALTER TABLE trial_line ADD CONSTRAINT apart EXCLUDE USING hash (name WITH =)"
        found = self.changed(f"migrations.RunSQL('{exclusion}')")
        self.assertEqual(found, [("exclusion", "trial_line", "apart")])

    def test_a_type_that_holds_less_is_told_as_such(self) -> None:
        smaller = "models.DecimalField(max_digits=12, decimal_places=2)"
        found = self.changed(f"migrations.AlterField('Priced', 'price', {smaller})")
        self.assertIn(("type_narrowed", "trial_priced", "price"), found)
        self.write(4, "migrations.AlterField('Priced', 'code', models.CharField(max_length=20, unique=True))")
        self.assertEqual([each["kind"] for each in self.plan()[0]["changes"]], ["type_changed"])

    def test_uniqueness_that_a_key_refers_to_is_told_as_well(self) -> None:
        unique = "ALTER TABLE trial_order ADD CONSTRAINT alike UNIQUE (note)"
        key = "ALTER TABLE trial_line ADD COLUMN note text REFERENCES trial_order (note)"
        self.assertIn(("unique", "trial_order", "alike"), self.changed(f"migrations.RunSQL('{unique}; {key}')"))

    def test_a_key_holds_the_other_table_as_well(self) -> None:
        account = self.tried(
            "migrations.AddField('Line', 'order', models.ForeignKey('trial.Order', models.CASCADE, null=True))"
        )
        self.assertIn("ShareRowExclusiveLock", account["locks"]["trial_order"])
        self.assertIn("AccessExclusiveLock", account["locks"]["trial_line"], "the index is built under it")
