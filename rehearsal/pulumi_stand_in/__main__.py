"""`pulumi COMMAND` as pipelines' stages call it, on a rehearsal that is up: see bin/pulumi.

It answers in the CLI's words and with its exit codes, and any command or option it does not know is an error.
"""

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

from rehearsal.errors import RehearsalError
from rehearsal.place import Place
from rehearsal.pulumi_stand_in import actions
from rehearsal.pulumi_stand_in.actions import COMMANDS, PulumiError

# The CLI's exit codes: for whatever goes wrong, and for an update that was interrupted once (docs/releases.md).
FAILED = 255
INTERRUPTED = 1
KEPT = "REHEARSAL_KEPT"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise PulumiError(f"{message} (the rehearsal's stand-in knows only what pipelines' stages call)")


def _parser() -> _Parser:
    parser = _Parser(prog="pulumi", allow_abbrev=False, add_help=False)
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)
    for name, command in COMMANDS.items():
        sub = commands.add_parser(name, allow_abbrev=False, add_help=False)
        sub.add_argument("--stack", "-s", default="")
        sub.add_argument("--non-interactive", action="store_true")
        sub.add_argument("--color", choices=["never"])
        for words, settings in command.options:
            sub.add_argument(*words, **settings)
    return parser


def main(arguments: list[str]) -> int:
    """Run one command line; answers the exit code."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        options = _parser().parse_args(arguments)
        place = Place(root=Path.cwd(), kept=Path(os.environ[KEPT]))
        return COMMANDS[options.command].act(place, options)
    except (PulumiError, RehearsalError) as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print(f"error: {actions.CANCELLED}", file=sys.stderr)
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
