"""`python -m rehearsal contract`: tells what an image lacks of docs/app-contract.md."""

from __future__ import annotations

import argparse
import os
import re
import secrets
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rehearsal import base_images, children, docker_engine
from rehearsal.contract import (
    about_commands,
    about_ends,
    about_image,
    about_logs,
    about_migration,
    about_pages,
    about_web,
    leftovers,
    terms,
)
from rehearsal.contract.ground import DATABASE, Ground
from rehearsal.contract.requirement import examine, summary
from rehearsal.contract.terms import Given
from rehearsal.contract.trial import Trial
from rehearsal.docker_client import last_lines
from rehearsal.errors import RehearsalError
from rehearsal.place import PROJECT_ROOT, Place
from rehearsal.settings_option import add_configuration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rehearsal.base_images import BaseImages
    from rehearsal.contract.requirement import Finding
    from rehearsal.contract.terms import Terms
    from rehearsal.docker_client import DockerClient
    from rehearsal.progress import Progress

BUILDER = PROJECT_ROOT / "app_image" / "build"
BUILD_SECONDS = 900
FROM = re.compile(r"^\s*FROM\s", re.IGNORECASE | re.MULTILINE)
REQUIREMENTS = [
    *about_image.REQUIREMENTS,
    *about_migration.REQUIREMENTS,
    *about_web.REQUIREMENTS,
    *about_pages.REQUIREMENTS,
    *about_commands.REQUIREMENTS,
    *about_logs.REQUIREMENTS,
    *about_ends.REQUIREMENTS,
]


def main(arguments: list[str], progress: Progress) -> int:
    """Tell what a stranger's image lacks of docs/app-contract.md."""
    options = _parser().parse_args(arguments)
    agreed = terms.read(options.stack, dict(options.set), config_file=options.config_file, page=options.page)
    place = Place()
    docker = docker_engine.ensure(progress.note)
    images = base_images.provide(docker, place.scratch, progress.note)
    leftovers.remove(docker)
    sources = Sources(
        image=options.image,
        context=options.context or agreed.context,
        dockerfile=options.dockerfile or agreed.application.dockerfile,
    )
    with provided(docker, images, sources, agreed, progress) as image:
        findings = examined(docker, images, image, agreed, progress, thorough=options.thorough)
    progress.say(f"\n{summary(findings)}")
    return 1 if any(finding.fails for finding in findings) else 0


@dataclass(frozen=True, kw_only=True)
class Sources:
    """An image that is here, or a context and its Dockerfile to build one of."""

    image: str | None
    context: Path
    dockerfile: str


@contextmanager
def provided(
    docker: DockerClient, images: BaseImages, sources: Sources, agreed: Terms, progress: Progress
) -> Iterator[str]:
    """Yield the name of the image; one that had to be built is removed afterwards."""
    if sources.image:
        yield sources.image
        return
    built = f"pactum-contract:{os.getpid()}-{secrets.token_hex(2)}"
    with progress.phase(f"build {_shown(sources.context)}"):
        build(docker, images, sources.context, sources.dockerfile, built, agreed)
    try:
        yield built
    finally:
        docker.attempt("image", "rm", "--force", built, timeout_seconds=60)


def build(
    docker: DockerClient, images: BaseImages, context: Path, dockerfile: str, reference: str, agreed: Terms
) -> None:
    """Build a context as `make image` does, with the stack file's arguments.

    RehearsalError with the end of the build's words when that fails.
    """
    if not (context / dockerfile).is_file():
        raise RehearsalError(
            f"There is no {dockerfile} in {context}.",
            remedy="Give CONTEXT=directory, and DOCKERFILE=name where it has another name; docs/app-contract.md tells"
            " how to make one.",
        )
    if not FROM.search((context / dockerfile).read_text(encoding="utf-8")):
        # Docker 20.10's daemon dies of it (moby/buildkit, lastTarget), and every container on the machine with it.
        raise RehearsalError(f"{context / dockerfile} has no FROM.", remedy="Correct it: every image begins with one.")
    environment = {
        **os.environ,
        # It calls `docker`: it must find the client that works here.
        "PATH": f"{Path(docker.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "CONTEXT": str(context),
        "DOCKERFILE": str(context / dockerfile),
        "IMAGE": reference,
        "PYTHON_IMAGE": agreed.python_image or images.python,
    }
    arguments = [word for name, value in agreed.build_arguments.items() for word in ("--build-arg", f"{name}={value}")]
    done = children.run([str(BUILDER), *arguments], environment=environment, timeout_seconds=BUILD_SECONDS)
    if done.returncode:
        raise RehearsalError(
            f"{context} could not be built:\n{last_lines(done.stdout + done.stderr)}", remedy="Correct the Dockerfile."
        )


def examined(
    docker: DockerClient, images: BaseImages, image: str, agreed: Terms, progress: Progress, *, thorough: bool
) -> list[Finding]:
    """Try an image on a ground of its own, which is removed afterwards."""
    if not docker.image_exists(image):
        raise RehearsalError(
            f"There is no image {image} here.", remedy="Build or pull it first, or give CONTEXT=directory."
        )
    given = Given(terms=agreed, database=DATABASE)
    ground = Ground.of(docker, images, given)
    with ExitStack() as leaving:
        with progress.phase("a PostgreSQL to try it on"):
            leaving.enter_context(ground)
        trial = Trial(image=image, terms=agreed, given=given, ground=ground, thorough=thorough)
        trial.begin()
        return examine(REQUIREMENTS, trial, progress.say)


def _shown(path: Path) -> Path:
    return path.relative_to(PROJECT_ROOT) if path.is_relative_to(PROJECT_ROOT) else path


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rehearsal contract",
        description="Tell what an image lacks of docs/app-contract.md; exit code 1 when it lacks something.",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--image", metavar="REF", help="an image that is here already")
    what.add_argument("--context", metavar="DIR", type=Path, help="build this directory (default: imageContext)")
    parser.add_argument("--dockerfile", metavar="NAME", help="the Dockerfile in it (default: the stack file's)")
    parser.add_argument("--stack", default="staging", help="whose port, paths, commands and names hold (%(default)s)")
    add_configuration(parser)
    parser.add_argument("--page", metavar="PATH", default="/", help="a page that asks the database (%(default)s)")
    parser.add_argument("--thorough", action="store_true", help="also what takes a minute")
    return parser
