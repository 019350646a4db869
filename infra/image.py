"""The application's image: the one a pipeline pushed, or one built here."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pulumi
from pulumi_command import local

from infra.settings import ImageSettings

# Directories that tools leave in a working tree, besides those whose names begin with a dot (.git, .venv);
# .dockerignore keeps all of them out of the image too.
LEFTOVERS = {"__pycache__", "staticfiles", "node_modules"}
PLATFORMS = {"X86_64": "linux/amd64", "ARM64": "linux/arm64"}
# What it prints is kept in the state: eight hexadecimal digits, or it fails. Every stack that builds runs it once more
# when its text changes here, and builds and pushes anew.
DRAW = """\
od -An -N4 -tx1 /dev/urandom | tr -d '[:space:]' | grep -xE '[0-9a-f]{8}' || {
  echo "No random part of the image's tag could be drawn. Make /dev/urandom readable, and od, tr and grep found." >&2
  exit 1
}"""


@dataclass(frozen=True, kw_only=True)
class ImageArgs:
    """`dockerfile` is seen from the directory `context`, and `stack` begins the tag of what is built of it."""

    settings: ImageSettings
    stack: str
    context: Path
    dockerfile: str


class Image(pulumi.ComponentResource):
    """The image every task of this update runs, named by digest.

    With a digest in the configuration it creates nothing: that image is deployed. Without one it creates a
    `docker.Image`, which builds the context and pushes it, and a command that draws a part of its tag. Log in to
    the registry before the update, for a password given here would be written to Pulumi's state.
    """

    reference: pulumi.Output[str]
    """Repository and digest, `.../pactum@sha256:...`."""
    release: pulumi.Output[str]
    """The digest alone: what the application answers on /readyz and writes in its logs."""

    def __init__(self, name: str, args: ImageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pactum:index:Image", name, None, opts)
        settings = args.settings
        if settings.digest:
            self.reference = pulumi.Output.from_input(f"{settings.repository_url}@{settings.digest}")
        else:
            # Only who builds pays for loading it, and for its provider, which the engine starts.
            import pulumi_docker as docker  # noqa: PLC0415

            build_args = {**settings.build_arguments, "PYTHON_IMAGE": settings.python_image}
            platform = PLATFORMS[settings.cpu_architecture]
            sources = context_digest(args.context, args.dockerfile, {**build_args, "platform": platform})[:12]
            # The repository's tags are immutable, and an image's configuration holds the moment of its build: sources
            # that come back (a revert, another stack, a lost state) need a tag of their own, as long as they stay. No
            # `random.RandomId` draws it: for that one value, every preview would start one provider more.
            drawn = local.Command(
                f"{name}-build", create=DRAW, triggers=[sources], opts=pulumi.ResourceOptions(parent=self)
            )
            built = docker.Image(
                f"{name}-build",
                image_name=pulumi.Output.concat(f"{settings.repository_url}:{args.stack}-{sources}-", drawn.stdout),
                build=docker.DockerBuildArgs(
                    context=str(args.context),
                    dockerfile=str(args.context / args.dockerfile),
                    platform=platform,
                    args=build_args,
                    builder_version=docker.BuilderVersion.BUILDER_BUILD_KIT,
                ),
                opts=pulumi.ResourceOptions(parent=self),
            )
            self.reference = built.repo_digest
        self.release = self.reference.apply(lambda reference: reference.partition("@")[2])
        self.register_outputs({"reference": self.reference, "release": self.release})


def context_digest(context: Path, dockerfile: str, build_args: dict[str, str]) -> str:
    """Hexadecimal SHA-256 over names, modes and contents of a build context and its arguments.

    Raises pulumi.RunError for what is absent or cannot be read.
    """
    if not (context / dockerfile).is_file():
        raise pulumi.RunError(
            f"There is no {context / dockerfile}. Put it there, correct pactum:imageContext and pactum:dockerfile, or"
            " set pactum:imageDigest to a pushed image."
        )
    digest = hashlib.sha256(repr(sorted(build_args.items())).encode())
    # The Dockerfile may stand elsewhere than among the sources.
    for path in [context / dockerfile, *sorted(_sources(context))]:
        try:
            content, executable = path.read_bytes(), path.stat().st_mode & 0o100
        except OSError as error:
            _unreadable(error, path)
        digest.update(f"\0{os.path.relpath(path, context)}\0{executable}\0".encode() + content)
    return digest.hexdigest()


def _sources(context: Path) -> Iterator[Path]:
    for directory, inner, files in os.walk(context, onerror=_unreadable):
        inner[:] = [name for name in inner if not name.startswith(".") and name not in LEFTOVERS]
        yield from (path for name in files if (path := Path(directory, name)).is_file())


def _unreadable(error: OSError, path: Path | None = None) -> NoReturn:
    raise pulumi.RunError(
        f"{path or error.filename} cannot be read ({error.strerror}), so what the image is built of is unknown. Make it"
        " readable, or take it out of pactum:imageContext."
    ) from error
