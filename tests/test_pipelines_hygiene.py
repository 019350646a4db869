"""What keeps the repository in shape by itself: updates of what is pinned, hooks, linters of every script."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import PurePath
from typing import Any

import yaml

from tests.recorder import ROOT

# Images for tests, built on the application's own.
WITHOUT_BASE = ("tests/bad_image/", "tests/releases/")
MANIFESTS = {
    "pip": "requirements*.txt",
    "docker": "Dockerfile",
    "docker-compose": "docker-compose.yml",
    "gomod": "go.mod",
    "npm": "package.json",
}


@cache
def files() -> tuple[str, ...]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return tuple(name for name in listed.stdout.splitlines() if (ROOT / name).is_file())


def updates() -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text())["updates"]
    return read


def test_whatever_is_pinned_is_updated() -> None:
    said = {
        (each["package-ecosystem"], place)
        for each in updates()
        for place in each.get("directories", [each.get("directory")])
    }
    there = {
        (ecosystem, "/" + str(PurePath(name).parent).removeprefix("."))
        for name in files()
        for ecosystem, manifest in MANIFESTS.items()
        if PurePath(name).match(manifest) and not name.startswith(WITHOUT_BASE)
    }
    assert said == there | {("github-actions", "/")}


def test_an_update_waits_until_others_have_had_it() -> None:
    assert {each["cooldown"]["default-days"] for each in updates()} == {7}


def test_hooks_are_what_a_pipeline_asks() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    hooks = [hook for repository in config["repos"] for hook in repository["hooks"]]
    assert {repository["repo"] for repository in config["repos"]} == {"local"}, "a hook of elsewhere is a download"
    makefile = (ROOT / "Makefile").read_text()
    for hook in hooks:
        program, target = hook["entry"].split()
        assert (program, hook["language"], hook["pass_filenames"]) == ("make", "system", False)
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"make has no {target}"
    check = makefile.partition("\ncheck:")[2].partition("\n\n")[0]
    assert all(hook["entry"].split()[1] in check for hook in hooks), "make check has to ask the same"


def _first_line(name: str) -> bytes:
    with (ROOT / name).open("rb") as file:
        return file.readline(200)


def test_every_script_of_the_shell_is_linted() -> None:
    linted = re.search(r"/shellcheck (.+)", (ROOT / "Makefile").read_text())
    assert linted
    named = set(linted[1].replace("$(ACTIONLINT)", "tests/pipelines/actionlint").split())
    shells = {name for name in files() if re.match(rb"#!\S*(?:/| )(?:ba|da)?sh\b", _first_line(name))}
    assert shells - named == set()


def test_every_dockerfile_of_ours_is_linted() -> None:
    linted = re.search(r"/hadolint (.+)", (ROOT / "Makefile").read_text())
    assert linted
    ours = {name for name in files() if name.endswith("Dockerfile") and not name.startswith("tests/")}
    # The stand-in for PostgreSQL takes whatever versions the base's distribution has.
    assert ours - set(linted[1].split()) == {"rehearsal/images/postgres/Dockerfile"}


def test_linters_of_pipelines_are_asked_by_make_lint() -> None:
    recipe = (ROOT / "Makefile").read_text().partition("\nlint:")[2].partition("\n\n")[0]
    for words in (
        "zizmor --quiet --offline",
        "actionlint/actionlint",
        "$(SCHEMA) vendor.github-workflows",
        "$(SCHEMA) vendor.dependabot",
        "$(SCHEMA) vendor.gitlab-ci",
        "pre-commit validate-config",
    ):
        assert words in recipe
