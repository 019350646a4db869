"""Commands beside the rehearsal itself: each prepares or clears this machine, and takes no options."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from rehearsal import app_tests, base_images, cleanup, docker_engine, virtualenv
from rehearsal.errors import RehearsalError
from rehearsal.place import Place
from rehearsal.progress import Progress

if TYPE_CHECKING:
    from rehearsal.docker_client import DockerClient


def _docker_engine(_: Place, progress: Progress) -> int:
    """Find a Docker engine, or install and start the distribution's."""
    client = docker_engine.ensure(progress.note)
    progress.say(f"Docker engine: {client.executable} works, and builds with BuildKit")
    return 0


def _base_images(place: Place, progress: Progress) -> int:
    """Pull the base images, or build the stand-ins."""
    client = docker_engine.ensure(progress.note)
    images = base_images.provide(client, place.scratch, progress.note)
    if images.are_stand_ins:
        base_images.provide_mail(client, progress.note)
    progress.say(f"base images: {images.prefix}/{base_images.PYTHON}, {images.prefix}/{base_images.POSTGRES}")
    return 0


def _virtual_environment(place: Place, progress: Progress) -> int:
    """Install the emulator into .venv-emulator."""
    progress.say(f"emulator: {virtualenv.provide(place, progress.note)}")
    return 0


def _test_app(place: Place, progress: Progress) -> int:
    """Run the application's own tests in its image."""
    client = docker_engine.ensure(progress.note)
    return app_tests.run(place, client, base_images.provide(client, place.scratch, progress.note))


def _clean(place: Place, progress: Progress) -> int:
    """Remove what a killed rehearsal left."""
    client: DockerClient | None = None
    try:
        client = docker_engine.find()
    except RehearsalError as error:
        progress.note(f"containers and images cannot be looked for: {error}")
    removed, problems = [], []
    for each in (place, *cleanup.other_places(place)):
        try:
            with cleanup.only_one(each):
                removed += cleanup.remove_all(each, client)
        except cleanup.BusyError:
            if each == place:
                raise
            progress.note(f"left alone: the rehearsal that runs on port {each.gateway_port}")
        except RehearsalError as error:
            problems.append(str(error))
    if problems:
        raise RehearsalError("\n".join(problems))
    progress.say(f"removed: {', '.join(removed)}" if removed else "nothing to remove")
    return 0


COMMANDS: dict[str, Callable[[Place, Progress], int]] = {
    "clean": _clean,
    "docker-engine": _docker_engine,
    "base-images": _base_images,
    "virtual-environment": _virtual_environment,
    "test-app": _test_app,
}
