"""Models and migrations belong together."""

from io import StringIO

from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import TestCase

from agreements.models import Agreement, Party


class Migrations(TestCase):
    def test_no_model_has_changed_without_a_migration(self) -> None:
        call_command("makemigrations", check=True, dry_run=True, stdout=StringIO())

    def test_the_database_itself_refuses_the_same_party_twice_and_unknown_states(self) -> None:
        """Whoever writes: the form, the admin, or a script."""
        agreement = Agreement.objects.create(title="Lease", terms="Terms")
        Party.objects.create(agreement=agreement, name="Ada")
        with self.assertRaises(IntegrityError), transaction.atomic():
            Party.objects.create(agreement=agreement, name="ADA")
        with self.assertRaises(IntegrityError), transaction.atomic():
            Agreement.objects.create(title="Lease", terms="Terms", status="signed")
