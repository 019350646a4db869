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
from ops.secret_kinds import GIVEN
from ops.stack_secrets import describe, has_value, only_one, tagged

if TYPE_CHECKING:
    import argparse

    from mypy_boto3_secretsmanager.type_defs import DescribeSecretResponseTypeDef

# Secrets Manager's own limit.
MOST_BYTES = 65_536


def _run(context: Context, options: argparse.Namespace) -> None:
    secrets = context.aws.secretsmanager
    secret = _secret(context, options.name, options.secret)
    arn = secret["ARN"]
    context.answer.update(secret=options.name, arn=arn, set=not context.dry_run)
    if context.dry_run:
        context.transcript.step(f"would give {options.name} a new value ({arn})")
        return
    secrets.put_secret_value(SecretId=arn, SecretString=_value(options.name))
    if not has_value(secret):
        context.transcript.result(f"{options.name} has its first value ({arn}). Now run the update again.")
        return
    stack = context.stack
    context.transcript.result(
        f"{options.name} has a new value ({arn}). A task reads it when it starts: those that run keep the old one until"
        " the next release replaces them. To replace them now, without a release:\n"
        f"  aws ecs update-service --cluster {stack.cluster} --service {stack.service} --force-new-deployment"
    )


def _secret(context: Context, name: str, arn: str | None) -> DescribeSecretResponseTypeDef:
    client, stack, kind = context.aws.secretsmanager, context.stack, f"{GIVEN}{name}"
    found = describe(client, kind, arn or _listed(context, name))
    tags = {tag.get("Key"): tag.get("Value") for tag in found.get("Tags", [])}
    if (tags.get(stack.stack_tag), tags.get(stack.secret_tag)) != (stack.name, kind):
        raise CannotAct(
            f"--secret {arn} is not the secret of {name} in {stack}: it does not carry its tags"
            f" ({stack.secret_tag}={kind}). Check the name, --stack and the ARN; `ops seed` shows what there is."
        )
    return found


def _listed(context: Context, name: str) -> str:
    kind = f"{GIVEN}{name}"
    found = tagged(context.aws.secretsmanager, context, option="--secret ARN, which `ops seed` shows")
    if kind in found:
        return only_one(kind, found[kind])
    given = sorted(each.removeprefix(GIVEN) for each in found if each.startswith(GIVEN))
    there = f"There are: {', '.join(given)}." if given else "There is none."
    raise CannotAct(
        f"{name} is no secret of the application's own in {context.stack}. {there} Name it in pactum:secrets of"
        " the stack file and run `pulumi up`, which makes it and then stops for its value. One made seconds ago may not"
        " be listed yet: give --secret ARN, as the update says."
    )


def _value(name: str) -> str:
    try:
        if sys.stdin.isatty():
            value = getpass.getpass(f"{name} (not shown): ")
        else:
            # What `echo` adds behind a value is not part of it.
            value = sys.stdin.read(MOST_BYTES + 2).removesuffix("\n").removesuffix("\r")
        size = len(value.encode())
    except UnicodeError as error:
        raise CannotAct(
            f"the value of {name} is not UTF-8 text, which a variable must be: nothing was changed. Encode it, for"
            " example by `base64`, and decode it in the application."
        ) from error
    if not value:
        raise CannotAct(f"no value was given for {name}: nothing was changed. Type it, or pipe it into the command.")
    if size > MOST_BYTES:
        raise CannotAct(f"the value of {name} is longer than {MOST_BYTES} bytes, which Secrets Manager does not take.")
    return value


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="the variable, as pactum:secrets names it")
    parser.add_argument(
        "--secret", metavar="ARN", help="its secret, where one that was made seconds ago is not listed yet"
    )


COMMAND = Command(
    name="set-secret",
    summary="put the value of one of the application's own secrets",
    description="Put a value into one of the secrets that the stack file names in pactum:secrets. It is asked for, or\n"
    "read from standard input, and never shown. The value before stays in Secrets Manager as AWSPREVIOUS.",
    add_options=_options,
    run=_run,
)
