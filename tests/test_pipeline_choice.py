"""What a person chose for a stage, by make's variables: it reaches the stage, and no shell and no recipe reads it."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from ops.errors import CannotAct
from ops.pipeline import choice, deploy, drift, image, preview, promote, rollback, verify
from tests.pipeline_fakes import Project
from tests.recorder import ROOT

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

STAGE = """#!/bin/sh
echo "$*" | sed 's/^-m ops.pipeline //'
for name in STACK STACKS AFTER PUSH TO; do eval "value=\\${$name-unset}"; echo "$name=$value"; done
"""


def chosen(stage: ModuleType, root: Path, *arguments: str, **environment: str) -> argparse.Namespace:
    """Read a stage's options, as its command does."""
    parser = argparse.ArgumentParser()
    stage.add_options(parser)
    options = parser.parse_args(arguments)
    choice.complete(stage.__name__.rpartition(".")[2], options, environment, root)
    return options


@pytest.mark.parametrize("stage", [deploy, verify, rollback, image])
def test_the_stack_is_the_options_and_else_the_variables(stage: ModuleType, tmp_path: Path) -> None:
    assert chosen(stage, tmp_path, STACK="prod").stack == "prod"
    assert chosen(stage, tmp_path, "--stack", "shop", STACK="prod").stack == "shop"


@pytest.mark.parametrize("stage", [deploy, verify, rollback])
@pytest.mark.parametrize("environment", [{}, {"STACK": ""}])
def test_what_changes_a_stack_is_told_which(stage: ModuleType, environment: dict[str, str], tmp_path: Path) -> None:
    root = Project(tmp_path).root
    with pytest.raises(CannotAct, match=r"make ci-\w+ STACK=\.\.\.`; there are prod, staging\.") as refused:
        chosen(stage, root, **environment)
    assert f"ci-{stage.__name__.rpartition('.')[2]} " in str(refused.value)


def test_where_no_stack_is_the_remedy_is_another(tmp_path: Path) -> None:
    with pytest.raises(CannotAct, match="at the top of the checkout"):
        chosen(deploy, tmp_path)


def test_a_promotion_goes_to_production_whatever_the_form_was_left_at(tmp_path: Path) -> None:
    """GitLab's form has the stack of a rollback in every job's environment."""
    options = chosen(promote, tmp_path, STACK="staging")
    assert (options.stack, options.after) == ("prod", "staging")


def test_an_image_is_built_by_stagings_file_and_pushed_when_told(tmp_path: Path) -> None:
    assert (chosen(image, tmp_path).stack, chosen(image, tmp_path).push) == ("staging", False)
    assert chosen(image, tmp_path, PUSH="1").push
    assert not chosen(image, tmp_path, PUSH="0").push
    assert chosen(image, tmp_path, "--push").push


@pytest.mark.parametrize("stage", [preview, drift])
def test_stacks_are_words(stage: ModuleType, tmp_path: Path) -> None:
    assert chosen(stage, tmp_path).stacks == ["staging", "prod"]
    assert chosen(stage, tmp_path, STACKS=" shop  prod").stacks == ["shop", "prod"]
    assert chosen(stage, tmp_path, "one", STACKS="shop").stacks == ["one"]


@pytest.mark.parametrize("stage", [deploy, promote])
def test_what_comes_before_production(stage: ModuleType, tmp_path: Path) -> None:
    assert chosen(stage, tmp_path, STACK="prod").after == "staging"
    assert chosen(stage, tmp_path, STACK="prod", AFTER="none").after == "none"
    assert chosen(stage, tmp_path, "--after", "shop", STACK="prod", AFTER="none").after == "shop"


def make(
    directory: Path, *arguments: str, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a target of the Makefile, whose stages say what they are given."""
    stage = directory / "stage"
    stage.write_text(STAGE)
    stage.chmod(0o755)
    own = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        ["make", "--no-print-directory", *arguments, f"STAGE={stage}"],
        cwd=ROOT,
        env={**own, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("typed", "given"),
    [
        (["ci-image", "PUSH=1"], "PUSH=1"),
        (["ci-preview", "STACKS=staging prod"], "STACKS=staging prod"),
        (["ci-drift", "STACKS=staging prod"], "STACKS=staging prod"),
        (["ci-deploy", "STACK=prod"], "STACK=prod"),
        (["ci-deploy", "STACK=prod", "AFTER=none"], "AFTER=none"),
        (["ci-verify", "STACK=prod"], "STACK=prod"),
        (["ci-promote", "AFTER=shop"], "AFTER=shop"),
        (["ci-rollback", "STACK=prod", "TO=abc"], "TO=abc"),
    ],
)
def test_what_make_is_given_reaches_the_stage(tmp_path: Path, typed: list[str], given: str) -> None:
    said = make(tmp_path, *typed).stdout.splitlines()
    assert said[0] == typed[0].removeprefix("ci-")
    assert given in said


def test_what_make_has_of_its_own_does_not(tmp_path: Path) -> None:
    """The Makefile's STACK is for other targets, and must not choose what is rolled back."""
    assert "STACK=unset" in make(tmp_path, "ci-rollback").stdout


@pytest.mark.parametrize("target", ["image", "preview", "deploy", "verify", "drift", "promote", "rollback"])
@pytest.mark.parametrize("how", ["none; touch {}", "$(shell touch {})", "`touch {}`", "$$(touch {})"])
def test_what_stands_in_a_jobs_environment_is_read_by_nothing_but_the_stage(
    tmp_path: Path, target: str, how: str
) -> None:
    made = tmp_path / "made"
    hostile = dict.fromkeys(("STACK", "STACKS", "PUSH", "TO"), how.format(made))
    ran = make(tmp_path, f"ci-{target}", environment=hostile)
    assert ran.returncode == 0, ran.stderr
    assert f"TO={hostile['TO']}" in ran.stdout
    assert not made.exists()


@pytest.mark.parametrize("target", ["deploy", "promote"])
def test_a_jobs_environment_does_not_switch_off_the_stack_before_production(tmp_path: Path, target: str) -> None:
    """On GitLab whoever pushes may add a variable: `git push -o ci.variable=AFTER=none`."""
    ran = make(tmp_path, f"ci-{target}", "STACK=prod", environment={"AFTER": "none"})
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert "AFTER is set in the environment, where it may be anybody's. Nothing was done." in ran.stderr
    assert f"make ci-{target} AFTER=..." in ran.stderr


def test_no_recipe_of_a_stage_has_a_variable_in_it() -> None:
    recipes = re.findall(r"(?m)^ci-[\w-]+:.*\n((?:\t.*\n)*)", (ROOT / "Makefile").read_text())
    assert set(re.findall(r"\$\((\w+)", "\n".join(recipes))) == {"STAGE"}, "make would paste it into a shell's text"
