"""Makes the layer with a virtual environment, by the pip that Python brings, which stays outside.

    python dependencies.py TREE PLACE [option of pip install ...]

The environment is made at PLACE, where the running container will have it, and then copied into TREE. PLACE should be
in memory: of the files that are made there, a third are removed again, which may take a disk longer than all else.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import seal


def brought_pip() -> Path:
    """Return the wheel that ensurepip would install. pip runs inside it too, and sooner than it is installed."""
    places = [Path(sysconfig.get_path("stdlib"), "ensurepip/_bundled")]
    if debian := sysconfig.get_config_var("WHEEL_PKG_DIR"):
        places.insert(0, Path(debian))
    for place in places:
        if wheels := sorted(place.glob("pip-*.whl")):
            return wheels[-1]
    sys.exit("PYTHON_IMAGE cannot be used: its Python brings no pip: on Debian, install python3-venv.")


def install(place: str, options: list[str]) -> None:
    """Make the environment, without what only a shell or an installer would read."""
    pip = brought_pip() / "pip"
    venv.create(place, symlinks=True)
    for script in Path(place, "bin").glob("[Aa]ctivate*"):
        script.unlink()
    installed = subprocess.run(
        [f"{place}/bin/python3", str(pip), "install", "--quiet", "--no-compile", *options], check=False
    )
    if installed.returncode:
        sys.exit(installed.returncode)


def main(tree: str, place: str, *options: str) -> None:
    install(place, list(options))
    seal.tidy(Path(place))
    # Thousands of files, for all cores.
    seal.compile_sources(Path("/"), place, workers=0)
    # Memory is mounted with the mode of /tmp.
    Path(place).chmod(0o755)
    shutil.copytree(place, Path(tree, place.lstrip("/")), symlinks=True)
    seal.seal(Path(tree))


if __name__ == "__main__":
    main(*sys.argv[1:])
