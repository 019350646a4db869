"""The checkout a stage runs in, asked by git."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from ops.errors import CannotAct

if TYPE_CHECKING:
    from pathlib import Path

_SECONDS = 30
_FILES_SECONDS = 120
_NO = 1
WHOLE_HISTORY = (
    "Fetch the whole history: `fetch-depth: 0` of actions/checkout, GIT_DEPTH: 0 in GitLab, no shallow clone in "
    "Jenkins."
)
"""What to do where a commit is not known here."""


class Checkout:
    """A directory of a git repository, and what its history says."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def head(self) -> str:
        """The commit that is checked out."""
        return self._ask("rev-parse", "--verify", "HEAD")

    def branch(self) -> str:
        """The branch that is checked out; empty when none is."""
        return self._ask("branch", "--show-current")

    def refuse_another(self, commit: str) -> None:
        """Refuse to act for a commit that is not the one that is checked out, or not as it was committed.

        Raises:
            CannotAct: it is not.

        """
        head = self.head()
        if head != commit:
            raise CannotAct(
                f"the pipeline is about commit {commit}, and {head} is checked out in {self._directory}. Nothing was "
                "done. Let the job check out the commit it runs for.",
            )
        changed = self._ask("status", "--porcelain", "--untracked-files=no")
        if changed:
            raise CannotAct(
                f"files in {self._directory} are not as commit {commit} has them:\n{changed}\n"
                "Nothing was done: an image or an update would be of something that is in no commit. Commit the "
                "changes, or take them back; a job's earlier step may have made them.",
            )

    def is_shallow(self) -> bool:
        """Whether its history was cut off when it was fetched."""
        return self._ask("rev-parse", "--is-shallow-repository") == "true"

    def knows(self, commit: str) -> bool:
        """Whether the commit is in this repository."""
        return self._run("cat-file", "-e", f"{commit}^{{commit}}").returncode == 0

    def is_ancestor(self, old: str, new: str) -> bool:
        """Whether `old` is in the history of `new`; a commit is its own ancestor, too."""
        ran = self._run("merge-base", "--is-ancestor", old, new)
        if ran.returncode not in {0, _NO}:
            raise self._failed("merge-base", ran)
        return ran.returncode == 0

    def add_worktree(self, directory: Path, commit: str) -> None:
        """Write the files of a commit into a new directory, which this repository knows of until it is removed."""
        self._ask("worktree", "add", "--quiet", "--detach", str(directory), commit, seconds=_FILES_SECONDS)

    def remove_worktree(self, directory: Path) -> None:
        """Remove such a directory with all that is in it."""
        self._ask("worktree", "remove", "--force", str(directory), seconds=_FILES_SECONDS)

    def _ask(self, *arguments: str, seconds: float = _SECONDS) -> str:
        ran = self._run(*arguments, seconds=seconds)
        if ran.returncode:
            raise self._failed(arguments[0], ran)
        return ran.stdout.strip()

    def _failed(self, what: str, ran: subprocess.CompletedProcess[str]) -> CannotAct:
        return CannotAct(
            f"`git {what}` failed in {self._directory}: {ran.stderr.strip()[-500:] or f'exit code {ran.returncode}'}\n"
            "Nothing was done. A stage runs at the top of a git checkout, as the user it belongs to.",
        )

    def _run(self, *arguments: str, seconds: float = _SECONDS) -> subprocess.CompletedProcess[str]:
        command = ["git", "-C", str(self._directory), *arguments]
        try:
            return subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
        except (OSError, subprocess.SubprocessError) as error:
            raise CannotAct(f"git cannot be asked: {error}. Install git, and run the stage again.") from error
