"""Where commands stand: the pages, the descriptions of configuration, and what programs say in `these marks`."""

from __future__ import annotations

import ast
import re
import subprocess
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import yaml

from tests.recorder import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TELLING = ("ops", "infra", "stacks", "rehearsal")
"""Directories whose programs tell people what to run."""
CONSOLES = {"console", "sh", "shell", "bash"}
GAP = "…"
"""Stands for what a program puts into its message when it runs."""
_FENCED = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")


@dataclass(frozen=True, kw_only=True)
class Told:
    """One piece of text that may be a command. `whole`: in a console block, where nothing may be left out."""

    file: str
    line: int
    text: str
    whole: bool = False

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


@cache
def tracked() -> tuple[str, ...]:
    """Files of the checkout, in git or on their way there."""
    asked = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    return tuple(name for name in listed.stdout.splitlines() if (ROOT / name).is_file())


def pages() -> list[Path]:
    """All Markdown."""
    return [ROOT / name for name in tracked() if name.endswith(".md")]


def everything() -> list[Told]:
    """All that is told anywhere."""
    found = [told for page in pages() for told in of_page(_name(page), page.read_text(encoding="utf-8"))]
    for name in ("Pulumi.yaml", "stacks/bootstrap/Pulumi.yaml"):
        found += of_descriptions(name, (ROOT / name).read_text(encoding="utf-8"))
    for name in tracked():
        if name.endswith(".py") and name.partition("/")[0] in TELLING:
            found += of_program(name, (ROOT / name).read_text(encoding="utf-8"))
    return found


def of_page(file: str, text: str) -> Iterator[Told]:
    """What a console shows after `$ `, and code within sentences."""
    for block in _FENCED.finditer(text):
        if block[2] not in CONSOLES:
            continue
        first = text.count("\n", 0, block.start(3)) + 1
        for line, command in commands_of(block[3], prompt=block[2] == "console"):
            yield Told(file=file, line=first + line, text=command, whole=True)
    # As many lines as before, so that lines are counted right.
    sentences = _FENCED.sub(lambda block: "\n" * block[0].count("\n"), text)
    yield from _spans(file, sentences)


def commands_of(block: str, *, prompt: bool = True) -> Iterator[tuple[int, str]]:
    """A block's commands with the number of their line, each in one line; what a console prints is left out."""
    lines = iter(enumerate(block.splitlines()))
    for number, line in lines:
        if prompt and not line.lstrip().startswith("$ "):
            continue
        command = line.lstrip().removeprefix("$ ")
        while command.endswith(("\\", "|")):
            command = command.removesuffix("\\").rstrip() + " " + next(lines)[1].strip()
        yield number, command


def of_descriptions(file: str, text: str) -> Iterator[Told]:
    """Code in the description of each key."""
    for key, declared in yaml.safe_load(text)["config"].items():
        line = text.count("\n", 0, text.index(f"  {key}:")) + 1
        for told in _spans(file, str(declared.get("description", ""))):
            yield Told(file=file, line=line, text=told.text)


def of_program(file: str, text: str) -> Iterator[Told]:
    """Code in the texts of a program, its messages and docstrings."""
    nodes = list(ast.walk(ast.parse(text)))
    within = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            said = "".join(_text(part) or GAP for part in node.values)
        elif isinstance(node, ast.Constant) and id(node) not in within:
            said = _text(node)
        else:
            continue
        for told in _spans(file, said):
            yield Told(file=file, line=node.lineno + told.line - 1, text=told.text)


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _spans(file: str, text: str) -> Iterator[Told]:
    for span in _SPAN.finditer(text):
        yield Told(file=file, line=text.count("\n", 0, span.start()) + 1, text=" ".join(span[1].split()))


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()
