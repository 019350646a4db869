"""`python -m ops set-secret NAME`: the value of one of the application's own secrets, from a person to Secrets Manager.

The value is asked for without being shown, or read from standard input. It is no option, for those stand in a shell's
history and in the list of processes; it is not printed, and passes neither Pulumi nor a file.
"""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING

from ops.command import Command, Context
from ops.errors import CannotAct
from ops.seed import GIVEN, find_secrets

if TYPE_CHECKING:
    import argparse

# Secrets Manager's own limit.
MOST_BYTES = 65_536


def _run(context: Context, options: argparse.Namespace) -> None:
    secrets = context.aws.secretsmanager
    arn = _arn(context, options.name)
    context.answer.update(secret=options.name, arn=arn, set=not context.dry_run)
    if context.dry_run:
        context.transcript.step(f"would give {options.name} a new value ({arn})")
        return
    secrets.put_secret_value(SecretId=arn, SecretString=_value(options.name))
    context.transcript.result(
        f"{options.name} has a new value ({arn}). A task reads it when it starts: those that run keep the old one until"
        " they are replaced."
    )


def _arn(context: Context, name: str) -> str:
    given = {
        kind.removeprefix(GIVEN): arn
        for kind, arn in find_secrets(context.aws.secretsmanager, context).items()
        if kind.startswith(GIVEN)
    }
    if name not in given:
        there = f"There are: {', '.join(sorted(given))}." if given else "There is none."
        raise CannotAct(
            f"{name} is no secret of the application's own in {context.stack}. {there} Name it in pactum:secrets of"
            " the stack file and run `pulumi up`, which makes it and then stops for its value."
        )
    return given[name]


def _value(name: str) -> str:
    if sys.stdin.isatty():
        value = getpass.getpass(f"{name} (not shown): ")
    else:
        # What `echo` adds behind a value is not part of it.
        value = sys.stdin.read(MOST_BYTES + 2).removesuffix("\n").removesuffix("\r")
    if not value:
        raise CannotAct(f"no value was given for {name}: nothing was changed. Type it, or pipe it into the command.")
    if len(value.encode()) > MOST_BYTES:
        raise CannotAct(f"the value of {name} is longer than {MOST_BYTES} bytes, which Secrets Manager does not take.")
    return value


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="the variable, as pactum:secrets names it")


COMMAND = Command(
    name="set-secret",
    summary="put the value of one of the application's own secrets",
    description="Put a value into one of the secrets that the stack file names in pactum:secrets. It is asked for, or\n"
    "read from standard input, and never shown. The value before stays in Secrets Manager as AWSPREVIOUS.",
    add_options=_options,
    run=_run,
)
