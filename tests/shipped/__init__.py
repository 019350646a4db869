"""The stack files as they are shipped, on which tests run: an account or a size of one's own turns no test red.

The stack files of the repository itself have tests/test_stack_files.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

SHIPPED = Path(__file__).parent
# The account that nobody has: a team replaces it by its own in every stack file.
PLACEHOLDER = "123456789012"


def stack_file(stack: str) -> Path:
    """The file of staging, prod or account."""
    return SHIPPED / f"Pulumi.{stack}.yaml"


def defaults(program: Path) -> dict[str, Any]:
    """What the Pulumi.yaml of a program's directory declares: the value or default of each key, None without either."""
    declared = yaml.safe_load((program / "Pulumi.yaml").read_text())["config"]
    return {key: each.get("value", each.get("default")) for key, each in declared.items()}


def written(stack: str) -> dict[str, Any]:
    """The configuration in it, by full keys."""
    config: dict[str, Any] = yaml.safe_load(stack_file(stack).read_text())["config"]
    return config
