"""A migration that refers to a column that does not exist."""  # noqa: INP001 - copied into an image

from pathlib import Path
from typing import ClassVar

from django.db import migrations

# After whatever migration is the last of the release before: several of these may have been deployed.
BEFORE = max(path.stem for path in Path(__file__).parent.glob("[0-9]*.py") if path.stem < Path(__file__).stem)


class Migration(migrations.Migration):
    """Fails on every database."""

    dependencies: ClassVar = [("agreements", BEFORE)]
    operations: ClassVar = [migrations.RunSQL("UPDATE agreements_agreement SET no_such_column = 1")]
