"""Makes a tree ready to be a layer: byte-code inside, readable by all, and the same bytes whenever it is built.

    python seal.py [--tidy] TREE [DIRECTORY ...]

The Python sources in each DIRECTORY, named as the running container will know it, are compiled. With --tidy, for what
others made, files go that nothing reads at run time.
"""

from __future__ import annotations

import compileall
import os
import shutil
import sys
from pathlib import Path
from py_compile import PycInvalidationMode

# Every file's time. Not 0: some tools take that for a missing time, and zip files cannot say it.
TIME = 315532800
# Sources of translations and of extension modules, and types for checkers: nothing reads them at run time.
USELESS = {".po", ".pot", ".pyi", ".pyx", ".pxd", ".c", ".cpp", ".h", ".a", ".exe"}


def tidy(tree: Path) -> None:
    """Remove what no process will read."""
    for path in sorted(tree.rglob("*"), reverse=True):
        if path.name == "__pycache__":
            shutil.rmtree(path)
        elif path.suffix in USELESS and path.is_file() and not path.is_symlink():
            path.unlink()


def compile_sources(tree: Path, directory: str, workers: int) -> None:
    """Compile for good: nobody compares the byte-code with its source at run time (unchecked-hash)."""
    compileall.compile_dir(
        tree / directory.lstrip("/"),
        quiet=2,
        stripdir=str(tree),
        prependdir="/",
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
        workers=workers,
    )


def seal(tree: Path) -> None:
    """Give everything one time, and let everybody read it, whatever umask the files came with."""
    for directory, names, files in os.walk(tree, topdown=False):
        for name in (*names, *files):
            path = Path(directory, name)
            if not path.is_symlink() and path.stat().st_mode & 0o7000 == 0:
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
            os.utime(path, (TIME, TIME), follow_symlinks=False)


def main(tree: Path, *directories: str, workers: int = 1) -> None:
    for directory in directories:
        compile_sources(tree, directory, workers)
    seal(tree)


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--tidy"]
    of_others = len(words) != len(sys.argv[1:])
    if of_others:
        tidy(Path(words[0]))
    # What others made is thousands of files, for all cores (0); a project's few are done before a second one is ready.
    main(Path(words[0]), *words[1:], workers=0 if of_others else 1)
