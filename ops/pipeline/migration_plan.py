"""Which migrations a commit's image would apply to a stack, tried on tables like the stack's, with what they mean."""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ops.errors import OpsError
from ops.pipeline import child, migration_judgement, registry
from ops.pipeline.docker import Docker
from ops.pipeline.pulumi import NOTHING_RUNS
from ops.pipeline.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ops.command import Context
    from ops.pipeline.migration_risks import Risk
    from ops.pipeline.repository import Repository

_LAST_WORDS = 1500


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What would be migrated. `unknown` says why nobody knows; `looked` is false where only names are known."""

    names: tuple[str, ...] = ()
    untried: tuple[str, ...] = ()
    risks: tuple[Risk, ...] = ()
    looked: bool = True
    first: bool = False
    """The stack was never deployed: its database is empty, and nobody uses it."""
    unknown: str = ""

    @property
    def fails(self) -> bool:
        """Whether the deployment would end with the migration, or nobody knows whether."""
        return bool(self.unknown or self.untried)


def find(context: Context, repository: Repository, digest: str, root: Path, environment: Mapping[str, str]) -> Plan:
    """Try what the commit's image would migrate on the stack that runs this digest; what fails is in the plan."""
    first = digest == NOTHING_RUNS
    with tempfile.TemporaryDirectory(prefix="pactum-plan-") as directory:
        file = Path(directory) / "plan.json"
        command = [sys.executable, "-m", "rehearsal", "migrations", "--stack", context.stack.name]
        command += ["--output", str(file)]
        try:
            if not first:
                command += ["--deployed", _pulled(context, repository, digest, root, environment)]
            ran = child.capture(command, directory=root, environment=environment, told=child.NOTHING_CHANGED)
        except OpsError as error:
            return Plan(unknown=str(error))
        if ran.code:
            # Of a secret that is cut in two, the half would not be known as one.
            return Plan(unknown=redact(ran.text, environment).strip()[-_LAST_WORDS:])
        return understood(json.loads(file.read_text(encoding="utf-8")), first=first)


def understood(account: Mapping[str, Any], *, first: bool = False) -> Plan:
    """Turn the image's account of its migrations into a plan."""
    each, looked = account["migration_plan"], bool(account.get("looked"))
    if account.get("refused"):
        return Plan(unknown=f"Django refuses to begin, and the deployment would end here, red: {account['refused']}")
    # A database that nobody uses yet: nobody waits, and no release is there to break.
    of_interest = [one for one in each if not first or one.get("error")]
    found = [risk for one in of_interest for risk in migration_judgement.risks(one, looked=looked)]
    return Plan(
        names=tuple(str(one["name"]) for one in each),
        untried=tuple(account.get("untried", ())) or tuple(one["name"] for one in each if one.get("error")),
        risks=tuple(found),
        looked=looked,
        first=first,
    )


def _pulled(context: Context, repository: Repository, digest: str, root: Path, environment: Mapping[str, str]) -> str:
    docker = Docker(root, environment)
    image = f"{repository.url}@{digest}"
    with registry.login(context.aws, repository.registry, docker.executable, docker.environment) as logged_in:
        docker.pull(image, logged_in)
    return image
