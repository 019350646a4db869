"""Whether a piece of text is a command, and whether what it calls exists."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from tests.docs_commands import aws_cli, makefile, others, pulumi_cli, python_programs
from tests.docs_commands.reading import tracked
from tests.docs_commands.shell import UnreadableError, commands
from tests.docs_commands.words import RefusedError, refuse_missing_paths, stands_for_another

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.docs_commands.reading import Told
    from tests.docs_commands.shell import Command

PROGRAMS: Mapping[str, Callable[[list[str], bool], None]] = {
    "make": lambda words, _: makefile.check(words),
    "python": lambda words, whole: python_programs.check(words, whole=whole),
    "python3": lambda words, whole: python_programs.check(words, whole=whole),
    "ops": lambda words, _: python_programs.ops(words, whole=False),
    "aws": lambda words, whole: aws_cli.check(words, whole=whole),
    "pulumi": lambda words, _: pulumi_cli.check(words),
    "source": lambda words, _: others.check_source(words),
}
# A word, and further on an option: whoever writes this in a sentence means a command.
_LIKE_A_COMMAND = re.compile(r"[a-z][\w./-]*( [^ ]+)* --[a-z].*")


@cache
def directories() -> set[str]:
    """Those at the top of the checkout."""
    return {name.partition("/")[0] for name in tracked() if "/" in name}


def known(program: str) -> bool:
    """Whether something here can tell what the program takes."""
    return program in PROGRAMS or program in others.TABLES or program in others.PLAIN or is_script(program)


def is_script(program: str) -> bool:
    """Whether it is meant as a file of the checkout."""
    return program.startswith(others.BIN) or (program.partition("/")[0] in directories() and "/" in program)


def is_command(told: Told) -> bool:
    """Whether it says what to run: all of a console does; in a sentence what begins with a program and goes on."""
    words = told.text.split()
    while words and re.match(r"[A-Za-z_]\w*=", words[0]):
        words = words[1:]
    if told.whole:
        return True
    if len(words) < 2:
        return bool(words) and is_script(words[0]) and _can_be_run(words[0])
    if words[0] in python_programs.VERBS:
        return words[1].startswith("-") or (words[0] != words[1] and stands_for_another(words[1]))
    return known(words[0]) or bool(_LIKE_A_COMMAND.fullmatch(told.text))


def _can_be_run(path: str) -> bool:
    return path.startswith(others.BIN) and not path.endswith("/")


def kinds(told: Told) -> list[str]:
    """The programs that it calls, each held against what there is.

    Raises:
        RefusedError: one of them, or what it is given, does not exist.

    """
    try:
        found = commands(told.text)
    except UnreadableError as error:
        raise RefusedError(str(error)) from error
    return [_checked(command, whole=told.whole) for command in found]


def _checked(command: Command, *, whole: bool) -> str:
    program, arguments = command.program, command.arguments
    refuse_missing_paths(list(command.words), directories())
    if is_script(program):
        others.check_script(program, command.variables)
        if not program.startswith(others.BIN + "python"):
            return "script"
        program = "python"
    elif program in python_programs.VERBS:
        program, arguments = "ops", [program, *arguments]
    if program in others.TABLES:
        others.check_table(program, arguments)
    elif program in others.PLAIN:
        others.check_plain(program, arguments)
    elif program in PROGRAMS:
        PROGRAMS[program](arguments, whole)
    else:
        raise RefusedError(f"nobody knows a program {program}")
    return program
