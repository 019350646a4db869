"""Sorts a project's files into layers, so that a change rewrites little, and finds what its static files are made from.

    python sources.py CONTEXT TARGET MEMORY

TARGET/code gets the Python code, TARGET/files templates and whatever else there is, TARGET/kit what seldom changes:
the deployment app. TARGET/static-inputs gets the static files, and what Django opens until it knows which those are.
While all that stays the same, a change elsewhere (a view, a template) leaves the collected files in BuildKit's cache.
The file MEMORY keeps what was found last: asking Django again takes half of such a build.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import seal

KIT = "deployment"
# Not the application: what builds its image.
BUILD_ONLY = {"layers", "certs", "requirements.txt"}


def opened_by_django(root: Path) -> tuple[set[Path], set[Path]]:
    """Return the files below `root` that are opened until Django is set up, and the directories of static files."""
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
    places = {Path(storage.location) for finder in get_finders() for _, storage in finder.list([])}
    str(staticfiles_storage)
    return (
        {path for path in opened if path.is_relative_to(root) and path.is_file()},
        {place for place in places if place.is_relative_to(root)},
    )


def deciding(context: Path, opened: list[str]) -> str:
    """Return a digest of all that decides what Django opens: while it is the same, so is the answer."""
    digest = hashlib.sha256(repr((sys.version, os.environ.get("DJANGO_SETTINGS_MODULE"))).encode())
    # An app that gets its first static file gets a directory; and Django looks for modules such as apps.py.
    names = (path.relative_to(context) for path in context.rglob("*") if path.is_dir() or path.suffix == ".py")
    digest.update(repr(sorted(map(str, names))).encode())
    digest.update(Path(__file__).read_bytes())
    for name in ["requirements.txt", *sorted(opened)]:
        digest.update(f"\0{name}\0".encode() + (context / name).read_bytes())
    return digest.hexdigest()


def recall(context: Path, memory: Path) -> tuple[list[str], list[str]] | None:
    """Return what was found last, if nothing that decides it has changed since."""
    try:
        known = json.loads(memory.read_text(encoding="utf-8"))
        if deciding(context, known["opened"]) == known["deciding"]:
            return known["opened"], known["places"]
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None


def static_inputs(context: Path, memory: Path) -> list[str]:
    """Name the files, seen from the project, that its static files are made from."""
    found = recall(context, memory)
    if found is None:
        found = tuple([str(path.relative_to(context)) for path in paths] for paths in opened_by_django(context))
        known = {"opened": found[0], "places": found[1], "deciding": deciding(context, found[0])}
        # Two builds may end at once, and a process has the same number in both.
        with tempfile.NamedTemporaryFile("w", dir=memory.parent, delete=False) as written:
            json.dump(known, written)
        Path(written.name).replace(memory)
    opened, places = found
    statics = (path for place in places for path in (context / place).rglob("*") if path.is_file())
    return sorted({"manage.py", *opened, *(str(path.relative_to(context)) for path in statics)})


def move(paths: list[Path], source: Path, target: Path) -> None:
    """Move files or directories from one tree to the same place in another."""
    for path in paths:
        place = target / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        path.rename(place)


def main(context: str, target: str, memory: str) -> None:
    code, files, kit, inputs = (Path(target, name, "app") for name in ("code", "files", "kit", "static-inputs"))
    shutil.copytree(context, code, ignore=lambda place, _: BUILD_ONLY if place == context else ())
    files.mkdir(parents=True)
    kit.mkdir(parents=True)
    move([code / KIT], code, kit)
    move([path for path in sorted(code.rglob("*")) if path.is_file() and path.suffix != ".py"], code, files)
    # Before Django may be imported: of a class' name, byte-code tells whether the process that compiles has the class.
    for layer in (code, files, kit):
        seal.main(layer.parent, "/app")
    for name in static_inputs(Path(context), Path(memory)):
        (inputs / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(Path(context, name), inputs / name)


if __name__ == "__main__":
    # Nothing is garbage while Django is imported, which is most of the work.
    gc.disable()
    main(*sys.argv[1:])
