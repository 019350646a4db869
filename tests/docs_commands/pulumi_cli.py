"""`pulumi ...`: held against what the CLI says of itself, kept in pulumi_cli.json.

`python -m tests.docs_commands.pulumi_cli PROGRAM VERSION` writes that table anew, by what `--help` of that CLI says.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TypedDict

from tests.docs_commands.words import RefusedError, option, stands_for_another

TABLE = Path(__file__).with_suffix(".json")
# What concerns a stack whose state is in a bucket or a directory; the rest is Pulumi Cloud's.
GROUPS: tuple[str, ...] = (
    "up",
    "preview",
    "destroy",
    "refresh",
    "cancel",
    "login",
    "logout",
    "whoami",
    "stack",
    "state",
    "config",
)
GROUPS += ("version", "about", "plugin", "import", "install")
_LISTED = re.compile(r"^  (?P<name>[a-z][\w-]*) +\S")
_OPTION = re.compile(r"^ +(?:(?P<short>-\w), )?(?P<long>--[\w-]+)(?P<value> \w+|\[=\S+\])?")


# Options that `--help` does not tell of (pkg/cmd/pulumi/operations/preview.go); ops/pipeline uses it.
HIDDEN = {"preview": {"--event-log"}}


class Table(TypedDict):
    """A CLI: each of its commands with the options that it takes, and whether they want a value."""

    version: str
    everywhere: dict[str, bool]
    commands: dict[str, dict[str, bool]]


@cache
def table() -> Table:
    """The CLI that the table was made of."""
    read: Table = json.loads(TABLE.read_text(encoding="utf-8"))
    return read


def check(arguments: list[str]) -> None:
    """RefusedError for a command or an option that the CLI has not."""
    known = table()
    words, options = _apart(arguments, known)
    name = ""
    for word in words:
        longer = f"{name} {word}".strip()
        if longer in known["commands"]:
            name = longer
        elif stands_for_another(word) or not _has_commands(name, known):
            break
        else:
            raise RefusedError(f"pulumi {known['version']} has no command {longer}")
    for given in options:
        if given not in {*known["everywhere"], *known["commands"].get(name, {}), *HIDDEN.get(name, set())}:
            raise RefusedError(f"pulumi {name} has no {given}, as of {known['version']}")


def _has_commands(name: str, known: Table) -> bool:
    """Whether what follows it is a command of its own."""
    return not name or any(other.startswith(f"{name} ") for other in known["commands"])


def _apart(arguments: list[str], known: Table) -> tuple[list[str], list[str]]:
    valued = {
        name
        for options in (known["everywhere"], *known["commands"].values())
        for name, value in options.items()
        if value
    }
    words, options, skipped = [], [], False
    for word in arguments:
        if skipped:
            skipped = False
        elif word.startswith("-"):
            options.append(option(word))
            skipped = option(word) in valued and "=" not in word
        else:
            words.append(word)
    return words, options


def made(program: str, version: str) -> Table:
    """Ask the CLI itself, but for what it calls experimental."""
    own: dict[str, dict[str, bool]] = {}
    inherited: dict[str, dict[str, bool]] = {}
    asked = list(GROUPS)
    for name in asked:
        told, _, above = _help(program, name).partition("Global Flags:")
        aliases = told.partition("\nAliases:\n")[2].partition("\n")[0].strip()
        # `stack new` is `stack init` as well.
        names = {name, *(f"{name.rpartition(' ')[0]} {other}".strip() for other in filter(None, aliases.split(", ")))}
        own |= dict.fromkeys(names, _options(told.partition("\nFlags:")[2]))
        inherited |= dict.fromkeys(names, _options(above))
        listed = told.partition("Commands:")[2].partition("\nFlags:")[0].splitlines()
        asked += [
            f"{name} {found['name']}"
            for line in listed
            if "EXPERIMENTAL" not in line and (found := _LISTED.match(line))
        ]
    shared = set.intersection(*(set(options) for options in inherited.values()))
    everywhere = {
        option: value for options in inherited.values() for option, value in options.items() if option in shared
    }
    commands = {
        name: own[name] | {option: value for option, value in inherited[name].items() if option not in shared}
        for name in sorted(own)
    }
    return {"version": version, "everywhere": everywhere, "commands": commands}


def written(read: Table) -> str:
    """As JSON, a command a line."""
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(options)}" for name, options in read["commands"].items())
    head = f' "version": {json.dumps(read["version"])},\n "everywhere": {json.dumps(read["everywhere"])},\n'
    return f'{{\n{head} "commands": {{\n{lines}\n }}\n}}\n'


def _help(program: str, name: str) -> str:
    asked = [program, *name.split(), "--help"]
    return subprocess.run(asked, capture_output=True, text=True, check=True, timeout=60).stdout


def _options(text: str) -> dict[str, bool]:
    found: dict[str, bool] = {}
    for line in text.splitlines():
        if told := _OPTION.match(line):
            names = filter(None, (told["short"], told["long"]))
            found |= dict.fromkeys(names, bool(told["value"]) and not str(told["value"]).startswith("["))
    return found


if __name__ == "__main__":
    TABLE.write_text(written(made(sys.argv[1], sys.argv[2])), encoding="utf-8")
