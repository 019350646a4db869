"""Everything the emulator makes in Docker is its own, labelled, and removable by that label alone."""

import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from docker.errors import APIError, DockerException, NotFound
from ministack.core import container_reaper

from rehearsal.emulator.patching import Extension, replace
from rehearsal.emulator.settings import CannotStartError, Settings

logger = logging.getLogger("rehearsal.labels")

EXTENSION = Extension(
    name="own network, nothing left behind",
    rule="Tasks and databases share one private network; every container, volume and network carries one label.",
    source="none: a rule of the rehearsal, not of AWS",
)


def create_network(docker_client: Any, settings: Settings) -> str:
    """Make the network of this emulator and return its address on this host (IPv4).

    Raises CannotStartError if the name is taken (Docker would make a second network of it, and tasks would land in
    either) or if Docker refuses, which it mostly does for want of a free address range.
    """
    refuse_taken_name(docker_client, settings)
    try:
        network = docker_client.networks.create(settings.network, driver="bridge", labels=settings.labels)
        network.reload()
    except APIError as error:
        raise CannotStartError(
            f"Docker cannot make the network {settings.network} ({error.explanation or error}); if its address ranges "
            "are used up or overlap, remove networks that nobody uses (`docker network prune`) or give Docker more "
            "ranges (`default-address-pools` in /etc/docker/daemon.json)"
        ) from error
    return str(network.attrs["IPAM"]["Config"][0]["Gateway"])


def refuse_taken_name(docker_client: Any, settings: Settings) -> None:
    """Raise CannotStartError if a network of the emulator's name is there, naming what holds it."""
    for network in docker_client.networks.list(names=[settings.network]):
        if network.name != settings.network:  # Docker also finds names that contain this one
            continue
        network.reload()
        holders = sorted(held["Name"] for held in (network.attrs.get("Containers") or {}).values())
        why = (
            f"is held by {', '.join(holders)} (`docker network disconnect -f {network.name} NAME` frees it)"
            if holders
            else f"is not this emulator's (no label {settings.label}; `docker network rm {network.name}` removes it)"
        )
        raise CannotStartError(
            f"a network named {network.name} exists already and {why}; or set REHEARSAL_PORT to another port"
        )


def create_volume(docker_client: Any, name: str, settings: Settings) -> str:
    """Make a labelled volume, or keep the one of that name, and return its name."""
    docker_client.volumes.create(name=name, labels=settings.labels)
    return name


def sweep(docker_client: Any, settings: Settings) -> int:
    """Remove every container, then volume, then network with the label; return how many containers there were."""
    filters = {"label": settings.label}
    containers = docker_client.containers.list(all=True, sparse=True, filters=filters)
    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(_remove_container, containers))
    for volume in docker_client.volumes.list(filters=filters):
        _try_to_remove(volume, force=True)
    for network in docker_client.networks.list(filters=filters):
        _try_to_remove(network)
    forget_pulled_images(docker_client, settings)
    return len(containers)


def forget_pulled_images(docker_client: Any, settings: Settings) -> None:
    """Remove the names by which tasks pulled images from this emulator; tags, which others made, stay."""
    registry = f"localhost:{settings.port}/"
    for image in docker_client.api.images():
        for name in image.get("RepoDigests") or []:
            if name.startswith(registry):
                with suppress(NotFound, APIError):
                    docker_client.images.remove(name)


def _remove_container(container: Any) -> None:
    # A container that another thread is removing already answers 409 or 404.
    with suppress(NotFound, APIError):
        container.remove(force=True, v=True)


def _try_to_remove(thing: Any, **options: Any) -> None:
    try:
        thing.remove(**options)
    except NotFound:
        pass
    except DockerException as error:
        logger.warning("could not remove %s: %s", thing, error)


def install(settings: Settings) -> None:
    """Add the label to those that MiniStack puts on its containers, and leave removing to `sweep`.

    MiniStack's own sweep at its start removes every container on the engine that has a label of MiniStack's and no
    instance, so also those of other people's emulators.
    """

    def own_labels(service: str, **extra: Any) -> dict[str, str]:
        return {**original(service, **extra), **settings.labels}

    original = replace(container_reaper, "own_labels", "(service: str, **extra) -> dict", own_labels)
    replace(
        container_reaper,
        "reap_all",
        "(docker_client, stop_timeout: int = 2, include_unlabelled: bool = False) -> int",
        lambda *_, **__: 0,
    )
