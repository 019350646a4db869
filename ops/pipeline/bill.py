"""What an image holds, as CycloneDX: written beside the pipeline's other files, and kept in the registry."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ops.errors import OpsError
from ops.pipeline import child, qa, telling
from ops.pipeline.image_file import BILL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ops.pipeline.docker import Docker
    from ops.pipeline.repository import Repository

COMMAND = "SBOM_COMMAND"
TAG = "sbom-"


def write(image: str, root: Path, environment: Mapping[str, str]) -> Path:
    """Write the bill of an image, and return where.

    Raises:
        OpsError: the image cannot be accounted for.

    """
    usual = f"{sys.executable} {root / 'app_image' / 'sbom.py'}"
    command = [*qa.command_of(environment, COMMAND, usual), image]
    ran = child.capture(command, directory=root, environment=environment, told="No bill was written.", apart=True)
    if ran.code:
        raise OpsError(
            f"what is in {image} cannot be told: `{' '.join(command)}` ended with exit code {ran.code}: "
            f"{ran.reason}\nThe image was not marked as tested. For an image of another "
            f"Dockerfile, set {COMMAND} to a program that prints CycloneDX, such as `syft --quiet --output "
            "cyclonedx-json`.",
        )
    return root / telling.keep(root, BILL, ran.text)


def tag_of(digest: str) -> str:
    """Return the tag under which the bill of a digest is kept."""
    return f"{TAG}{digest.removeprefix('sha256:')}"


def keep(path: Path, digest: str, repository: Repository, docker: Docker, logged_in: Mapping[str, str]) -> str:
    """Push the bill as an image of one file, unless it is there, and return its name."""
    name = f"{repository.url}:{tag_of(digest)}"
    if repository.digest_of(tag_of(digest)):
        return name
    with tempfile.TemporaryDirectory(prefix="pactum-sbom-") as scratch:
        directory = Path(scratch)
        (directory / BILL).write_bytes(path.read_bytes())
        (directory / "Dockerfile").write_text(
            f"FROM scratch\nCOPY {BILL} /{BILL}\nLABEL of={digest}\n", encoding="utf-8"
        )
        docker.make(directory, name)
    try:
        docker.push(name, logged_in)
    except OpsError:
        # Tags are set once: another pipeline of this commit may have pushed its own meanwhile.
        if not repository.digest_of(tag_of(digest)):
            raise
    return name
