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
_WHOLE_HISTORY = (
    "Fetch the whole history: `fetch-depth: 0` of actions/checkout, GIT_DEPTH: 0 in GitLab, no shallow clone in "
    "Jenkins."
)
# Jenkins' branch sources fetch a job's own branch only, unless they are told otherwise.
_ALL_BRANCHES = (
    'Fetch all branches: Jenkins\' multibranch job does by the behaviour "Specify ref specs" with '
    "`+refs/heads/*:refs/remotes/@{remote}/*`."
)
_FIRST_FILES = 20


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
        changed = self._ask("status", "--porcelain", "--untracked-files=normal").splitlines()
        if changed:
            listed = "\n".join(changed[:_FIRST_FILES])
            more = f"\n... and {len(changed) - _FIRST_FILES} more" if len(changed) > _FIRST_FILES else ""
            raise CannotAct(
                f"files in {self._directory} are not as commit {commit} has them (?? is in no commit):\n{listed}{more}"
                "\nNothing was done: an image or an update would be of something that is in no commit. Commit the "
                "changes, or take them back (`git clean -d --interactive` removes what is in no commit). An earlier "
                "step of the job may have made them, or in a workspace that is used again an earlier job.",
            )

    def why_unknown(self) -> str:
        """Say why a commit of the repository may not be known here, and what to do about it."""
        if self._ask("rev-parse", "--is-shallow-repository") == "true":
            return f"This checkout is shallow. {_WHOLE_HISTORY}"
        # Without `origin/HEAD`, which is another name for one of them.
        names = "%(if)%(symref)%(then)%(else)%(refname:short)%(end)"
        fetched = self._ask("for-each-ref", f"--format={names}", "refs/remotes").split()
        lost = "it was not pushed, or its branch was forced"
        if len(fetched) == 1:
            return f"Only one branch was fetched, {fetched[0]}. {_ALL_BRANCHES} If there is no other branch, {lost}."
        return f"No branch that was fetched has it: {lost}."

    def knows(self, commit: str) -> bool:
        """Whether the commit is in this repository."""
        return self._run("cat-file", "-e", f"{commit}^{{commit}}").returncode == 0

    def commit_of(self, name: str) -> str:
        """The commit that a branch, a tag or its own first digits name; empty where there is none."""
        ran = self._run("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        return ran.stdout.strip()

    def left(self, branch: str) -> str:
        """The last commit that is in a branch, as it was fetched, and in what is checked out; empty without one."""
        ran = [self._run("merge-base", "HEAD", each).stdout.strip() for each in (f"origin/{branch}", branch)]
        return next(filter(None, ran), "")

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
