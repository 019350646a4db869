"""`make`: targets that the Makefile has and tells of, and variables that something reads."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache

from tests.docs_commands.words import RefusedError, stands_for_another
from tests.recorder import ROOT

# Told of by those who work on the Makefile itself (docs/decisions/0019-tests-side-by-side.md).
INNER = {"slow"}
_FLAG = re.compile(r"--jobs=\d+|--jobs|-n|--version")
_RULE = re.compile(r"^(?P<targets>[A-Za-z.][\w./ -]*?):(?!=)(?P<needs>[^#=]*?)(?:## (?P<told>.*))?$")
_SET = re.compile(r"^(?P<name>[A-Z_]+)\s*[?:]?=\s*(?P<value>.*)$")
_USED = re.compile(r"\$[({]([A-Z_]+)")
_CALLED = re.compile(r"(?<![\w./])((?:app_image|stacks|tests|rehearsal)/[\w./-]+)")
_MODULE = re.compile(r"python -m ([a-z_.]+)")
_CAPITALS = re.compile(r"\b[A-Z][A-Z0-9_]+\b")
_NAMED = re.compile(r"\b([A-Z][A-Z_]+)=")


@dataclass(kw_only=True)
class Target:
    """One target: what it needs, what it does, and what `make help` says of it."""

    needs: list[str] = field(default_factory=list)
    recipe: list[str] = field(default_factory=list)
    told: str = ""


@cache
def read() -> tuple[dict[str, Target], dict[str, str]]:
    """The Makefile's targets, and its own variables."""
    targets: dict[str, Target] = {}
    own: dict[str, str] = {}
    current: list[Target] = []
    for line in (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
        if line.startswith("\t"):
            for target in current:
                target.recipe.append(line)
        elif setting := _SET.match(line):
            own[setting["name"]] = setting["value"]
        elif (rule := _RULE.match(line)) and not line.startswith(".PHONY"):
            current = [targets.setdefault(name, Target()) for name in rule["targets"].split()]
            for target in current:
                target.needs += rule["needs"].replace("|", " ").split()
                target.told = rule["told"] or target.told
    return targets, own


def variables(name: str) -> set[str]:
    """What the target reads: the Makefile on its behalf, those it needs or makes, and the programs that it calls."""
    return _variables(name, frozenset())


def _variables(name: str, seen: frozenset[str]) -> set[str]:
    targets, own = read()
    if name in seen or name not in targets:
        return set()
    target, seen = targets[name], seen | {name}
    recipe = _expanded("\n".join(target.recipe), own)
    found = set(_USED.findall("\n".join(target.recipe))) | set(_USED.findall(recipe))
    further = [*target.needs, *(word for made in re.findall(r"\$\(MAKE\)(.*)", recipe) for word in made.split())]
    for other in further:
        found |= _variables(other, seen)
    for script in _CALLED.findall(recipe):
        if (ROOT / script).is_file():
            found |= set(_CAPITALS.findall((ROOT / script).read_text(encoding="utf-8")))
    for module in _MODULE.findall(recipe):
        package = ROOT.joinpath(*module.split("."))
        for file in package.rglob("*.py") if package.is_dir() else [package.with_suffix(".py")]:
            found |= set(re.findall(r'"([A-Z][A-Z0-9_]+)"', file.read_text(encoding="utf-8")))
    return found


def _expanded(text: str, own: dict[str, str]) -> str:
    for _ in range(3):
        text = _USED.sub(lambda used: f"{own.get(used[1], '')} {used[0]}", text)
    return text


def check(arguments: list[str]) -> None:
    """RefusedError for what the Makefile has not, or nobody reads."""
    targets, _ = read()
    words = [word for word in arguments if not _FLAG.fullmatch(word)]
    given = [word for word in words if "=" in word]
    named = [name for word in words if word not in given for name in _targets(word)]
    for name in named:
        if name not in targets:
            raise RefusedError(f"the Makefile has no target {name}")
        if not targets[name].told and name not in INNER and not name.startswith("."):
            raise RefusedError(f"`make help` does not tell of the target {name}: give it a ## in the Makefile")
    for word in given:
        variable = word.partition("=")[0]
        if named and not any(variable in variables(name) for name in named):
            raise RefusedError(f"nothing that `make {' '.join(named)}` runs reads {variable}")


def _targets(word: str) -> list[str]:
    """Itself; of `ci-STAGE` and `ci-...`, which stand for several, all of them."""
    if not word.startswith("-") and (several := re.fullmatch(r"([a-z-]*-)([A-Z]+|\.\.\.)", word)):
        found = [name for name in read()[0] if name.startswith(several[1])]
        return found or [word]
    return [] if stands_for_another(word) else [word]


def said_but_not_read() -> list[str]:
    """Variables that `make help` tells of, and their target does not read."""
    return [
        f"{name}: {variable}"
        for name, target in read()[0].items()
        for variable in _NAMED.findall(target.told)
        if variable not in variables(name)
    ]
