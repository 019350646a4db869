"""Everything temporary, as the code of functions, is in the emulator's own directory: MiniStack leaves it behind."""

import shutil
import tempfile
from pathlib import Path

from rehearsal.emulator.settings import Settings


def directory(settings: Settings) -> Path:
    """The one of this emulator; several may share a scratch directory."""
    return settings.directory / f"temporary-{settings.port}"


def provide(settings: Settings) -> None:
    """Begin with an empty one, whatever an emulator left that was killed."""
    remove(settings)
    directory(settings).mkdir()
    tempfile.tempdir = str(directory(settings))


def remove(settings: Settings) -> None:
    """Remove it and all that is in it."""
    shutil.rmtree(directory(settings), ignore_errors=True)
