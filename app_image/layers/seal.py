"""Makes a tree ready to be a layer: byte-code inside, readable by all, and the same bytes whenever it is built.

    python seal.py TREE [DIRECTORY ...]

The Python sources in each DIRECTORY, named as the running container will know it, are compiled.
"""

from __future__ import annotations

import compileall
import os
import shutil
import stat
import sys
from pathlib import Path
from py_compile import PycInvalidationMode

# Every file's time. Not 0: some tools take that for a missing time, and zip files cannot say it.
TIME = 315532800
# Sources of translations and of extension modules, and types for checkers: nothing reads them at run time.
USELESS = {".po", ".pot", ".pyi", ".pyx", ".pxd", ".c", ".cpp", ".h", ".a", ".exe"}


def tidy(tree: Path) -> None:
    """Remove, of what others made, what nothing reads at run time."""
    for path in sorted(tree.rglob("*"), reverse=True):
        if path.name == "__pycache__":
            shutil.rmtree(path)
        elif path.suffix in USELESS and path.is_file() and not path.is_symlink():
            path.unlink()


def compile_sources(tree: Path, directory: str, workers: int = 1) -> None:
    """Compile for good: nobody compares the byte-code with its source at run time (unchecked-hash).

    0 workers are as many as there are cores. A few files are done before a second one is ready.
    """
    compileall.compile_dir(
        tree / directory.lstrip("/"),
        quiet=2,
        stripdir=str(tree),
        prependdir="/",
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
        workers=workers,
    )


def seal(tree: Path) -> None:
    """Give everything one time, and let everybody read it, whatever umask the files came with.

    What is so already may be in a layer below, and would be copied into this one by a touch: it is left alone.
    """
    for directory, names, files in os.walk(tree, topdown=False):
        for name in (*names, *files):
            path = Path(directory, name)
            found = path.lstat()
            mode = 0o755 if stat.S_ISDIR(found.st_mode) or found.st_mode & 0o100 else 0o644
            if not stat.S_ISLNK(found.st_mode) and found.st_mode & 0o7000 == 0 and stat.S_IMODE(found.st_mode) != mode:
                path.chmod(mode)
            if found.st_mtime != TIME:
                os.utime(path, (TIME, TIME), follow_symlinks=False)


def main(tree: Path, *directories: str) -> None:
    for directory in directories:
        compile_sources(tree, directory)
    seal(tree)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
