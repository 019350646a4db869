"""The files of one commit, beside the checkout: the program that made a stack, where the checkout is at another one."""

from __future__ import annotations

import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ops.errors import CannotAct
from ops.pipeline.checkout import Checkout

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECONDS = 120


@contextmanager
def at_commit(root: Path, commit: str) -> Iterator[Path]:
    """Yield a directory with that commit's files: `root`, where it is checked out, else one that is removed afterwards.

    The virtual environment is the checkout's: where the commit's requirements differ, its program may fail.

    Raises:
        CannotAct: the checkout does not have the commit.

    """
    checkout = Checkout(root)
    if checkout.head() == commit:
        yield root
        return
    if not checkout.knows(commit):
        raise CannotAct(
            f"commit {commit} is not in the history of this checkout. Nothing was done. Fetch the whole history: "
            "`fetch-depth: 0` of actions/checkout, GIT_DEPTH: 0 in GitLab, no shallow clone in Jenkins.",
        )
    with tempfile.TemporaryDirectory(prefix="pactum-commit-") as scratch:
        directory = Path(scratch) / "files"
        _git(root, "worktree", "add", "--quiet", "--detach", str(directory), commit)
        try:
            (directory / ".venv").symlink_to((root / ".venv").resolve(), target_is_directory=True)
            yield directory
        finally:
            _git(root, "worktree", "remove", "--force", str(directory))


def _git(root: Path, *arguments: str) -> None:
    command = ["git", "-C", str(root), *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    if ran.returncode:
        raise CannotAct(f"`git {' '.join(arguments[:2])}` failed in {root}: {ran.stderr.strip()[-500:]}")
