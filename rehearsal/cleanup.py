"""Removes what a rehearsal made: by its own label, name or recorded process, never anything else."""

import contextlib
import fcntl
import signal
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from rehearsal import processes
from rehearsal.docker_client import DockerClient
from rehearsal.errors import RehearsalError
from rehearsal.place import Place

EMULATOR_GRACE_SECONDS = 45
DOCKER_SECONDS = 120


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
    """Removing is bounded in time and must come to its end: Ctrl-C and SIGTERM wait until it has."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
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
    """Remove what a run on this port left; answers what was found, in words."""
    removed = []
    pid = processes.recorded(place.emulator_record)
    if pid is not None:
        processes.end(pid, grace_seconds=EMULATOR_GRACE_SECONDS)
        removed.append(f"emulator process {pid}")
    place.emulator_record.unlink(missing_ok=True)
    if client is not None:
        removed += _remove_from_docker(place, client)
    return removed


def _remove_from_docker(place: Place, client: DockerClient) -> list[str]:
    removed = []
    label = f"label={place.docker_label}"
    kinds = (
        ("container", ["ps", "--all", "--quiet", "--filter", label], ["rm", "--force", "--volumes"]),
        ("network", ["network", "ls", "--quiet", "--filter", label], ["network", "rm"]),
        ("volume", ["volume", "ls", "--quiet", "--filter", label], ["volume", "rm", "--force"]),
        (
            "image tag",
            ["image", "ls", "--format", "{{.Repository}}:{{.Tag}}", "--filter", f"reference={place.registry}/*"],
            ["image", "rm", "--force"],
        ),
        ("image", ["image", "ls", "--quiet", "--filter", label], ["image", "rm", "--force"]),
    )
    for kind, listing, removal in kinds:
        found = sorted({name for name in client.run(*listing).split() if not name.endswith(":<none>")})
        if found:
            # One that vanished meanwhile is no failure; what really stays is told by the next look.
            client.attempt(*removal, *found, timeout_seconds=DOCKER_SECONDS)
            removed.append(f"{len(found)} {kind}{'s' if len(found) > 1 else ''}")
    return removed
