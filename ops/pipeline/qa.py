"""The QA command: what says whether an image is good, by its exit code alone."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from ops.errors import CannotAct, OpsError
from ops.pipeline import child, database_image

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

COMMAND = "QA_COMMAND"
USUAL_COMMAND = "tests/app/run"
# What tests have no business with: they run whatever was pushed.
_CREDENTIALS = re.compile(
    r"AWS_.*|ACTIONS_ID_TOKEN_.*|ACTIONS_RUNTIME_.*|.*_TOKEN|CI_JOB_JWT.*|CI_.*PASSWORD|PULUMI_.*"
)


def command_of(environment: Mapping[str, str], name: str = COMMAND, usual: str = USUAL_COMMAND) -> list[str]:
    """Return the words of a command that the environment may name; no shell reads them.

    Raises:
        CannotAct: they cannot be told apart.

    """
    given = environment.get(name, "").strip() or usual
    try:
        return shlex.split(given)
    except ValueError as error:
        raise CannotAct(
            f"{name} is {given!r}, which is no command: {error}. Nothing was done. Write a program and its arguments.",
        ) from error


def check(image: str, root: Path, environment: Mapping[str, str]) -> None:
    """Run the QA command on an image, its words as they come.

    It is given IMAGE and POSTGRES_IMAGE, which are here, a docker client on PATH, and no credentials.

    Raises:
        OpsError: it says no.
        CannotAct: it cannot be started, or there is no database to test with.

    """
    command = command_of(environment)
    database = database_image.provide(root, environment)
    ran = child.stream(
        command,
        directory=root,
        environment={
            **{name: value for name, value in environment.items() if not _CREDENTIALS.fullmatch(name)},
            "IMAGE": image,
            database_image.NAME: database,
        },
        told="The image was not marked as tested; run the job again.",
    )
    if ran.code:
        raise OpsError(
            f"the tests of {image} failed: `{shlex.join(command)}` ended with exit code {ran.code}; above is why. "
            "The image was not marked as tested, and this pipeline ends here. Correct it, and push a new commit.",
        )
