"""Workflows of a team's own beside ours (CodeQL, stale issues): theirs to write, as long as they leave ours alone.

AWS takes tokens for pushing and deploying from our workflow alone, and checks its name (infra/access/trust.py). Here is
refused what names the roles, the environments, the locks or the stages of ours: a job without their order and approval.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from tests.pipelines.github import WORKFLOWS, read
from tests.pipelines.model import STACKS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# GitHub reads names in any case. Who asks for all variables at once, or for one by a name that is made, gets ours.
_OURS = re.compile(
    r"\w*_ROLE_ARN\w*|PULUMI_BACKEND_URL|PROD_APPROVAL|toJSON\(\s*vars\s*\)|\bvars\s*\[|"
    r"\bci-(?:preview|deploy|verify|drift|promote|rollback)\b",
    re.IGNORECASE,
)
_LOCKS = ("deploy-", "drift", "pull-request-")


def refused(root: Path) -> list[str]:
    """Return what other workflows use that is for ours alone, each with why and what to do."""
    files = sorted((root / ".github/workflows").glob("*.y*ml"))
    return [f"{path.name}: {why}" for path in files if path.name not in WORKFLOWS for why in _of(path.read_text())]


def _of(text: str) -> Iterator[str]:
    try:
        said = read(text)
        parts = [said, *said["jobs"].values()]
        places = [(_named(part, "environment", "name"), _named(part, "concurrency", "group")) for part in parts]
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        yield f"it cannot be read ({type(error).__name__}), so nobody knows what it does. Correct it, or take it away."
        return
    # Without its comments: they do nothing.
    for name in sorted(set(_OURS.findall(yaml.safe_dump(said, width=10**6)))):
        yield f"`{name}` is for {', '.join(WORKFLOWS)}, whose order and approval are proven. Use names of its own."
    for environment, lock in places:
        if environment.lower() in STACKS or "${{" in environment:
            yield f"environment `{environment}` is, or may be, a stack's, with its role. Name another, and in full."
        if lock.lower().startswith(_LOCKS):
            yield f"concurrency group `{lock}` is, or may be, ours: one job would end the other. Name another."


def _named(part: dict[str, Any], key: str, within: str) -> str:
    found = part.get(key, "")
    return str(found.get(within, "")) if isinstance(found, dict) else str(found)
