"""The PostgreSQL image that images are tested with, brought here before their tests begin.

A registry that does not answer is then told as what it is: among a test's words it would look like the commit's fault.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops.errors import CannotAct
from ops.pipeline import child

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NAME = "POSTGRES_IMAGE"
USUAL = "docker.io/library/postgres:17-alpine"
# What a rehearsal makes where Docker Hub is out of reach (rehearsal/base_images.py).
STAND_IN = "pactum-standin/postgres:17-alpine"


def provide(root: Path, environment: Mapping[str, str]) -> str:
    """Return the name of an image that is here: what NAME says, else the official one, else its stand-in.

    Raises:
        CannotAct: it cannot be had.

    """
    named = environment.get(NAME)
    image = named or USUAL
    if _is_here(image, root, environment):
        return image
    pulled = _docker(["pull", "--quiet", image], root, environment)
    if pulled.code == 0:
        return image
    why = (pulled.reason.splitlines() or ["it does not say why"])[-1]
    if not named and _is_here(STAND_IN, root, environment):
        print(f"{image} cannot be pulled: {why}. The tests use the stand-in {STAND_IN}.", flush=True)
        return STAND_IN
    raise CannotAct(
        f"{image}, the database that images are tested with, cannot be pulled: {why}. The tests have not begun: this "
        "is the network or the registry, and not the commit. No image was marked as tested. Run the job again, or set "
        f"{NAME} to a copy in your own registry; where Docker Hub is out of reach, "
        "`.venv/bin/python -m rehearsal base-images` makes a stand-in, which is then used here.",
    )


def _is_here(image: str, root: Path, environment: Mapping[str, str]) -> bool:
    return _docker(["image", "inspect", image], root, environment).code == 0


def _docker(arguments: list[str], root: Path, environment: Mapping[str, str]) -> child.Ran:
    # `docker` on PATH: the client that the tests find, too.
    return child.capture(
        ["docker", *arguments], directory=root, environment=environment, told=child.NOT_MARKED, apart=True
    )
