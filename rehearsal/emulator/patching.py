"""Changes to MiniStack, each checked against the exact version they were written for.

MiniStack's functions are private to it, so a change of version may rename one or give it another meaning. The version
is therefore fixed, and what an extension replaces or calls must exist with the signature it was written against.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from types import ModuleType
from typing import Any

from rehearsal.emulator.settings import CannotStartError

MINISTACK_VERSION = "1.5.33"


@dataclass(frozen=True, kw_only=True)
class Extension:
    """One AWS rule that MiniStack by itself does not keep."""

    name: str
    rule: str
    source: str  # title of the page in AWS's documentation


def check_version(installed: str | None = None) -> None:
    """Stop unless MiniStack is exactly the version that the extensions were written for."""
    try:
        found = installed if installed is not None else metadata.version("ministack")
    except metadata.PackageNotFoundError:
        found = "not installed"
    if found != MINISTACK_VERSION:
        raise CannotStartError(
            f"MiniStack {MINISTACK_VERSION} is needed, and it is {found}; "
            "install rehearsal/emulator/requirements.txt into .venv-emulator"
        )


def require(module: ModuleType, name: str, signature: str) -> Callable[..., Any]:
    """Return the function of this name, which must take exactly these parameters.

    `signature` is as `inspect.signature` prints it, or `class` for a class.
    """
    require_record(module, name)
    found = getattr(module, name)
    actual = "class" if isinstance(found, type) else str(inspect.signature(found))
    if actual != signature:
        raise CannotStartError(
            f"{module.__name__}.{name} takes {actual}, and the extensions were written for {signature}"
        )
    return found  # type: ignore[no-any-return]


def require_record(module: ModuleType, name: str, *parts: str) -> None:
    """Check that a module has this name, and what it holds these attributes."""
    missing = f"{module.__name__}.{name}"
    if hasattr(module, name):
        lacking = [part for part in parts if not hasattr(getattr(module, name), part)]
        if not lacking:
            return
        missing += f".{lacking[0]}"
    raise CannotStartError(f"MiniStack {MINISTACK_VERSION} has no {missing}; it was changed by hand?")


def replace(module: ModuleType, name: str, signature: str, new: Callable[..., Any]) -> Callable[..., Any]:
    """Put `new` in the place of a function, in its module and its module's dispatch tables; return the original."""
    original = require(module, name, signature)
    setattr(module, name, new)
    for table in vars(module).values():
        if isinstance(table, dict):
            for key in [key for key, value in table.items() if value is original]:
                table[key] = new
    return original
