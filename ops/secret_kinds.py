"""What kinds of secrets a stack has, and what a first value of those is that can be made up."""

from __future__ import annotations

import json
import re
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def _secret_key(_project: str) -> str:
    return secrets.token_urlsafe(64)


def _database_login(project: str) -> str:
    user = re.sub(r"[^a-z0-9]", "_", f"{project.lower()}_app")
    return json.dumps({"username": user, "password": secrets.token_urlsafe(32)})


# Made up for a project.
VALUES: dict[str, Callable[[str], str]] = {"secret-key": _secret_key, "database-login": _database_login}
# Before the variable's name, in the kind of a secret whose value only a person knows.
GIVEN = "given:"
KINDS = f"{', '.join(sorted(VALUES))}, {GIVEN}VARIABLE"


def is_known(kind: str) -> bool:
    """Whether it is one of KINDS."""
    return kind in VALUES or (kind.startswith(GIVEN) and kind != GIVEN)
