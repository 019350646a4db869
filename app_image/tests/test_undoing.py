"""Which migrations can be undone: a rollback across one that cannot must be refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import migrations, models
from django.db.migrations.state import ProjectState
from django.test import SimpleTestCase

from deployment.undoing import describe, judge

if TYPE_CHECKING:
    from deployment.undoing import Applied

RunPython, RunSQL = migrations.RunPython, migrations.RunSQL
GOES_BACK = "goes back without restoring what it changed"


def change(apps: object, _: object) -> None:
    """Change something, as a data migration does."""
    raise AssertionError(apps)


def nothing(*_: object) -> None:
    """Do nothing, as the reverse of a data migration may."""


class OwnRunPython(RunPython):
    """As projects write it."""


class OwnOperation(migrations.operations.base.Operation):
    """An operation of a package, which says of itself that it has a way back."""

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Change nothing that Django knows of."""


def migration(*operations: migrations.operations.base.Operation) -> migrations.Migration:
    made = migrations.Migration("0002_change", "agreements")
    made.operations = list(operations)
    return made


def before() -> ProjectState:
    fields = [
        ("id", models.AutoField(primary_key=True)),
        ("title", models.CharField(max_length=10)),
        ("price", models.DecimalField(max_digits=12, decimal_places=4)),
        ("note", models.TextField(null=True)),
        ("size", models.IntegerField(default=0)),
        ("party", models.ForeignKey("agreements.Party", models.CASCADE)),
    ]
    state = ProjectState()
    for name, columns in {"Party": fields[:1], "Agreement": fields}.items():
        migrations.CreateModel(name, columns).state_forwards("agreements", state)
    return state


def judged(*operations: migrations.operations.base.Operation) -> Applied:
    return judge(migration(*operations), before())


def altered(name: str, field: models.Field) -> str:
    return judged(migrations.AlterField("Agreement", name, field)).why


class Undoing(SimpleTestCase):
    def test_what_only_adds_can_be_undone(self) -> None:
        adding = migrations.AddField("Agreement", "note", models.TextField(default=""))
        found = judged(adding, migrations.CreateModel("Note", [("id", models.AutoField(primary_key=True))]))
        self.assertEqual((found.name, found.undoable, found.why), ("agreements.0002_change", True, ""))

    def test_what_django_cannot_reverse_cannot_be_undone(self) -> None:
        for operation in (RunSQL("UPDATE x SET y = 1"), RunPython(change)):
            found = judged(operation)
            self.assertFalse(found.undoable)
            self.assertEqual(found.why, f"{type(operation).__name__} has no way back")

    def test_a_migration_of_data_with_a_way_back_can_be_undone(self) -> None:
        self.assertTrue(judged(RunPython(change, change)).undoable)
        self.assertTrue(judged(RunSQL("UPDATE x SET y = y + 1", "UPDATE x SET y = y - 1")).undoable)
        self.assertTrue(judged(RunPython(nothing, RunPython.noop), RunSQL("", RunSQL.noop)).undoable, "nothing is done")

    def test_a_way_back_that_does_nothing_restores_nothing(self) -> None:
        for back in (RunPython.noop, nothing, lambda *_: None):
            self.assertEqual(judged(RunPython(change, back)).why, f"RunPython {GOES_BACK}")
        self.assertEqual(judged(OwnRunPython(change, RunPython.noop)).why, f"OwnRunPython {GOES_BACK}")
        for text in (RunSQL.noop, [], "SELECT 1;", "-- no way"):
            self.assertEqual(judged(RunSQL("UPDATE x SET y = 1", text)).why, f"RunSQL {GOES_BACK}")
        self.assertIn(GOES_BACK, judged(RunSQL([("UPDATE x SET y = %s", [1])], RunSQL.noop)).why)

    def test_statements_that_take_rows_away_are_named_whatever_stands_as_their_way_back(self) -> None:
        for sql, words in {
            "DELETE FROM x": "DELETE FROM",
            "SELECT 1; truncate x": "truncate",
            "ALTER TABLE x DROP COLUMN y": "DROP COLUMN",
            'ALTER TABLE x DROP "y"': 'DROP "y',
            "DROP TABLE x": "DROP TABLE",
        }.items():
            self.assertEqual(judged(RunSQL(sql, "CREATE TABLE x ()")).why, f"what RunSQL takes away ({words}) is gone")
        for sql in (
            "DROP INDEX i",
            "ALTER TABLE x ALTER y DROP NOT NULL",
            "-- DELETE FROM x\nCOMMENT ON TABLE x IS 'a'",
        ):
            self.assertTrue(judged(RunSQL(sql, "CREATE INDEX i ON x (y)")).undoable, sql)

    def test_values_that_may_have_been_cut_are_named(self) -> None:
        lost = "the values of agreements.Agreement.{} may have been cut, rounded or put into another form"
        self.assertEqual(altered("price", models.DecimalField(max_digits=12, decimal_places=2)), lost.format("price"))
        self.assertEqual(altered("title", models.CharField(max_length=3)), lost.format("title"))
        self.assertEqual(altered("note", models.CharField(max_length=3, null=True)), lost.format("note"))
        self.assertEqual(altered("party", models.IntegerField()), lost.format("party"))

    def test_a_column_that_holds_all_it_held_can_be_undone(self) -> None:
        self.assertEqual(altered("price", models.DecimalField(max_digits=14, decimal_places=4)), "")
        self.assertEqual(altered("title", models.CharField(max_length=20)), "")
        self.assertEqual(altered("size", models.BigIntegerField(default=0)), "")
        self.assertEqual(altered("party", models.ForeignKey("agreements.party", models.PROTECT)), "")

    def test_which_rows_had_no_value_is_not_known_after_they_were_given_one(self) -> None:
        self.assertIn("which rows had no agreements.Agreement.note", altered("note", models.TextField(default="")))
        self.assertEqual(altered("note", models.TextField()), "", "without a default it fails where one has none")

    def test_a_field_is_judged_by_what_the_operations_before_it_have_made_of_it(self) -> None:
        longer = migrations.AlterField("Agreement", "title", models.CharField(max_length=99))
        shorter = migrations.AlterField("Agreement", "title", models.CharField(max_length=20))
        self.assertIn("Agreement.title may have been cut", judged(longer, shorter).why)
        in_two = describe([migration(longer), migration(shorter)], before())
        self.assertEqual([each["undoable"] for each in in_two], [True, False])
        apart = migrations.SeparateDatabaseAndState(database_operations=[longer, shorter])
        self.assertIn("Agreement.title may have been cut", judged(apart).why)

    def test_what_a_package_brings_is_not_known(self) -> None:
        self.assertIn(
            "what OwnOperation does, and whether its way back restores it, is not known", judged(OwnOperation()).why
        )

    def test_what_drops_data_cannot_be_undone_though_django_could_restore_the_column(self) -> None:
        found = judged(migrations.RemoveField("Agreement", "title"), migrations.DeleteModel("Party"))
        self.assertFalse(found.undoable)
        self.assertEqual(
            found.why, "the values of agreements.Agreement.title are gone; the rows of agreements.Party are gone"
        )

    def test_only_what_reaches_the_database_counts(self) -> None:
        removal = migrations.RemoveField("Agreement", "title")
        state_only = migrations.SeparateDatabaseAndState(state_operations=[removal])
        both = migrations.SeparateDatabaseAndState(database_operations=[removal], state_operations=[removal])
        self.assertTrue(judged(state_only).undoable)
        self.assertFalse(judged(both).undoable)
