"""What the checks of all programs share: how they refuse, and which words stand for others."""

from __future__ import annotations

import re

from tests.docs_commands.reading import GAP
from tests.recorder import ROOT

# STACK, ID; https://..., sha256:..., `...` alone; what a program or a shell puts in.
_PLACEHOLDER = re.compile(rf"\$?[A-Z][A-Z0-9_]*|.*\.\.\.|.*{GAP}.*|\$.*|\[options\]", re.DOTALL)


class RefusedError(Exception):
    """What is wrong with a command."""


def stands_for_another(word: str) -> bool:
    """Whether a person, a shell or a program puts something else here."""
    return bool(_PLACEHOLDER.fullmatch(word))


def option(word: str) -> str:
    """`--name` of `--name` and of `--name=value`."""
    return word.partition("=")[0]


def refuse_missing_paths(words: list[str], directories: set[str]) -> None:
    """RefusedError for a word that begins in a directory of the checkout and is not there."""
    for word in words:
        path = word.partition("=")[2] or word
        inside = "/" in path and path.partition("/")[0] in directories
        if inside and not stands_for_another(path.rpartition("/")[2]) and not (ROOT / path).exists():
            raise RefusedError(f"there is no {path}")
