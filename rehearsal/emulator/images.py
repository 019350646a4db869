"""Images by the names that ECR gives them, pulled from the emulator's own registry before each start."""

import logging
import re
import threading
from typing import Any

from docker.errors import APIError, ImageNotFound, NotFound
from ministack.services import cloudwatch_logs, ecs

from rehearsal.emulator.container_settings import DeclaredVolumes, bind
from rehearsal.emulator.patching import Extension, replace, require
from rehearsal.emulator.settings import Settings

logger = logging.getLogger("rehearsal.images")

EXTENSION = Extension(
    name="images from ECR",
    rule="A task pulls its image by ECR's name and digest at every start; an image that is not there stops the task",
    source="CannotPullContainer task errors in Amazon ECS",
)
ECR = re.compile(r"^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com/(?P<rest>.+)$")
CANNOT_START = "CannotStartContainerError:"
CANNOT_ASSUME = "ECS was unable to assume the role"
NO_LOG_GROUP = "ResourceInitializationError: failed to validate logger args:"
SIGNATURE = (
    "(docker_client, cdef, run_kwargs, *, refresh_image=False, allow_cached=True, cache_image=None, "
    "fallback_image=None, auth_config=None)"
)
# ECR's user name, and the password that MiniStack hands out; its registry asks for neither today.
CREDENTIALS = {"username": "AWS", "password": "ministack-auth-token"}


class StartError(Exception):
    """The container cannot start; the message is the whole reason in the words of ECS."""


def check_log_group(cdef: dict[str, Any]) -> None:
    """Raise StartError unless the container's log group exists or may be created: Fargate starts nothing mute."""
    config = ecs._awslogs_config(cdef, "", "")
    if config and not config["create_group"] and config["group"] not in cloudwatch_logs._log_groups:
        raise StartError(
            f"{NO_LOG_GROUP} create stream has been retried 1 times: failed to create Cloudwatch log stream: "
            f"ResourceNotFoundException: The specified log group does not exist. ({config['group']})"
        )


def local_reference(image: str, port: int) -> str:
    """Where the emulator's registry has an ECR image; any other image keeps its name."""
    match = ECR.match(image)
    return f"localhost:{port}/{match['rest']}" if match else image


def ensure(docker_client: Any, image: str, port: int) -> str:
    """Have the image in Docker, and return the name it has there. Raises MiniStack's error for a failed pull."""
    reference = local_reference(image, port)
    from_ecr = reference != image
    if not from_ecr:
        try:
            docker_client.images.get(image)
        except ImageNotFound:
            logger.info("pulling %s", image)
        else:
            return image
    try:
        docker_client.images.pull(reference, auth_config=CREDENTIALS if from_ecr else None)
    except (NotFound, APIError) as error:
        why = f"{image}: not found" if is_absent(error) else error.explanation or error
        raise ecs._ImagePullError(
            f"pull image manifest has been retried 1 time(s): failed to resolve ref {image}: {why}"
        ) from error
    return reference


def is_absent(error: APIError) -> bool:
    """Whether a registry answered that it has no such image, whichever way Docker passes that on."""
    return isinstance(error, NotFound) or "not found" in str(error.explanation).lower()


def start(docker_client: Any, image: str, options: dict[str, Any]) -> Any:
    """Create and start a container; one that cannot start is removed again."""
    declared = DeclaredVolumes(docker_client).of(image)
    mounts = [bind(name, path, read_only=ro, declared=declared) for name, path, ro in options.pop("task_volumes", [])]
    options["volumes"] = [*options.get("volumes", []), *mounts]
    options.pop("detach", None)
    container = docker_client.containers.create(image, **options)
    try:
        container.start()
    except APIError as error:
        container.remove(force=True, v=True)
        raise StartError(f"{CANNOT_START} Error response from daemon: {error.explanation}") from error
    return container


def install(settings: Settings, closing: threading.Event) -> None:
    """Take over how MiniStack pulls and runs an image."""

    def run(
        docker_client: Any,
        cdef: dict[str, Any],
        run_kwargs: dict[str, Any],
        *,
        refresh_image: bool = False,
        allow_cached: bool = True,
        cache_image: Any = None,
        fallback_image: Any = None,
        auth_config: Any = None,
    ) -> Any:
        if closing.is_set():
            raise StartError("the emulator is closing")  # or the container would outlive its removal of everything
        check_log_group(cdef)
        return start(docker_client, ensure(docker_client, cdef["image"], settings.port), dict(run_kwargs))

    def digests(_task: Any, td: dict[str, Any], _docker_client: Any) -> dict[str, Any]:
        named = {c["name"]: c["image"] for c in td.get("containerDefinitions", [])}
        return {"_image_digests": {name: image.split("@", 1)[1] for name, image in named.items() if "@" in image}}

    require(ecs, "_ImagePullError", "class")
    replace(ecs, "_run_docker_container", SIGNATURE, run)
    # MiniStack asks the registry by the name that only AWS resolves; a digest needs no asking.
    replace(ecs, "_prepare_service_images", "(task, td, docker_client)", digests)
