"""A migration that refers to a column that does not exist."""  # noqa: INP001 - copied into an image

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    """Fails on every database."""

    dependencies: ClassVar = [("agreements", "0001_initial")]
    operations: ClassVar = [migrations.RunSQL("UPDATE agreements_agreement SET no_such_column = 1")]
