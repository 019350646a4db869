"""The docker client of this machine, and what an image is built with for a stack."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ops.errors import CannotAct, OpsError
from ops.pipeline import child
from ops.stack_file import config_value, image_context

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ops.stack import Stack

# The same as of the program's own build (infra/image.py).
PLATFORMS = {"X86_64": "linux/amd64", "ARM64": "linux/arm64"}


class Docker:
    """The client that works here, found by `app_image/build`."""

    def __init__(self, root: Path, environment: Mapping[str, str]) -> None:
        self._root = root
        self._build = str(root / "app_image" / "build")
        self.executable = self._said([self._build, "--client"], environment)
        # The scripts that test an image call `docker`: they must find the one that works.
        path = f"{Path(self.executable).parent}:{environment.get('PATH', '')}"
        self.environment: Mapping[str, str] = {**environment, "PATH": path, "DOCKER": self.executable}

    def build(self, stack: Stack, image: str) -> None:
        """Build the image that a stack is configured with, and give it a name.

        Raises:
            OpsError: it cannot be built.

        """
        settings, arguments = _settings(self._root, stack, self.environment)
        environment = {**self.environment, **settings, "IMAGE": image, "PUSH": ""}
        self._stream([self._build, *arguments], environment, "the image could not be built; above is why")

    def push(self, image: str, logged_in: Mapping[str, str]) -> None:
        """Push an image by its name.

        Raises:
            OpsError: the registry does not take it.

        """
        self._stream(
            [self.executable, "push", "--quiet", image], logged_in, f"{image} could not be pushed; above is why"
        )

    def pull(self, image: str, logged_in: Mapping[str, str]) -> None:
        """Pull an image by its name or digest.

        Raises:
            OpsError: the registry does not give it.

        """
        self._stream(
            [self.executable, "pull", "--quiet", image], logged_in, f"{image} could not be pulled; above is why"
        )

    def id_of(self, image: str) -> str:
        """Return the engine's own name of an image that is here, `sha256:...`."""
        return self._said([self.executable, "image", "inspect", "--format", "{{.Id}}", image], self.environment)

    def remove(self, *images: str) -> None:
        """Take names of images away, and the images that nothing else here uses: a machine of pipelines fills up."""
        for image in images:
            child.capture(
                [self.executable, "image", "rm", image],
                directory=self._root,
                environment=self.environment,
                told=child.NOT_MARKED,
            )

    def make(self, directory: Path, image: str) -> None:
        """Build a directory with a Dockerfile that needs nothing but its own files."""
        environment = {**self.environment, "DOCKER_BUILDKIT": "1"}
        command = [self.executable, "build", "--quiet", "--tag", image, str(directory)]
        self._stream(command, environment, f"{image} could not be built; above is why")

    def _stream(self, command: list[str], environment: Mapping[str, str], failure: str) -> None:
        ran = child.stream(command, directory=self._root, environment=environment, told=child.NOT_MARKED)
        if ran.code:
            raise OpsError(f"{failure} (exit code {ran.code}).")

    def _said(self, command: list[str], environment: Mapping[str, str]) -> str:
        ran = child.capture(command, directory=self._root, environment=environment, told=child.NOT_MARKED, apart=True)
        if ran.code:
            raise CannotAct(f"`{Path(command[0]).name} {command[1]}` failed: {ran.reason}")
        return ran.text.strip()


def _settings(root: Path, stack: Stack, environment: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return what `app_image/build` is told, and its options; what the environment says goes first."""
    context = image_context(root, stack)
    architecture = config_value(root, stack, "pactum:cpuArchitecture")
    told = {
        "CONTEXT": str(context),
        "DOCKERFILE": str(context / _text(root, stack, "pactum:dockerfile", "Dockerfile")),
        "PLATFORM": PLATFORMS.get(str(architecture), ""),
        # Without one, the Dockerfile's, or what stands in for that on this machine.
        "PYTHON_IMAGE": _text(root, stack, "pactum:pythonImage", "", own=True),
    }
    values = config_value(root, stack, "pactum:buildArguments")
    pairs = sorted(values.items()) if isinstance(values, dict) else []
    options = [word for name, value in pairs for word in ("--build-arg", f"{name}={value}")]
    return {name: environment.get(name) or value for name, value in told.items()}, options


def _text(root: Path, stack: Stack, key: str, otherwise: str, *, own: bool = False) -> str:
    value = config_value(root, stack, key, own=own)
    return value if isinstance(value, str) else otherwise
