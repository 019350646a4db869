"""Who runs a command, and from which commit: what the release memory writes down about a person or a pipeline."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ops.command import Context

# GitHub Actions, GitLab CI, Jenkins (its build user plugin).
ACTORS = ("GITHUB_ACTOR", "GITLAB_USER_LOGIN", "BUILD_USER_ID")
# The first is ours, for pipelines we do not know; then GitHub Actions, GitLab CI, Jenkins.
COMMITS = ("PACTUM_COMMIT", "GITHUB_SHA", "CI_COMMIT_SHA", "GIT_COMMIT")
_GIT_SECONDS = 10


def who(context: Context) -> str:
    """Name the person: as the pipeline knows them, else the last part of the AWS identity."""
    named = next((context.environment[name] for name in ACTORS if context.environment.get(name)), "")
    return named or context.whereabouts.identity_arn.rsplit("/", 1)[-1].rsplit(":", 1)[-1]


def commit(context: Context) -> str:
    """Name the commit being deployed: as the pipeline says, else the one checked out here; else empty."""
    named = next((context.environment[name] for name in COMMITS if context.environment.get(name)), "")
    if named:
        return named
    head = _git("rev-parse", "--verify", "HEAD")
    if not head:
        return ""
    return head if _git("status", "--porcelain") == "" else f"{head}-dirty"


def _git(*arguments: str) -> str | None:
    """Ask git about this directory; None when there is no git, no repository, or no answer."""
    try:
        ran = subprocess.run(["git", *arguments], capture_output=True, text=True, timeout=_GIT_SECONDS, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
    return ran.stdout.strip() if ran.returncode == 0 else None
