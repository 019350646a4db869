"""Who runs a command, and from which commit: what the release memory writes down about a person or a pipeline."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from ops.stack_file import image_context

if TYPE_CHECKING:
    from ops.command import Context

# GitHub Actions, GitLab CI, Jenkins (its build user plugin).
ACTORS = ("GITHUB_ACTOR", "GITLAB_USER_LOGIN", "BUILD_USER_ID")
# For pipelines we do not know, and for images that were built elsewhere.
OURS = "PACTUM_COMMIT"
# GitHub Actions, GitLab CI, Jenkins.
PIPELINES = ("GITHUB_SHA", "CI_COMMIT_SHA", "GIT_COMMIT")
_GIT_SECONDS = 10


def who(context: Context) -> str:
    """Name the person: as the pipeline knows them, else the last part of the AWS identity."""
    named = next((context.environment[name] for name in ACTORS if context.environment.get(name)), "")
    return named or context.whereabouts.identity_arn.rsplit("/", 1)[-1].rsplit(":", 1)[-1]


def commit(context: Context) -> str:
    """Name the commit being deployed; empty when nobody knows.

    PACTUM_COMMIT says it first. An image that is built of another repository's files is of the commit checked out
    there: neither the pipeline's variables nor our own repository are about it. Else the pipeline says, else git here.
    """
    given = context.environment.get(OURS, "")
    here = Path.cwd()
    built_of = image_context(here, context.stack)
    if not given and built_of.is_dir() and _repository(built_of) != _repository(here):
        return _checked_out(built_of)
    named = next((context.environment[name] for name in PIPELINES if context.environment.get(name)), "")
    return given or named or _checked_out(here)


def _checked_out(directory: Path) -> str:
    head = _git(directory, "rev-parse", "--verify", "HEAD")
    if not head:
        return ""
    return head if _git(directory, "status", "--porcelain") == "" else f"{head}-dirty"


def _repository(directory: Path) -> str | None:
    return _git(directory, "rev-parse", "--show-toplevel")


def _git(directory: Path, *arguments: str) -> str | None:
    """Ask git about a directory; None when there is no git, no repository, or no answer."""
    command = ["git", "-C", str(directory), *arguments]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=_GIT_SECONDS, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
    return ran.stdout.strip() if ran.returncode == 0 else None
