"""Everything the emulator makes in Docker is its own, labelled, and removable by that label alone."""

import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from docker.errors import APIError, DockerException, NotFound
from ministack.core import container_reaper

from rehearsal.emulator.patching import Extension, replace
from rehearsal.emulator.settings import Settings

logger = logging.getLogger("rehearsal.labels")

EXTENSION = Extension(
    name="own network, nothing left behind",
    rule="Tasks and databases share one private network; every container, volume and network carries one label.",
    source="none: a rule of the rehearsal, not of AWS",
)


def create_network(docker_client: Any, settings: Settings) -> str:
    """Make the network of this emulator and return its address on this host (IPv4)."""
    network = docker_client.networks.create(settings.network, driver="bridge", labels=settings.labels)
    network.reload()
    return str(network.attrs["IPAM"]["Config"][0]["Gateway"])


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
    """Add the label to those that MiniStack puts on its containers."""

    def own_labels(service: str, **extra: Any) -> dict[str, str]:
        return {**original(service, **extra), **settings.labels}

    original = replace(container_reaper, "own_labels", "(service: str, **extra) -> dict", own_labels)
