"""A line for a shell, taken apart into the commands that it runs."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field

_ASSIGNED = re.compile(r"[A-Za-z_]\w*=")
_BETWEEN = {"|", "||", "&&", ";", "&", "(", ")"}
# Words before a command; a loop's first line runs nothing.
_KEYWORDS, _LOOP = {"do", "done", "then", "else", "fi", "if", "!"}, "for"
_REDIRECTED = {">", ">>", "<", "<<<", "2>"}


class UnreadableError(ValueError):
    """What a shell would refuse."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """One program with its words, and the variables set for it alone."""

    words: tuple[str, ...]
    variables: tuple[str, ...] = field(default=())

    @property
    def program(self) -> str:
        return self.words[0]

    @property
    def arguments(self) -> list[str]:
        return list(self.words[1:])


def commands(line: str) -> list[Command]:
    """Every command of the line, those in `$(...)` first; an assignment alone is none.

    Raises:
        UnreadableError: a quotation or a `$(` that does not end.

    """
    inner, rest = _substituted(line)
    lexer = shlex.shlex(rest, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError as error:
        raise UnreadableError(f"no shell reads this: {error}") from error
    found, current = [command for text in inner for command in commands(text)], list[str]()
    for word in [*words, ";"]:
        if word in _BETWEEN:
            found += _one(current)
            current = []
        else:
            current.append(word)
    return found


def _one(words: list[str]) -> list[Command]:
    variables = []
    while words and words[0] in _KEYWORDS:
        words = words[1:]
    if words[:1] == [_LOOP]:
        return []
    while words and _ASSIGNED.match(words[0]):
        variables.append(words.pop(0))
    kept, skipped = list[str](), False
    for word in words:
        if skipped or word in _REDIRECTED:
            skipped = not skipped
        else:
            kept.append(word)
    return [Command(words=tuple(kept), variables=tuple(variables))] if kept else []


def _substituted(line: str) -> tuple[list[str], str]:
    """The texts of `$(...)`, and the line with `$()` in their places."""
    found, rest, place = list[str](), "", 0
    while (begins := line.find("$(", place)) >= 0:
        depth, end = 1, begins + 2
        while depth:
            if end == len(line):
                raise UnreadableError("a $( that does not end")
            depth += {"(": 1, ")": -1}.get(line[end], 0)
            end += 1
        found.append(line[begins + 2 : end - 1])
        rest, place = f"{rest}{line[place:begins]}$SAID", end
    return found, rest + line[place:]
