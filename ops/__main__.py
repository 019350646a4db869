"""The command line: `python -m ops COMMAND --stack STACK [options]`.

Exit codes: 0 done; 1 the answer is no (a migration failed, the release is not live); 2 could not act, because
something is missing or wrong (an option, credentials, permission, the network, the stack); 130 and 143 interrupted.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from botocore.exceptions import BotoCoreError, ClientError

from ops import migrate, seed, verify
from ops.aws import Aws, Whereabouts
from ops.clock import Clock, SystemClock
from ops.command import Command, Context, account_number
from ops.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_TERMINATED, CannotAct, OpsError, Terminated, explain
from ops.stack import DEFAULT_PROJECT, PROJECT_VARIABLE, Stack, project_name
from ops.transcript import open_transcript

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

COMMANDS: tuple[Command, ...] = (seed.COMMAND, migrate.COMMAND, verify.COMMAND)

EPILOG = """\
Account, region and credentials come from the AWS SDK's default chain (AWS_PROFILE, AWS_REGION, ...).
Exit codes: 0 done; 1 the answer is no; 2 could not act, something is missing or wrong; 130, 143 interrupted.
"""


def parser() -> argparse.ArgumentParser:
    """Build the command line's grammar from the table of commands."""
    plain = argparse.RawDescriptionHelpFormatter
    top = argparse.ArgumentParser(
        prog="python -m ops", description="Operate a stack of Pactum.", epilog=EPILOG, formatter_class=plain
    )
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        sub = commands.add_parser(
            command.name,
            help=command.summary,
            description=command.description,
            epilog=EPILOG,
            formatter_class=plain,
            allow_abbrev=False,
        )
        _add_common_options(sub)
        command.add_options(sub)
        sub.set_defaults(command=command)
    return top


def _add_common_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--stack", required=True, metavar="STACK", help="the stack to act on, such as staging or prod")
    parser.add_argument(
        "--project",
        metavar="NAME",
        help="the Pulumi project, which names and tags begin with "
        f"(default: {PROJECT_VARIABLE} in the environment, else {DEFAULT_PROJECT})",
    )
    parser.add_argument(
        "--account",
        type=account_number,
        metavar="DIGITS",
        help="the stack's AWS account: with credentials for any other, nothing is done (default: not checked)",
    )


def main(
    arguments: Sequence[str] | None = None,
    *,
    environment: Mapping[str, str] = os.environ,
    connect: Callable[[], Aws] = Aws,
    clock: Clock | None = None,
) -> int:
    """Run one command and return its exit code; the only place where errors become messages."""
    options = parser().parse_args(arguments)
    command: Command = options.command
    try:
        stack = Stack(project=project_name(options.project, environment), name=options.stack)
        with open_transcript(environment, sys.stdout) as transcript:
            aws = connect()
            transcript.step(f"{command.name}: {command.summary}")
            whereabouts = aws.whereabouts(environment)
            transcript.step(f"{stack}, {whereabouts}")
            _refuse_another_account(whereabouts, stack, options.account)
            command.run(
                Context(
                    stack=stack, aws=aws, transcript=transcript, clock=clock or SystemClock(), environment=environment
                ),
                options,
            )
    except OpsError as error:
        return _fail(command, str(error), error.exit_code)
    except (ClientError, BotoCoreError) as error:
        explained = explain(error)
        return _fail(command, str(explained), explained.exit_code)
    except BrokenPipeError:
        # The reader of our output went away (`| head`): nothing left to say, and nobody to say it to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    except Terminated as error:
        return _fail(command, str(error) or "ended by SIGTERM", EXIT_TERMINATED)
    except KeyboardInterrupt as error:
        return _fail(command, str(error) or "interrupted", EXIT_INTERRUPTED)
    return EXIT_OK


def _refuse_another_account(here: Whereabouts, stack: Stack, expected: str | None) -> None:
    if expected in {None, here.account}:
        return
    raise CannotAct(
        f"wrong account: these credentials are for {here.account} ({here.identity_arn}), but {stack} is in account "
        f"{expected} (--account). Nothing was done.\n"
        f"Use credentials for {expected}: choose its profile (AWS_PROFILE), sign in to it (`aws sso login`) or assume "
        "a role in it; `aws sts get-caller-identity` shows which account is in use. "
        f"If the stack really is in {here.account}, correct --account.",
    )


def _fail(command: Command, message: str, exit_code: int) -> int:
    print(f"ops {command.name}: {message}", file=sys.stderr, flush=True)
    return exit_code


def _terminate(_signal: int, _frame: object) -> NoReturn:
    raise Terminated


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _terminate)
    sys.exit(main())
