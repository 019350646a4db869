"""A team's repository: this working tree, with a trimmed `make check`, as its first commit.

What is trimmed: `tests/` holds one test beside the QA command, and `check` is that test and ruff on `stacks/`; the QA
command runs Django's tests of two files. All else is as it is here, and committed as a fork's own would be.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rehearsal.place import PROJECT_ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

KEPT_TESTS = {"tests/__init__.py", "tests/app/run"}
QA_TESTS = {"app_image/tests/__init__.py", "app_image/tests/test_health.py", "app_image/tests/test_pages.py"}
CHECK = "\t@$(BIN)/ruff check --quiet stacks && $(BIN)/pytest -q -p no:cacheprovider tests/test_scratch.py\n"
PASSES = "def test_of_the_team() -> None:\n    assert True\n"
FAILS = "def test_of_the_team() -> None:\n    assert not 'what the team expects'\n"
RED_IN_IMAGE = (
    "from django.test import SimpleTestCase\n\n\n"
    "class Red(SimpleTestCase):\n    def test_red(self) -> None:\n        self.fail('the price is wrong')\n"
)
GIT_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Scratch:
    """A git repository with `main` and `develop`, beside which jobs get clones of their own."""

    directory: Path

    @classmethod
    def make(cls, directory: Path) -> Scratch:
        """Commit the working tree, trimmed."""
        listed = _git(PROJECT_ROOT, "ls-files", "-co", "--exclude-standard", "-z").split("\0")
        for name in filter(None, listed):
            source, target = PROJECT_ROOT / name, directory / name
            if source.is_file() and _stays(name):
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target, follow_symlinks=False)
        (directory / "tests/test_scratch.py").write_text(PASSES)
        makefile = directory / "Makefile"
        trimmed, count = re.subn(r"(?m)^(check:.*\n)(\t.*\n)+", rf"\g<1>{re.escape(CHECK)}", makefile.read_text())
        if count != 1:
            raise ValueError("the Makefile has no `check` to trim")
        makefile.write_text(trimmed.replace(re.escape(CHECK), CHECK))
        _git(directory, "init", "--quiet", "--initial-branch", "main")
        made = cls(directory=directory)
        made.commit("main", {})
        _git(directory, "branch", "develop")
        return made

    def commit(self, branch: str, files: Mapping[str, str]) -> str:
        """Add one commit to a branch (which begins at main where it is new), and answer it."""
        exists = subprocess.run(
            ["git", "-C", str(self.directory), "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}"],
            capture_output=True,
            check=False,
            timeout=GIT_SECONDS,
        )
        if exists.returncode == 0:
            _git(self.directory, "checkout", "--quiet", branch, "--")
        elif files:
            _git(self.directory, "checkout", "--quiet", "-b", branch, "main")
        for name, content in files.items():
            path = self.directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        _git(self.directory, "add", "--all")
        _git(self.directory, "commit", "--quiet", "--allow-empty", "--message", f"work on {branch}")
        return _git(self.directory, "rev-parse", "HEAD")

    def parent(self, commit: str) -> str:
        """The commit before one."""
        return _git(self.directory, "rev-parse", f"{commit}^")

    def tip(self, branch: str) -> str:
        """The newest commit of a branch."""
        return _git(self.directory, "rev-parse", f"refs/heads/{branch}")

    def merge(self, source: str, target: str) -> None:
        """Bring one branch to another, as a pull request does that was merged."""
        _git(self.directory, "checkout", "--quiet", target, "--")
        _git(self.directory, "merge", "--quiet", "--no-ff", "--strategy-option", "theirs", "--no-edit", source)

    def clone(self, commit: str, target: Path, *, shallow: bool = False) -> None:
        """A checkout of a commit with its whole history, as jobs that deploy ask for; and what a job installs first."""
        here = f"file://{self.directory}"
        if shallow:
            _git(self.directory, "init", "--quiet", str(target))
            _git(target, "remote", "add", "origin", here)
            _git(target, "fetch", "--quiet", "--depth", "1", "origin", commit)
        else:
            _git(self.directory, "clone", "--quiet", "--no-checkout", here, str(target))
        _git(target, "checkout", "--quiet", "--detach", commit)
        _git(target, "remote", "set-url", "origin", "git@example.com:team/shop.git")
        for name in (".venv", ".venv-emulator"):
            _install(PROJECT_ROOT / name, target / name)


def _stays(name: str) -> bool:
    if name.startswith("tests/"):
        return name in KEPT_TESTS
    return not name.startswith("app_image/tests/") or name in QA_TESTS


def _install(made: Path, target: Path) -> None:
    """What a job installs first, from what is installed here.

    A directory of links: should make begin to install there, it empties the links' directory and not what they lead to.
    """
    target.mkdir()
    for each in made.iterdir():
        if each.name != ".installed":
            (target / each.name).symlink_to(each)
    (target / ".installed").touch()


def _git(directory: Path, *words: str) -> str:
    known = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "PATH": os.environ["PATH"]}
    who = {f"GIT_{role}_{what}": "team@example.com" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    done = subprocess.run(
        ["git", "-C", str(directory), *words],
        capture_output=True,
        text=True,
        check=True,
        timeout=GIT_SECONDS,
        env={**known, **who},
    )
    return done.stdout.strip()
