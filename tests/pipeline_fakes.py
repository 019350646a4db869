"""A project in a git repository of its own, and an account with its stacks, for the tests of a pipeline's stages."""

from __future__ import annotations

import dataclasses
import os
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ops.pipeline import __main__ as command_line
from ops.release_record import LIVE, Record, Release
from tests.ops_fakes.account import TARGET_GROUP
from tests.ops_fakes.world import Outcome, World, connect

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

NEW = "sha256:" + "a" * 64
OLD = "sha256:" + "b" * 64
URL = "123456789012.dkr.ecr.us-east-1.amazonaws.com/pactum"
_FILE = 'config:\n  aws:allowedAccountIds: ["123456789012"]\n  pactum:repositoryUrl: ' + URL + "\n"
# What `pulumi` is asked is kept beside it; FAKE_CODE is how an update ends, FAKE_OUTPUTS what the stack answers.
_PULUMI = """#!/usr/bin/env bash
echo "$@" >>"$FAKE_LOG"
env | grep ^PACTUM_COMMIT >>"$FAKE_LOG"
if [ "$1" = stack ]; then echo "${FAKE_OUTPUTS:-{\\}}"; exit; fi
pwd >>"$FAKE_LOG"
while [ $# -gt 0 ]; do
  if [ "$1" = --config-file ]; then echo "dirty: true" >>"$2"; fi
  shift
done
echo "Updating (staging)"
exit "${FAKE_CODE:-0}"
"""


@dataclass
class Account(World):
    """An account with several stacks."""

    services: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The service that answers users, by cluster."""

    def describe_services(self, asked: dict[str, Any]) -> dict[str, Any]:
        found = self.services.get(asked["cluster"])
        return {"services": [found] if found else [], "failures": []}

    def runs(self, stack: str, digest: str, commit: str, *, verdict: str = LIVE) -> None:
        """Let a stack run this, and remember it as its only release."""
        self.prefix = f"pactum-{stack}"
        arn = self.define("web", len(self.definitions) + 1, release=digest)
        behind = [{"targetGroupArn": TARGET_GROUP, "containerName": "web", "containerPort": 8000}]
        about = {"serviceName": "web", "status": "ACTIVE", "loadBalancers": behind}
        self.services[self.prefix] = {**about, "taskDefinition": arn}
        release = Release(
            digest=digest, commit=commit, verdict=verdict, task_definition=arn, verified_at="2026-11-22T11:00:00Z"
        )
        self.change(stack, releases=(release,))

    def change(self, stack: str, **changes: Any) -> None:
        """Change what is remembered of a stack."""
        table = f"pactum-{stack}-releases"
        record: Record = self.record(table, stack)
        self.remember(dataclasses.replace(record, **changes), table, stack)


class Project:
    """A checkout of the project, with three commits on main, and the programs that stages call."""

    def __init__(self, directory: Path) -> None:
        self.root, self.bin, self.log = directory / "checkout", directory / "bin", directory / "log"
        self.root.mkdir()
        self.bin.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")
        self.write("Pulumi.yaml", "name: pactum\nconfig:\n  pactum:production: { type: boolean, default: false }\n")
        self.write("Pulumi.staging.yaml", _FILE)
        self.write("Pulumi.prod.yaml", f"{_FILE}  pactum:production: true\n")
        self.write(".gitignore", "/ci/\n")
        self.first, self.second, self.third = (self.commit(each) for each in ("first", "second", "third"))
        self.program("pulumi", _PULUMI)
        self.environment = {
            "PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(directory),
            "FAKE_LOG": str(self.log),
        }

    def program(self, name: str, content: str) -> Path:
        """Put a program on PATH."""
        path = self.bin / name
        path.write_text(content)
        path.chmod(0o755)
        return path

    def write(self, name: str, content: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    def commit(self, content: str) -> str:
        """Commit one more change, and return the commit."""
        self.write("change", content)
        self.git("add", "--all")
        self.git("-c", "user.name=Ana", "-c", "user.email=ana@example.com", "commit", "--quiet", "--message", content)
        return self.git("rev-parse", "HEAD")

    def git(self, *arguments: str) -> str:
        ran = subprocess.run(
            ["git", "-C", str(self.root), *arguments], capture_output=True, text=True, timeout=60, check=True
        )
        return ran.stdout.strip()

    @property
    def asked(self) -> str:
        """What the programs were asked, and said of themselves."""
        return self.log.read_text() if self.log.exists() else ""

    def push(self, commit: str = "", branch: str = "main", **changes: str) -> dict[str, str]:
        """Return the environment of GitHub's job for a push."""
        told = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "push", "GITHUB_REF_TYPE": "branch"}
        told |= {"GITHUB_REF_NAME": branch, "GITHUB_SHA": commit or self.git("rev-parse", "HEAD")}
        told |= {"PULUMI_BACKEND_URL": "s3://state", "PROD_APPROVAL": "none"}
        return {**self.environment, **told, **changes}


def run_stage(
    project: Project,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    *arguments: str,
    environment: dict[str, str] | None = None,
) -> Outcome:
    """Run `python -m ops.pipeline` with these arguments in a project, against a fake account."""
    aws = connect(world)
    monkeypatch.chdir(project.root)
    monkeypatch.setattr("ops.pipeline.surroundings.Aws", lambda: aws)
    monkeypatch.setattr("ops.pipeline.surroundings.SystemClock", lambda: world.clock)
    code = command_line.main(arguments, environment or project.push())
    seen = capfd.readouterr()
    return Outcome(code=code, out=seen.out, err=seen.err)
