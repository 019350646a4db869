"""The files of one commit, beside the checkout: the program that made a stack, where the checkout is at another one."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ops.errors import CannotAct
from ops.pipeline.checkout import Checkout

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def at_commit(root: Path, commit: str, *, as_committed: bool = False) -> Iterator[Path]:
    """Yield a directory with that commit's files: `root`, where it is checked out, else one that is removed afterwards.

    `as_committed`: never `root`, in which there may be changes that are in no commit.

    The virtual environment is the checkout's: where the commit's requirements differ, its program may fail.

    Raises:
        CannotAct: the checkout does not have the commit.

    """
    checkout = Checkout(root)
    if checkout.head() == commit and not as_committed:
        yield root
        return
    if not checkout.knows(commit):
        raise CannotAct(
            f"commit {commit} is not in the history of this checkout. Nothing was done. {checkout.why_unknown()}",
        )
    with tempfile.TemporaryDirectory(prefix="pactum-commit-") as scratch:
        directory = Path(scratch) / "files"
        checkout.add_worktree(directory, commit)
        try:
            (directory / ".venv").symlink_to((root / ".venv").resolve(), target_is_directory=True)
            yield directory
        finally:
            checkout.remove_worktree(directory)
