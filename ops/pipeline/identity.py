"""A host's token in a variable, as GitLab gives it, made into the file that AWS's libraries read."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ops.errors import CannotAct

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

TOKEN = "AWS_ID_TOKEN"  # noqa: S105 - its name
FILE = "AWS_WEB_IDENTITY_TOKEN_FILE"
ROLE = "AWS_ROLE_ARN"


@contextmanager
def from_token(environment: MutableMapping[str, str]) -> Iterator[None]:
    """Move the token from the environment into a private file for as long as the stage lasts, and name the file there.

    Raises:
        CannotAct: there is a token, and no role to assume with it.

    """
    token = environment.pop(TOKEN, "")
    if not token or environment.get(FILE):
        yield
        return
    if not environment.get(ROLE):
        raise CannotAct(
            f"there is a token for AWS ({TOKEN}), and no role to assume with it: {ROLE} is empty. Nothing was done. "
            "Make the output of stacks/bootstrap that this stage needs a variable of the pipelines "
            "(docs/pipelines.md).",
        )
    with tempfile.TemporaryDirectory(prefix="pactum-identity-") as directory:
        path = Path(directory) / "token"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(token)
        environment[FILE] = str(path)
        try:
            yield
        finally:
            del environment[FILE]
