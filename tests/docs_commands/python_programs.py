"""`python -m ...`: each program's own grammar reads what is told of it; words that stand for others are let through."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.util
import io
from functools import cache
from typing import TYPE_CHECKING, Any
from unittest import mock

from benchmarks import __main__ as benchmarks
from ops.__main__ import COMMANDS, parser
from ops.pipeline.__main__ import STAGES
from rehearsal import __main__ as rehearsal
from rehearsal import commands
from rehearsal.cost import __main__ as cost
from tests.docs_commands.reading import GAP
from tests.docs_commands.words import RefusedError, stands_for_another
from tests.recorder import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

VERBS = {command.name for command in COMMANDS}
# Of the interpreter's own, with options that are looked at by nobody.
OF_PYTHON = {"venv", "pip"}
# Programs that read words without a grammar.
PLAIN = {"tests.observability_docs", "tests.alarm_scenarios", "tests.pipelines.executed", "rehearsal.emulator"}
PLAIN |= {"tests.docs_commands.pulumi_cli"}
# Of Django's, which tasks of the application run.
OF_DJANGO = {"check", "clearsessions", "makemigrations", "migrate", "shell", "showmigrations"}
_MISSING = "the following arguments are required"


def check(arguments: list[str], *, whole: bool) -> None:
    """RefusedError for a module that is not there, or what its grammar refuses."""
    if arguments[:1] == ["-m"] and len(arguments) > 1:
        module(arguments[1], arguments[2:], whole=whole)
    elif arguments[:1] == ["-c"] and len(arguments) > 1:
        try:
            compile(arguments[1], "-c", "exec")
        except SyntaxError as error:
            raise RefusedError(f"no Python reads this: {error}") from error
    elif script := next((word for word in arguments if not word.startswith("-")), None):
        _script(script, arguments[arguments.index(script) + 1 :])


def module(name: str, arguments: list[str], *, whole: bool) -> None:
    """RefusedError for what `python -m NAME` does not take."""
    if name == "ops":
        ops(arguments, whole=whole)
    elif name == "ops.pipeline":
        _pipeline(arguments, whole=whole)
    elif name == "rehearsal":
        _rehearsal(arguments, whole=whole)
    elif name == "rehearsal.cost":
        _parsed(cost._parser().parse_args, arguments, whole=whole)
    elif name == "benchmarks":
        _parsed(benchmarks._options, arguments, whole=whole)
    elif name in PLAIN:
        if not (
            ROOT.joinpath(*name.split(".")).is_dir() or ROOT.joinpath(*name.split(".")).with_suffix(".py").is_file()
        ):
            raise RefusedError(f"there is no module {name}")
    elif name not in OF_PYTHON:
        raise RefusedError(f"nobody knows how to read `python -m {name}`: is there such a program?")


def ops(arguments: list[str], *, whole: bool) -> None:
    """RefusedError for what `python -m ops` does not take."""
    if not arguments or stands_for_another(arguments[0]):
        # `python -m ops VERB --stack STACK`: what holds for all holds for one.
        arguments = ["status", *arguments[1:]]
    own, dashes, of_task = _split(_without_gaps([word for word in arguments if word != "[options]"]))
    _parsed(_ops().parse_args, [*own, *dashes, *of_task], whole=whole)
    if of_task[:1] == ["manage.py"]:
        _script("manage.py", of_task[1:])


@cache
def _ops() -> argparse.ArgumentParser:
    return parser()


def _split(words: list[str]) -> tuple[list[str], list[str], list[str]]:
    place = words.index("--") if "--" in words else len(words)
    return words[:place], words[place : place + 1], words[place + 1 :]


def _without_gaps(words: list[str]) -> list[str]:
    """Without what a message puts in whole, such as its ` --stack prod`; an option's value stays."""
    return [
        word
        for place, word in enumerate(words)
        if word not in (GAP, "...") or (place and words[place - 1].startswith("--"))
    ]


def _pipeline(arguments: list[str], *, whole: bool) -> None:
    if not arguments or arguments[0] in ("--help", "STAGE"):
        return
    if arguments[0] not in STAGES:
        raise RefusedError(f"python -m ops.pipeline has no stage {arguments[0]}")
    own = argparse.ArgumentParser(allow_abbrev=False)
    importlib.import_module(f"ops.pipeline.{STAGES[arguments[0]].module}").add_options(own)
    _parsed(own.parse_args, arguments[1:], whole=whole)


def _rehearsal(arguments: list[str], *, whole: bool) -> None:
    if arguments and arguments[0] in rehearsal.PROGRAMS:
        told = importlib.import_module(rehearsal.PROGRAMS[arguments[0]].__module__)._parser()
        _parsed(told.parse_args, arguments[1:], whole=whole)
        return
    _parsed(rehearsal._parser().parse_args, arguments, whole=whole)
    known = {*commands.COMMANDS, *(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml"))}
    target = next((word for word in arguments[:1] if not word.startswith("-")), "STACK")
    if target not in known and not stands_for_another(target):
        raise RefusedError(f"python -m rehearsal knows no {target}")


def _script(script: str, arguments: list[str]) -> None:
    if script == "manage.py":
        ours = {path.stem for path in (ROOT / "app_image").glob("**/management/commands/*.py")}
        if arguments and arguments[0] not in ours | OF_DJANGO and not stands_for_another(arguments[0]):
            raise RefusedError(f"manage.py has no command {arguments[0]}")
    elif not stands_for_another(script) and not (ROOT / script.replace("/app/", "app_image/", 1)).is_file():
        raise RefusedError(f"there is no script {script}")


def _parsed(parse: Callable[[list[str]], Any], words: list[str], *, whole: bool) -> None:
    """Let the program's own grammar read it; in a sentence what is wanted may lack, and the last option's value."""
    if not whole and words and words[-1].startswith("--"):
        with contextlib.suppress(RefusedError):
            return _read(parse, [*words, "VALUE"], whole=whole)
    return _read(parse, words, whole=whole)


def _read(parse: Callable[[list[str]], Any], words: list[str], *, whole: bool) -> None:
    said = io.StringIO()
    grammar = argparse.ArgumentParser
    kinds, choices, refuse = grammar._get_value, grammar._check_value, grammar.error

    def value(self: argparse.ArgumentParser, action: argparse.Action, word: str) -> Any:
        return word if stands_for_another(word) else kinds(self, action, word)

    def check_value(self: argparse.ArgumentParser, action: argparse.Action, word: Any) -> None:
        if not stands_for_another(str(word)):
            choices(self, action, word)

    def error(self: argparse.ArgumentParser, message: str) -> None:
        if whole or not message.startswith(_MISSING):
            refuse(self, message)

    with (
        mock.patch.multiple(grammar, _get_value=value, _check_value=check_value, error=error),
        contextlib.redirect_stderr(said),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        try:
            parse(words)
        except SystemExit as ended:
            if ended.code:
                raise RefusedError(said.getvalue().strip().rpartition("error: ")[2]) from ended
