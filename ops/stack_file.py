"""The stack's own file, `Pulumi.STACK.yaml`: its account, and what its image is built of, as the program reads them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import yaml

from ops.errors import CannotAct

if TYPE_CHECKING:
    from pathlib import Path

    from ops.stack import Stack

ACCOUNTS_KEY = "aws:allowedAccountIds"
CONTEXT_KEY = "pactum:imageContext"


def stack_file(directory: Path, stack: Stack) -> Path | None:
    """Return the stack's file in a project's directory; None when the directory is not that project's."""
    project, file = directory / "Pulumi.yaml", directory / f"Pulumi.{stack.name}.yaml"
    if not project.is_file() or not file.is_file() or _mapping(project).get("name") != stack.project:
        return None
    return file


def account_of(file: Path) -> str:
    """Return the one account the stack may live in.

    Raises:
        CannotAct: the file cannot be read, or names no account or several.

    """
    config = _mapping(file).get("config")
    accounts = config.get(ACCOUNTS_KEY) if isinstance(config, dict) else None
    found = [str(item) for item in accounts] if isinstance(accounts, list) else []
    if len(found) != 1 or not re.fullmatch(r"\d{12}", found[0]):
        raise CannotAct(
            f"{file.name}: {ACCOUNTS_KEY} does not name the one account of this stack, so which account is meant is "
            f'unknown. Write its twelve digits there as a text in a list (["123456789012"]), or give --account.',
        )
    return found[0]


def image_context(directory: Path, stack: Stack) -> Path:
    """Return the directory that the stack's image is built of, as its file or Pulumi.yaml says; else `directory`."""
    try:
        file = stack_file(directory, stack)
        contents = [_mapping(file), _mapping(directory / "Pulumi.yaml")] if file else []
    except CannotAct:
        # Whoever needs the file will say what is wrong with it.
        return directory
    for content in contents:
        config = content.get("config")
        value = config.get(CONTEXT_KEY) if isinstance(config, dict) else None
        value = value.get("value", value.get("default")) if isinstance(value, dict) else value
        if isinstance(value, str) and value:
            return directory / value
    return directory


def _mapping(file: Path) -> dict[str, object]:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CannotAct(f"{file.name} cannot be read: {error}") from error
    return content if isinstance(content, dict) else {}
