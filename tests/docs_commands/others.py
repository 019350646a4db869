"""Programs that are not ours and say nothing to a test: what of them may be told is written down here, and no more.

Sets of words are of each program's manual: what is added here was looked up there first.
"""

from __future__ import annotations

import os
import re
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING

from tests.docs_commands.words import RefusedError, option, stands_for_another
from tests.recorder import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# https://cli.github.com/manual/
GH: Mapping[str, set[str]] = {
    "--version": set(),
    "api": {"--jq", "--method", "-X", "-f", "-F", "--input", "--silent"},
    "auth login": set(),
    "auth status": set(),
    "pr create": {"--base", "--head", "--fill", "--title", "--body"},
    "pr checks": {"--watch"},
    "pr merge": {"--merge", "--squash"},
    "pr view": {"--comments"},
    "repo clone": set(),
    "repo fork": {"--clone", "--fork-name"},
    "run list": {"--workflow", "--limit", "--branch"},
    "repo set-default": set(),
    "run rerun": set(),
    "run view": {"--log", "--log-failed"},
    "run watch": set(),
    "variable delete": set(),
    "variable list": set(),
    "variable set": {"--body"},
    "workflow enable": set(),
    "workflow run": {"--ref", "-f"},
}
# https://git-scm.com/docs
GIT: Mapping[str, set[str]] = {
    "--version": set(),
    "add": set(),
    "checkout": {"-b", "-c"},
    "clean": {"-d", "--interactive"},
    "clone": set(),
    "commit": {"-m", "-am"},
    "diff": {"--stat"},
    "push": {"-u", "--delete", "origin"},
    "revert": {"--no-edit"},
    "status": {"--short"},
    "switch": {"-c"},
}
# https://docs.docker.com/reference/cli/docker/
DOCKER: Mapping[str, set[str]] = {
    "--version": set(),
    "build": set(),
    "builder prune": set(),
    "buildx version": set(),
    "compose": set(),
    "cp": set(),
    "create": set(),
    "image prune": set(),
    "info": set(),
    "login": {"--username", "--password-stdin"},
    "logs": set(),
    "network disconnect": {"-f"},
    "network ls": set(),
    "network prune": set(),
    "network rm": set(),
    "ps": {"-aq", "--filter"},
    "push": set(),
    "rm": {"--force", "-fv"},
    "run": set(),
    "save": set(),
    "start": set(),
    "version": set(),
    "volume ls": set(),
}
PLAIN: Mapping[str, set[str]] = {
    "apt-get": {"install", "-y"},
    "cp": {"-r"},
    "curl": {"-X", "-H", "-d", "-s", "-f", "-S", "-L", "-fsS", "-fsSL", "-sS"},
    "cd": set(),
    "dig": {"+short"},
    "grep": {"-n", "-rn", "-E", "-l"},
    "sed": {"-i", "-n", "-E"},
    "sh": {"-s", "--version"},
    "django-admin": {"startproject"},
    "syft": {"--quiet", "--output"},
    "uv": {"--generate-hashes", "-o"},
}
TABLES: Mapping[str, Mapping[str, set[str]]] = {"gh": GH, "git": GIT, "docker": DOCKER}
# Written when a rehearsal stays (rehearsal/environment_file.py).
SOURCED = re.compile(r"\.rehearsal/(\w+/)?environment")
BIN = ".venv/bin/"


def check_table(program: str, arguments: list[str]) -> None:
    """RefusedError for a subcommand, or an option of it, that is not written down."""
    table = TABLES[program]
    if not arguments or stands_for_another(arguments[0]):
        return
    name = next((name for name in (" ".join(arguments[:2]), arguments[0]) if name in table), None)
    if name is None:
        raise RefusedError(
            f"{program} {' '.join(arguments[:2])} is not among what is known of {program}: {', '.join(table)}"
        )
    _only(program, arguments[len(name.split()) :], table[name], name)


def check_plain(program: str, arguments: list[str]) -> None:
    """RefusedError for an option that is not written down."""
    _only(program, arguments, PLAIN[program], "")


def _only(program: str, arguments: list[str], allowed: set[str], name: str) -> None:
    for word in arguments:
        if word.startswith("-") and len(word) > 1 and option(word) not in allowed and word != "--":
            raise RefusedError(f"`{program} {name}` with {option(word)} is not among what is known of {program}")


def check_script(script: str, variables: Sequence[str] = ()) -> None:
    """RefusedError for a script that is not there, cannot be run, reads no such variable, or is no requirement's."""
    if script.startswith(BIN):
        name = script.removeprefix(BIN)
        if not re.fullmatch(r"python[\d.]*", name) and name not in console_scripts():
            raise RefusedError(f"no requirement of requirements-dev.txt brings a program {name}")
    elif not (ROOT / script).is_file():
        raise RefusedError(f"there is no {script}")
    elif not os.access(ROOT / script, os.X_OK):
        raise RefusedError(f"{script} cannot be executed")
    else:
        text = (ROOT / script).read_text(encoding="utf-8")
        for name in (variable.partition("=")[0] for variable in variables):
            if not re.search(rf"\b{name}\b", text):
                raise RefusedError(f"{script} reads no {name}")


@cache
def console_scripts() -> set[str]:
    """Programs that the pinned requirements put beside the interpreter."""
    pinned = set(re.findall(r"^([\w.-]+)==", (ROOT / "requirements-dev.txt").read_text(encoding="utf-8"), re.MULTILINE))
    known = {re.sub(r"[-_.]+", "-", name).lower() for name in pinned}
    return {
        file.name
        for found in metadata.distributions()
        if re.sub(r"[-_.]+", "-", found.metadata["Name"]).lower() in known
        for file in found.files or []
        if file.parent.name == "bin"
    }


def check_source(arguments: list[str]) -> None:
    """RefusedError for a file that nothing writes."""
    if not any(SOURCED.fullmatch(word) or stands_for_another(word) for word in arguments):
        raise RefusedError("only what a rehearsal writes is there to be sourced")
