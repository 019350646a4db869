"""A team's own workflows stand beside ours, and are refused only where they take what is ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pipelines.others import refused
from tests.recorder import ROOT

if TYPE_CHECKING:
    from pathlib import Path

# GitHub's own template, shortened.
CODEQL = """name: CodeQL # no PUSH_ROLE_ARN here
on:
  push: { branches: [main] }
  schedule: [{ cron: "38 3 * * 2" }]
permissions: { contents: read }
concurrency:
  group: ${{ github.workflow }}-${{ github.ref }}
  cancel-in-progress: true
jobs:
  analyze:
    runs-on: ubuntu-latest
    environment: github-pages
    permissions: { security-events: write, id-token: write }
    steps:
      - uses: actions/checkout@v4
      - run: make ci-check LEVEL=${{ vars.LEVEL }}
"""
TAKEN = {
    "a role's variable": ("vars.LEVEL", "vars.push_role_arn", "`push_role_arn` is for deploy.yml"),
    "all variables": ("vars.LEVEL", "toJSON(vars)", "is for deploy.yml"),
    "a variable by a name that is made": ("vars.LEVEL", "vars[matrix.name]", "is for deploy.yml"),
    "the state": ("vars.LEVEL", "vars.PULUMI_BACKEND_URL", "is for deploy.yml"),
    "a stage that deploys": ("make ci-check", "make ci-promote", "`ci-promote` is for deploy.yml"),
    "a stack's environment": ("environment: github-pages", "environment: { name: Prod }", "environment `Prod` is"),
    "an environment that nobody knows": ("github-pages", "${{ matrix.name }}", "may be, a stack's"),
    "a deployment's lock": ("${{ github.workflow }}-", "deploy-prod", "concurrency group `deploy-prod"),
    "something that is no workflow": ("jobs:", "works:", "it cannot be read (KeyError)"),
    "something that is no YAML": ("permissions: {", "permissions: {{", "it cannot be read"),
}


def written(directory: Path, text: str, name: str = "codeql.yml") -> Path:
    workflows = directory / ".github/workflows"
    workflows.mkdir(parents=True)
    (workflows / name).write_text(text)
    return directory


def test_a_teams_own_workflow_is_its_own_affair(tmp_path: Path) -> None:
    assert refused(written(tmp_path, CODEQL)) == []


@pytest.mark.parametrize("what", TAKEN)
@pytest.mark.parametrize("name", ["codeql.yml", "deploy.yaml"])
def test_a_workflow_is_refused_that_takes(what: str, name: str, tmp_path: Path) -> None:
    old, new, told = TAKEN[what]
    assert old in CODEQL, "nothing would be taken"
    (found,) = refused(written(tmp_path, CODEQL.replace(old, new), name))
    assert found.startswith(f"{name}: ")
    assert told in found


def test_no_workflow_here_takes_what_is_for_the_pipelines() -> None:
    assert refused(ROOT) == []
