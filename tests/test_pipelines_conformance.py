"""GitHub's, GitLab's and Jenkins's files: one pipeline three times, no logic in any, and nothing that opens a door."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from typing import TYPE_CHECKING

import pytest
import yaml

from infra.access.ci_roles import DEPLOY_SESSION_SECONDS
from infra.access.trust import AUDIENCE
from tests.pipelines import github, gitlab, jenkins
from tests.pipelines.broken import BROKEN, FILES
from tests.pipelines.model import EVENTS, STACKS, Event, Job, UnreadableError, by_name
from tests.recorder import ROOT

if TYPE_CHECKING:
    from pathlib import Path

HOSTS = {"github": github, "gitlab": gitlab, "jenkins": jenkins}
MAIN, DEVELOP = Event(kind="push", branch="main"), Event(kind="push", branch="develop")
NOTHING = dict[str, tuple[str, ...]]()
CHECKED = {"check": ("make ci-check",)}
BUILT = {"candidate": ("make ci-image PUSH=1",)}


def deployed(stack: str) -> dict[str, tuple[str, ...]]:
    return {f"deploy-{stack}": (f"make ci-deploy STACK={stack}", f"make ci-verify STACK={stack}")}


def jobs(root: Path, event: Event) -> dict[str, Job]:
    """The one pipeline of all hosts for an event."""
    found = {name: by_name(HOSTS[name].pipeline(root, event)) for name in event.hosts}
    for name, other in found.items():
        assert found["github"] == other, f"GitHub and {name} differ for {event}"
    return found["github"]


def expected(event: Event) -> dict[str, tuple[str, ...]]:
    """What docs/pipelines.md promises."""
    if event.kind == "pull request":
        last = (
            {"rehearse": ("make ci-rehearse",)}
            if event.fork or event.dependabot
            else {"preview": ("make ci-preview STACKS='staging prod'",)}
        )
        return {**CHECKED, "build": ("make ci-image",), **last}
    if event == DEVELOP:
        return {**CHECKED, **BUILT, **deployed("staging")}
    if event.branch != "main" or event.kind == "none" or event.fork:
        return NOTHING
    promised: dict[str, dict[str, tuple[str, ...]]] = {
        "push": {**CHECKED, **BUILT, **deployed("staging"), **deployed("prod")},
        "schedule": {"drift": ("make ci-drift STACKS='staging prod'",)},
        "promote": {"promote": ("make ci-promote",)},
        "rollback": {f"rollback-{event.stack}": (f"make ci-rollback STACK={event.stack}",)},
    }
    return promised[event.kind]


def conforms(root: Path) -> None:
    """Everything that is asked of the files; tests of broken copies ask the same."""
    for event in EVENTS:
        found = jobs(root, event)
        assert {name: job.commands for name, job in found.items()} == expected(event), f"{event}"
        for job in found.values():
            _is_safe(event, job)
            _is_given_enough(root, job)
    on_main = jobs(root, MAIN)
    assert on_main["deploy-staging"].needs == {"check", "candidate"}, "nothing is deployed that was not tested"
    assert on_main["deploy-prod"].needs == {"deploy-staging"}, "production comes after a verified staging"
    preview = jobs(root, Event(kind="pull request", branch="main"))["preview"]
    assert preview.needs == {"check", "build"}


def _is_safe(event: Event, job: Job) -> None:
    stack = job.name.rpartition("-")[2] if job.name.startswith(("deploy-", "rollback-")) else ""
    stack = "prod" if job.name == "promote" else stack
    roles = {"preview": "PREVIEW_ROLE_ARN", "drift": "PREVIEW_ROLE_ARN", "candidate": "PUSH_ROLE_ARN"}
    assert job.role == roles.get(job.name, f"DEPLOY_ROLE_ARN_{stack.upper()}" if stack else ""), (
        f"the role of {job.name}"
    )
    assert job.approval == (stack == "prod"), f"a person says yes to production, and to nothing else: {job.name}"
    locked = bool(stack) and event.kind != "rollback"
    assert job.lock == (f"deploy-{stack}" if locked else ""), f"one deployment at a time: {job.name}"
    assert job.keeps == (job.name in {"build", "candidate"})
    assert job.takes == (job.name == "preview" or job.name.startswith("deploy-"))
    if event.kind == "pull request":
        assert job.role in ({""} if event.fork or event.dependabot else {"", "PREVIEW_ROLE_ARN"}), (
            "who opens a pull request changes nothing"
        )


def _is_given_enough(root: Path, job: Job) -> None:
    used = github.actions(root, job.name)
    credentials = used.get("aws-actions/configure-aws-credentials", {})
    deploys = job.role.startswith("DEPLOY")
    if job.role:
        seconds = DEPLOY_SESSION_SECONDS if deploys else 3600
        assert credentials["role-duration-seconds"] == seconds, f"the role of {job.name} allows no other time"
        assert job.minutes * 60 < seconds, f"{job.name} would go on without credentials"
    with_pulumi = deploys or job.name in {"preview", "drift"}
    assert (used["actions/checkout"].get("fetch-depth") == 0) is with_pulumi, (
        f"{job.name}: history is asked by ancestry"
    )
    assert ("pulumi/actions" in used) is with_pulumi, f"{job.name}: Pulumi"
    if with_pulumi:
        wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
        assert f"pulumi=={used['pulumi/actions']['pulumi-version']}" in wanted, (
            "one version of Pulumi, as the program's"
        )


def test_the_three_hosts_run_the_same_jobs_for_every_event() -> None:
    conforms(ROOT)


def test_checks_and_image_run_side_by_side() -> None:
    found = jobs(ROOT, MAIN)
    assert found["check"].needs == found["candidate"].needs == frozenset()


def test_every_command_is_a_target_of_the_makefile() -> None:
    commands = {line for event in EVENTS for job in jobs(ROOT, event).values() for line in job.commands}
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {line.split()[1] for line in commands} == {name for name in targets if name.startswith("ci-")}
    for line in sorted(commands):
        asked = ["make", "--dry-run", *line.replace("'", "").replace("STACKS=staging prod", "STACKS=both").split()[1:]]
        ran = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
        assert ran.returncode == 0, f"{line}: {ran.stderr}"


def test_what_a_person_typed_reaches_no_recipe() -> None:
    recipes = (ROOT / "Makefile").read_text().partition("\nSTAGE := ")[2].partition("\n.PHONY")[0]
    commands = re.findall(r"^\t@(.+)", recipes, re.MULTILINE)
    assert "$(STAGE) rollback" in commands
    assert set(re.findall(r"\$\(([^)]+)\)", "\n".join(commands))) == {"STAGE"}


@pytest.mark.parametrize("stage", ["deploy", "promote"])
def test_what_comes_before_production_is_chosen_by_no_variable_of_a_pipeline(stage: str) -> None:
    def made(*typed: str, **environment: str) -> subprocess.CompletedProcess[str]:
        asked = ["make", "--dry-run", f"ci-{stage}", *typed]
        clean = {"PATH": os.environ["PATH"], **environment}
        return subprocess.run(asked, cwd=ROOT, env=clean, capture_output=True, text=True, check=False, timeout=60)

    assert made("AFTER=none").returncode == 0, "a person at make's command line does"
    for ways in ([], ["--environment-overrides"]):
        refused = made(*ways, AFTER="none")
        assert refused.returncode != 0
        assert "AFTER is set in the environment" in refused.stderr
        assert f"ops.pipeline {stage}" not in refused.stdout


def test_roles_trust_the_workflow_that_deploys() -> None:
    default = yaml.safe_load((ROOT / "stacks/bootstrap/Pulumi.yaml").read_text())["config"]
    path = default["pactum-bootstrap:githubWorkflow"]["default"]
    workflow = github.read((ROOT / path).read_text())
    assert {"candidate", "deploy-staging", "deploy-prod", "promote"} <= workflow["jobs"].keys()
    assert gitlab.AUDIENCE["AWS_ID_TOKEN"]["aud"] == AUDIENCE
    for stack in STACKS:
        assert (ROOT / f"Pulumi.{stack}.yaml").is_file(), "environments are named like stacks"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("what", BROKEN)
def test_a_file_is_refused_that_has(what: str, copy: Path) -> None:
    name, old, new = BROKEN[what]
    text = (copy / name).read_text()
    assert old in text, "nothing would be broken"
    (copy / name).write_text(text.replace(old, new))
    with pytest.raises((UnreadableError, AssertionError)):
        conforms(copy)
