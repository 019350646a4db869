"""Sorts a project's files into layers, so that a change rewrites little, and finds what its static files are made from.

    python sources.py CONTEXT TARGET

TARGET/code gets the Python code, TARGET/files templates and whatever else there is, TARGET/kit what seldom changes: the
deployment app. TARGET/static-inputs gets the static files, and what Django opens until it knows which those are. While
all that stays the same, a change elsewhere (a view, a template) leaves the collected files in BuildKit's cache.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import seal

KIT = "deployment"
# Not the application: what builds its image.
BUILD_ONLY = {"layers", "certs", "requirements.txt"}


def opened_by_django(root: Path) -> set[Path]:
    """Return the files below `root` that are opened until Django is set up, and all static files."""
    opened: set[Path] = set()

    def notice(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open" and isinstance(arguments[0], str):
            opened.add(Path(os.path.normpath(root / arguments[0])))

    sys.addaudithook(notice)
    sys.path.insert(0, str(root))
    os.chdir(root)

    import django  # noqa: PLC0415 - what it opens is what matters
    from django.contrib.staticfiles.finders import get_finders  # noqa: PLC0415
    from django.contrib.staticfiles.storage import staticfiles_storage  # noqa: PLC0415

    django.setup()
    for finder in get_finders():
        for path, storage in finder.list([]):
            opened.add(Path(storage.path(path)))
    str(staticfiles_storage)
    return {path for path in opened if path.is_relative_to(root) and path.is_file()}


def move(paths: list[Path], source: Path, target: Path) -> None:
    """Move files or directories from one tree to the same place in another."""
    for path in paths:
        place = target / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        path.rename(place)


def main(context: str, target: str) -> None:
    code, files, kit, static_inputs = (Path(target, name, "app") for name in ("code", "files", "kit", "static-inputs"))
    shutil.copytree(context, code, ignore=lambda place, _: BUILD_ONLY if place == context else ())
    for path in sorted({*opened_by_django(code), code / "manage.py"}):
        place = static_inputs / path.relative_to(code)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
    files.mkdir(parents=True)
    kit.mkdir(parents=True)
    move([code / KIT], code, kit)
    move([path for path in sorted(code.rglob("*")) if path.is_file() and path.suffix != ".py"], code, files)
    for layer in (code, files, kit):
        seal.main(layer.parent, "/app")


if __name__ == "__main__":
    main(*sys.argv[1:])
