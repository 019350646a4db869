"""A migration that takes its time and locks nothing."""  # noqa: INP001 - copied into an image

from pathlib import Path
from typing import ClassVar

from django.db import migrations

# After whatever migration is the last of the release before: several of these may have been deployed.
BEFORE = max(path.stem for path in Path(__file__).parent.glob("[0-9]*.py") if path.stem < Path(__file__).stem)


class Migration(migrations.Migration):
    """Takes twelve seconds."""

    dependencies: ClassVar = [("agreements", BEFORE)]
    operations: ClassVar = [migrations.RunSQL("SELECT pg_sleep(12)", migrations.RunSQL.noop)]
