"""The stack's own file, `Pulumi.STACK.yaml`: its account, and what its image is built of, as the program reads them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import yaml

from ops.errors import CannotAct

if TYPE_CHECKING:
    from pathlib import Path

    from ops.aws import Whereabouts
    from ops.stack import Stack

ACCOUNTS_KEY = "aws:allowedAccountIds"
CONTEXT_KEY = "pactum:imageContext"
REGION_KEY = "aws:region"


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


def backend_of(directory: Path) -> str:
    """Return the backend that a project's own file names; empty where it leaves that to `pulumi login`."""
    backend = _mapping(directory / "Pulumi.yaml").get("backend")
    url = backend.get("url") if isinstance(backend, dict) else None
    return url if isinstance(url, str) else ""


def image_context(directory: Path, stack: Stack) -> Path:
    """Return the directory that the stack's image is built of, as its file or Pulumi.yaml says; else `directory`."""
    try:
        value = config_value(directory, stack, CONTEXT_KEY)
    except CannotAct:
        # Whoever needs the file will say what is wrong with it.
        return directory
    return directory / value if isinstance(value, str) and value else directory


def config_value(directory: Path, stack: Stack, key: str, *, own: bool = False) -> object:
    """Return what the stack is configured with: as its file says, else Pulumi.yaml; None where neither does.

    `own`: as its file says, and no default.

    Raises:
        CannotAct: one of them cannot be read.

    """
    file = stack_file(directory, stack)
    files = [file, *([] if own else [directory / "Pulumi.yaml"])] if file else []
    for content in map(_mapping, files):
        config = content.get("config")
        value = config.get(key) if isinstance(config, dict) else None
        declared = isinstance(value, dict) and bool(value.keys() & {"value", "default"})
        value = value.get("value", value.get("default")) if declared and isinstance(value, dict) else value
        if value is not None and value != "":
            return value
    return None


def region_to_set(directory: Path, stack: Stack) -> str:
    """Return what a person is to set where no region is chosen: the variable, and the stack's region if it is known."""
    own = config_value(directory, stack, REGION_KEY, own=True)
    region = own or config_value(directory, stack, REGION_KEY)
    file = f"Pulumi.{stack.name}.yaml" if own else "Pulumi.yaml"
    return f"AWS_REGION={region}, as `{REGION_KEY}` in {file} says" if region else "AWS_REGION"


def refuse_another_account(here: Whereabouts, stack: Stack, expected: str | None, source: str) -> None:
    """Refuse credentials for another account than the stack's; None is any.

    Raises:
        CannotAct: they are for another.

    """
    if expected in {None, here.account}:
        return
    raise CannotAct(
        f"wrong account: these credentials are for {here.account} ({here.identity_arn}), but {stack} is in account "
        f"{expected} ({source}). Nothing was done.\n"
        f"Use credentials for {expected}: choose its profile (AWS_PROFILE), sign in to it (`aws sso login`) or assume "
        "a role in it; `aws sts get-caller-identity` shows which account is in use. "
        f"If the stack really is in {here.account}, correct {source}.",
    )


def _mapping(file: Path) -> dict[str, object]:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CannotAct(f"{file.name} cannot be read: {error}") from error
    return content if isinstance(content, dict) else {}
