"""`python -m ops seed`: a first value for every secret that has none.

Pulumi makes the secrets as empty containers and never sees a value. This command makes the values up, on this machine,
and hands them to Secrets Manager. It reads no value, prints none, and never replaces one. A secret of the application's
own (`pactum:secrets`) has a value only a person knows: of these it says which lack one (`ops set-secret` puts it).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from ops.command import Command, Context
from ops.errors import CannotAct, OpsError
from ops.secret_kinds import GIVEN, KINDS, VALUES, is_known
from ops.stack_secrets import current_version, describe, find_secrets, has_value

if TYPE_CHECKING:
    import argparse

    from mypy_boto3_secretsmanager import SecretsManagerClient


def _run(context: Context, options: argparse.Namespace) -> None:
    client = context.aws.secretsmanager
    targets = _given(options.secret) if options.secret else find_secrets(client, context)
    answers: dict[str, dict[str, object]] = context.answer.setdefault("secrets", {})
    lacking = []
    for kind, arn in targets.items():
        if kind.startswith(GIVEN):
            has_one = has_value(describe(client, kind, arn))
            answers[kind] = {"arn": arn, "first_value": False}
            if not has_one:
                lacking.append((kind.removeprefix(GIVEN), arn))
            context.transcript.step(f"{kind}: has {'a value, left alone' if has_one else 'NO VALUE'} ({arn})")
            continue
        if context.dry_run:
            put = not has_value(describe(client, kind, arn))
            done = "would put a first value"
        else:
            put, done = give_first_value(client, kind, arn, context.stack.project), "put a first value"
        answers[kind] = {"arn": arn, "first_value": put}
        context.transcript.step(f"{kind}: {done if put else 'has a value, left alone'} ({arn})")
    if lacking:
        raise OpsError(_lacking(context, lacking))
    if context.dry_run:
        return
    # Constant for the same secrets, whoever gave them their values.
    context.transcript.result(f"seeded: {', '.join(sorted(targets))}")


def _lacking(context: Context, secrets: list[tuple[str, str]]) -> str:
    # With the ARN: the update made it seconds ago, and it may not be listed yet.
    commands = "\n".join(
        f"  python -m ops set-secret {context.stack.options} {name} --secret {arn}" for name, arn in secrets
    )
    return (
        f"no task could start: {', '.join(name for name, _ in secrets)} has no value in Secrets Manager. Put one (it is"
        f" asked for, or read from standard input), then run the update again:\n{commands}"
    )


def give_first_value(client: SecretsManagerClient, kind: str, arn: str, project: str) -> bool:
    """Give a secret a made-up value unless it has one; True when it was this call that did.

    Two of these at once, or one beside a person who sets a value by hand, cannot overwrite anything:

    1. The version's id is derived from the secret's ARN, so every seed writes the same version, and Secrets Manager
       refuses (ResourceExistsException) a second content for an existing version. The first writer's content stays.
    2. The version is written as AWSPENDING. Only a secret's very first version becomes AWSCURRENT by being written.
    3. AWSCURRENT is then attached without naming a version to take it from, which fails if any other version has it.

    A run that ended between 2 and 3 is completed by the next.

    Raises:
        CannotAct: there is no such secret, or it is scheduled for deletion.

    """
    if has_value(describe(client, kind, arn)):
        return False
    version = hashlib.sha256(f"first value of {arn}".encode()).hexdigest()
    try:
        client.put_secret_value(
            SecretId=arn, ClientRequestToken=version, SecretString=VALUES[kind](project), VersionStages=["AWSPENDING"]
        )
        written_here = True
    except client.exceptions.ResourceExistsException:
        written_here = False
    try:
        client.update_secret_version_stage(SecretId=arn, VersionStage="AWSCURRENT", MoveToVersionId=version)
    except (client.exceptions.InvalidParameterException, client.exceptions.InvalidRequestException) as error:
        current = current_version(describe(client, kind, arn))
        if not current:
            raise OpsError(f"{kind}: the value could not be made current: {error}. Run seed again.") from error
        if current != version:
            # Someone else's value is current: ours must not wait about as if a rotation were under way.
            client.update_secret_version_stage(SecretId=arn, VersionStage="AWSPENDING", RemoveFromVersionId=version)
            return False
    return written_here


def _given(pairs: list[str]) -> dict[str, str]:
    targets: dict[str, str] = {}
    for pair in pairs:
        kind, _, arn = pair.partition("=")
        if not is_known(kind) or not arn:
            raise CannotAct(f"--secret {pair!r}: give KIND=ARN, KIND one of {KINDS}.")
        if targets.setdefault(kind, arn) != arn:
            raise CannotAct(f"--secret {kind} is given twice with different secrets: {targets[kind]} and {arn}.")
    return targets


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--secret",
        action="append",
        metavar="KIND=ARN",
        help=f"a secret to look after, KIND one of {KINDS}; repeat it for several "
        "(default: those tagged with the stack)",
    )


COMMAND = Command(
    name="seed",
    summary="put a first value into each of the stack's secrets that has none",
    description="Put a made-up first value into each of the stack's secrets that has none.\n"
    "A value that is there is never replaced, read or printed. Of the application's own secrets (pactum:secrets) it\n"
    "says which have no value yet: `ops set-secret` puts one.",
    add_options=_options,
    run=_run,
)
