"""Which migrations can be undone: a rollback across one that cannot must be refused."""

from __future__ import annotations

from django.db import migrations, models
from django.test import SimpleTestCase

from deployment.undoing import judge


def nothing(*_: object) -> None:
    """Do nothing, as the reverse of a data migration may."""


def migration(*operations: migrations.operations.base.Operation) -> migrations.Migration:
    made = migrations.Migration("0002_change", "agreements")
    made.operations = list(operations)
    return made


class Undoing(SimpleTestCase):
    def test_what_only_adds_can_be_undone(self) -> None:
        adding = migrations.AddField("Agreement", "note", models.TextField(default=""))
        found = judge(migration(adding, migrations.CreateModel("Note", [("id", models.AutoField(primary_key=True))])))
        self.assertEqual((found.name, found.undoable, found.why), ("agreements.0002_change", True, ""))

    def test_what_django_cannot_reverse_cannot_be_undone(self) -> None:
        for operation in (migrations.RunSQL("SELECT 1"), migrations.RunPython(nothing)):
            found = judge(migration(operation))
            self.assertFalse(found.undoable)
            self.assertEqual(found.why, f"{type(operation).__name__} has no way back")

    def test_a_migration_of_data_with_a_way_back_can_be_undone(self) -> None:
        self.assertTrue(judge(migration(migrations.RunPython(nothing, nothing))).undoable)
        self.assertTrue(judge(migration(migrations.RunSQL("SELECT 1", migrations.RunSQL.noop))).undoable)

    def test_what_drops_data_cannot_be_undone_though_django_could_restore_the_column(self) -> None:
        found = judge(migration(migrations.RemoveField("Agreement", "title"), migrations.DeleteModel("Party")))
        self.assertFalse(found.undoable)
        self.assertEqual(
            found.why, "the values of agreements.Agreement.title are gone; the rows of agreements.Party are gone"
        )

    def test_only_what_reaches_the_database_counts(self) -> None:
        removal = migrations.RemoveField("Agreement", "title")
        state_only = migrations.SeparateDatabaseAndState(state_operations=[removal])
        both = migrations.SeparateDatabaseAndState(database_operations=[removal], state_operations=[removal])
        self.assertTrue(judge(migration(state_only)).undoable)
        self.assertFalse(judge(migration(both)).undoable)
