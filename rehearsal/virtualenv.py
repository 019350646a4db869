"""The emulator's own virtual environment: its pins conflict with the program's, so nothing else lives in it."""

import fcntl
import hashlib
import os
import shutil
import sys
from pathlib import Path

from rehearsal import bounded
from rehearsal.docker_engine import Announce
from rehearsal.place import Place

INSTALL_SECONDS = 600
REQUIREMENTS = Path(__file__).parent / "emulator" / "requirements.txt"


def provide(place: Place, announce: Announce) -> Path:
    """The interpreter of an environment that holds exactly what requirements.txt pins; made again when pins change."""
    lock = place.root / ".rehearsal" / "virtual-environment.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a", encoding="utf-8") as held:
        # Rehearsals on other ports share the environment: whoever comes second waits, then finds it made.
        fcntl.flock(held, fcntl.LOCK_EX)
        return _provide(place.emulator_virtualenv, announce)


def _provide(directory: Path, announce: Announce) -> Path:
    interpreter = directory / "bin" / "python"
    stamp = directory / "rehearsal-stamp"
    wanted = fingerprint(REQUIREMENTS)
    if interpreter.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return interpreter
    announce(f"installing the emulator into {directory.name} (once)")
    shutil.rmtree(directory, ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(directory)])
    _run([str(interpreter), "-m", "pip", "install", "--quiet", "--requirement", str(REQUIREMENTS)])
    stamp.write_text(wanted, encoding="utf-8")
    return interpreter


def fingerprint(requirements: Path) -> str:
    """Changes when a pin changes or another Python makes the environment."""
    pins = requirements.read_bytes() if requirements.exists() else b""
    return hashlib.sha256(pins + sys.version.encode()).hexdigest()


def _run(command: list[str]) -> None:
    bounded.run(
        command,
        failure="The emulator's virtual environment could not be made",
        remedy="Check that the package index can be reached (PIP_INDEX_URL, PIP_CERT), then run it again.",
        timeout_seconds=INSTALL_SECONDS,
        environment={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )
