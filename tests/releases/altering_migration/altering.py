"""A migration that needs a table for itself, for a moment."""  # noqa: INP001 - copied into an image

from pathlib import Path
from typing import ClassVar

from django.db import migrations

# After whatever migration is the last of the release before: several of these may have been deployed.
BEFORE = max(path.stem for path in Path(__file__).parent.glob("[0-9]*.py") if path.stem < Path(__file__).stem)


class Migration(migrations.Migration):
    """Adds a column that no code knows, so that the release before goes on as if nothing were."""

    dependencies: ClassVar = [("agreements", BEFORE)]
    operations: ClassVar = [
        migrations.RunSQL(
            "ALTER TABLE agreements_agreement ADD COLUMN IF NOT EXISTS drill_note integer",
            "ALTER TABLE agreements_agreement DROP COLUMN IF EXISTS drill_note",
        )
    ]
