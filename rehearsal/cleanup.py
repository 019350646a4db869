"""Removes what a rehearsal made: by its own label, name or recorded process, never anything else."""

import contextlib
import fcntl
import signal
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from rehearsal import children, processes
from rehearsal.docker_client import DockerClient
from rehearsal.docker_leftovers import Leftovers
from rehearsal.errors import RehearsalError
from rehearsal.place import DEFAULT_GATEWAY_PORT, Place

EMULATOR_GRACE_SECONDS = 45
COMMAND_GRACE_SECONDS = 5
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class BusyError(RehearsalError):
    """Another rehearsal has the port."""


@contextlib.contextmanager
def only_one(place: Place) -> Iterator[None]:
    """Holds this port's lock; the system gives it back however we end. RehearsalError when another rehearsal has it."""
    path = Path(tempfile.gettempdir()) / f"pactum-rehearsal-{place.gateway_port}.lock"
    try:
        lock = path.open("a", encoding="utf-8")
    except OSError as error:
        raise RehearsalError(
            f"{path} cannot be opened: {error.strerror}.", remedy="Remove it, or use its owner."
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BusyError(
                f"Another rehearsal runs on port {place.gateway_port}.",
                remedy="Wait for it or end it with Ctrl-C, or choose other ports: REHEARSAL_GATEWAY_PORT and "
                "REHEARSAL_FRONT_PORT.",
            ) from None
        yield


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Removing is bounded in time and must come to its end: signals to end wait until it has."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def other_places(place: Place) -> list[Place]:
    """Places on other ports that runs of this working copy wrote down."""
    ports = [path.stem.removeprefix("emulator-") for path in place.root.glob(".rehearsal/**/emulator-*.json")]
    others = [int(port) for port in ports if port.isdigit() and int(port) != place.gateway_port]
    return [Place(root=place.root, gateway_port=port) for port in others]


def remove_all(place: Place, client: DockerClient | None) -> list[str]:
    """Remove what a run on this port left; answers what was found, in words.

    RehearsalError when something is still there afterwards: it names what, and what holds it.
    """
    removed, stayed = _end_processes(place)
    if client is not None:
        from_docker = Leftovers(place=place, client=client).remove()
        removed += from_docker[0]
        stayed += from_docker[1]
    if stayed:
        listing = "\n".join(f"    {what}" for what in stayed)
        again = "" if place.gateway_port == DEFAULT_GATEWAY_PORT else f"REHEARSAL_GATEWAY_PORT={place.gateway_port} "
        raise RehearsalError(
            f"Not everything of the rehearsal on port {place.gateway_port} could be removed:\n{listing}",
            remedy="End what uses it (`docker rm --force NAME` if it is yours), "
            f"then `{again}python -m rehearsal clean`.",
        )
    return removed


def _end_processes(place: Place) -> tuple[list[str], list[str]]:
    removed, stayed = [], []
    emulator = processes.recorded(place.emulator_record)
    if emulator is not None:
        processes.end(emulator, grace_seconds=EMULATOR_GRACE_SECONDS)
        removed.append(f"emulator process {emulator}")
    if processes.recorded(place.emulator_record) is not None:
        stayed.append(f"emulator process {emulator}: it does not end")
    else:
        place.emulator_record.unlink(missing_ok=True)
    for pid in children.left_by(place.docker_label):
        processes.end(pid, grace_seconds=COMMAND_GRACE_SECONDS)
        still = processes.started_at(pid) is not None
        (stayed if still else removed).append(f"process {pid}" + (": it does not end" if still else ""))
    return removed, stayed
