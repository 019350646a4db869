"""The command line: `python -m ops COMMAND --stack STACK [options]`.

Exit codes: 0 done; 1 the answer is no (a migration failed, the release is not live); 2 could not act, because
something is missing or wrong (an option, credentials, permission, the network, the stack); 130 and 143 interrupted.
"""

from __future__ import annotations

from ops import interruption

if __name__ == "__main__":
    # The imports take a while, and a person may press Ctrl-C at once.
    interruption.ends_at_once()

import argparse
import contextlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError, NoRegionError

from ops import (
    denial,
    guard,
    hold,
    logs,
    migrate,
    releases,
    rollback,
    run,
    seed,
    set_secret,
    shell,
    state,
    status,
    stop,
    unprotect,
    verify,
    watching,
)
from ops.aws import Aws
from ops.clock import Clock, SystemClock
from ops.command import Command, Context, account_number
from ops.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_TERMINATED, CannotAct, OpsError, Terminated, explain
from ops.stack import DEFAULT_PROJECT, PROJECT_VARIABLE, Stack, project_name
from ops.stack_file import account_of, refuse_another_account, region_to_set, stack_file
from ops.transcript import Transcript, open_transcript

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

COMMANDS: tuple[Command, ...] = (
    status.COMMAND,
    logs.COMMAND,
    watching.COMMAND,
    run.COMMAND,
    stop.COMMAND,
    shell.COMMAND,
    releases.COMMAND,
    rollback.COMMAND,
    denial.DENY,
    denial.ALLOW,
    hold.HOLD,
    hold.UNHOLD,
    set_secret.COMMAND,
    state.COMMAND,
    unprotect.COMMAND,
    seed.COMMAND,
    guard.COMMAND,
    migrate.COMMAND,
    verify.COMMAND,
)

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
        _add_common_options(sub, command)
        command.add_options(sub)
        sub.set_defaults(command=command)
    return top


def _add_common_options(parser: argparse.ArgumentParser, command: Command) -> None:
    common = parser.add_argument_group("which stack, and how to answer")
    common.add_argument("--stack", required=True, metavar="STACK", help="the stack to act on, such as staging or prod")
    common.add_argument(
        "--project",
        metavar="NAME",
        help="the Pulumi project, which names and tags begin with "
        f"(default: {PROJECT_VARIABLE} in the environment, else {DEFAULT_PROJECT})",
    )
    common.add_argument(
        "--account",
        type=account_number,
        metavar="DIGITS",
        help="the stack's AWS account: with credentials for any other, nothing is done "
        "(default: the one in Pulumi.STACK.yaml, where the command is run beside that file; else not checked)",
    )
    lines = "one JSON object a line" if command.streams else "one JSON object"
    common.add_argument(
        "--json", action="store_true", help=f"{lines} on standard output, for programs; steps go to standard error"
    )
    if command.changes:
        common.add_argument("--dry-run", action="store_true", help="say what would be done, and change nothing")


def main(
    arguments: Sequence[str] | None = None,
    *,
    environment: Mapping[str, str] = os.environ,
    connect: Callable[[], Aws] = Aws,
    clock: Clock | None = None,
) -> int:
    """Run one command and return its exit code; the only place where errors become messages."""
    options = parser().parse_args(arguments)
    interruption.is_an_error_again()
    command: Command = options.command
    answer: dict[str, Any] = {"command": command.name, "stack": options.stack}
    try:
        code = _run(command, options, environment, connect, clock or SystemClock(), answer)
    except OpsError as error:
        code = _fail(command, str(error), error.exit_code, answer)
    except (ClientError, BotoCoreError) as error:
        explained = explain(error)
        code = _fail(command, str(explained), explained.exit_code, answer)
    except BrokenPipeError:
        # The reader of our output went away (`| head`): nothing left to say, and nobody to say it to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    except Terminated as error:
        code = _fail(command, str(error) or "ended by SIGTERM", EXIT_TERMINATED, answer)
    except KeyboardInterrupt as error:
        code = _fail(command, str(error) or "interrupted", EXIT_INTERRUPTED, answer)
    if options.json and (code or command.concludes or not command.streams):
        print(json.dumps({**answer, "ok": code == EXIT_OK, "exit_code": code}, default=str), flush=True)
    return code


def _run(
    command: Command,
    options: argparse.Namespace,
    environment: Mapping[str, str],
    connect: Callable[[], Aws],
    clock: Clock,
    answer: dict[str, Any],
) -> int:
    stack = Stack(project=project_name(options.project, environment), name=options.stack)
    answer |= {"project": stack.project}
    file = None if options.account else stack_file(Path.cwd(), stack)
    account = account_of(file) if file else options.account
    dry_run = command.changes and options.dry_run
    with contextlib.ExitStack() as closing:
        transcript = closing.enter_context(_transcript(command, options, environment))
        aws = connect()
        transcript.step(f"{command.name}: {command.summary}{' (dry run: nothing is changed)' if dry_run else ''}")
        try:
            whereabouts = aws.whereabouts(environment)
        except NoRegionError as error:
            named = region_to_set(Path.cwd(), stack)
            raise CannotAct(f"no AWS region is chosen. Set {named}, or `region` in the profile.") from error
        transcript.step(f"{stack}, {whereabouts}")
        answer |= {"account": whereabouts.account, "region": whereabouts.region}
        if command.changes:
            answer["dry_run"] = dry_run
        if account is None:
            transcript.step(_not_checked(stack))
        refuse_another_account(whereabouts, stack, account, file.name if file else "--account")
        context = Context(
            stack=stack,
            aws=aws,
            whereabouts=whereabouts,
            transcript=transcript,
            clock=clock,
            environment=environment,
            dry_run=dry_run,
            json=options.json,
            answer=answer,
        )
        return command.run(context, options) or EXIT_OK


def _transcript(
    command: Command, options: argparse.Namespace, environment: Mapping[str, str]
) -> contextlib.AbstractContextManager[Transcript]:
    # A command that writes its answer line by line has standard output for itself, with --json as without.
    answer_alone = options.json or command.streams
    return open_transcript(environment, sys.stdout, sys.stderr, json=answer_alone)


def _not_checked(stack: Stack) -> str:
    return (
        f"account not checked: {Path.cwd()} is not the directory of project {stack.project} with a "
        f"Pulumi.{stack.name}.yaml in it. Go there, or give --account."
    )


def _fail(command: Command, message: str, exit_code: int, answer: dict[str, Any]) -> int:
    answer["error"] = message
    print(f"ops {command.name}: {message}", file=sys.stderr, flush=True)
    return exit_code


if __name__ == "__main__":
    interruption.termination_is_an_error()
    sys.exit(main())
