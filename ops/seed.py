"""`python -m ops seed`: a first value for every secret that has none.

Pulumi makes the secrets as empty containers and never sees a value. This command makes the values up, on this machine,
and hands them to Secrets Manager. It reads no value, prints none, and never replaces one. A secret of the application's
own (`pactum:secrets`) has a value only a person knows: of these it says which lack one (`ops set-secret` puts it).
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from typing import TYPE_CHECKING

from ops.command import Command, Context
from ops.errors import CannotAct, OpsError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_secretsmanager.type_defs import DescribeSecretResponseTypeDef, SecretListEntryTypeDef


def _secret_key(_project: str) -> str:
    return secrets.token_urlsafe(64)


def _database_login(project: str) -> str:
    user = re.sub(r"[^a-z0-9]", "_", f"{project.lower()}_app")
    return json.dumps({"username": user, "password": secrets.token_urlsafe(32)})


# Made up for a project.
VALUES: dict[str, Callable[[str], str]] = {"secret-key": _secret_key, "database-login": _database_login}
# Before the variable's name, in the kind of a secret whose value only a person knows.
GIVEN = "given:"
KINDS = f"{', '.join(sorted(VALUES))}, {GIVEN}VARIABLE"


def _run(context: Context, options: argparse.Namespace) -> None:
    client = context.aws.secretsmanager
    targets = _given(options.secret) if options.secret else find_secrets(client, context)
    answers: dict[str, dict[str, object]] = context.answer.setdefault("secrets", {})
    lacking = []
    for kind, arn in targets.items():
        if kind.startswith(GIVEN):
            has_one = bool(_current(_describe(client, kind, arn)))
            answers[kind] = {"arn": arn, "first_value": False}
            if not has_one:
                lacking.append(kind.removeprefix(GIVEN))
            context.transcript.step(f"{kind}: has {'a value, left alone' if has_one else 'NO VALUE'} ({arn})")
            continue
        if context.dry_run:
            put = not _current(_describe(client, kind, arn))
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


def _lacking(context: Context, variables: list[str]) -> str:
    commands = "\n".join(f"  python -m ops set-secret {context.stack.options} {name}" for name in variables)
    return (
        f"no task could start: {', '.join(variables)} has no value in Secrets Manager. Put one (it is asked for, or"
        f" read from standard input), then run the update again:\n{commands}"
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
    if _current(_describe(client, kind, arn)):
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
        current = _current(_describe(client, kind, arn))
        if not current:
            raise OpsError(f"{kind}: the value could not be made current: {error}. Run seed again.") from error
        if current != version:
            # Someone else's value is current: ours must not wait about as if a rotation were under way.
            client.update_secret_version_stage(SecretId=arn, VersionStage="AWSPENDING", RemoveFromVersionId=version)
            return False
    return written_here


def _current(secret: DescribeSecretResponseTypeDef) -> str | None:
    stages = secret.get("VersionIdsToStages") or {}
    return next((version for version, labels in stages.items() if "AWSCURRENT" in labels), None)


def _describe(client: SecretsManagerClient, kind: str, arn: str) -> DescribeSecretResponseTypeDef:
    try:
        found = client.describe_secret(SecretId=arn)
    except client.exceptions.ResourceNotFoundException as error:
        raise CannotAct(
            f"{kind}: there is no secret {arn} in this account and region. Check the ARN, or run `pulumi up`, "
            "which makes the secrets.",
        ) from error
    if found.get("DeletedDate"):
        raise CannotAct(_being_deleted(kind, arn))
    return found


def _being_deleted(kind: str, arn: str) -> str:
    return (
        f"{kind}: the secret {arn} is scheduled for deletion and takes no value. "
        f"To keep it: `aws secretsmanager restore-secret --secret-id {arn}`; "
        "otherwise run `pulumi up`, which makes a new one."
    )


def _given(pairs: list[str]) -> dict[str, str]:
    targets: dict[str, str] = {}
    for pair in pairs:
        kind, _, arn = pair.partition("=")
        if not _is_known(kind) or not arn:
            raise CannotAct(f"--secret {pair!r}: give KIND=ARN, KIND one of {KINDS}.")
        if targets.setdefault(kind, arn) != arn:
            raise CannotAct(f"--secret {kind} is given twice with different secrets: {targets[kind]} and {arn}.")
    return targets


def _is_known(kind: str) -> bool:
    return kind in VALUES or (kind.startswith(GIVEN) and kind != GIVEN)


def find_secrets(client: SecretsManagerClient, context: Context) -> dict[str, str]:
    """Find the stack's secrets by their tags: kind -> ARN.

    Raises:
        CannotAct: there is none, or more than one of a kind.

    """
    stack = context.stack
    found: dict[str, list[SecretListEntryTypeDef]] = {}
    # Filters match prefixes, and each by itself: they only make the list short.
    pages = client.get_paginator("list_secrets").paginate(
        IncludePlannedDeletion=True,
        Filters=[{"Key": "tag-key", "Values": [stack.stack_tag]}, {"Key": "tag-value", "Values": [stack.name]}],
    )
    for page in pages:
        for entry in page["SecretList"]:
            tags = {tag.get("Key"): tag.get("Value") for tag in entry.get("Tags", [])}
            kind = tags.get(stack.secret_tag)
            if tags.get(stack.stack_tag) == stack.name and kind:
                found.setdefault(kind, []).append(entry)
    if not found:
        raise CannotAct(
            f"no secret here carries the tag {stack.stack_tag}={stack.name}. "
            "Check --stack, --project, the account and the region, or run `pulumi up`, "
            "which makes the secrets. One made seconds ago may not be listed yet: "
            "give --secret KIND=ARN.",
        )
    return {kind: _only_one(kind, entries) for kind, entries in sorted(found.items())}


def _only_one(kind: str, entries: list[SecretListEntryTypeDef]) -> str:
    if not _is_known(kind):
        raise CannotAct(
            f"{entries[0].get('ARN')} is tagged as a secret of kind {kind!r}, which seed cannot make up a value for. "
            f"It knows {KINDS}: correct the tag, or name the secrets with --secret KIND=ARN.",
        )
    living = [entry["ARN"] for entry in entries if not entry.get("DeletedDate")]
    if not living:
        raise CannotAct(_being_deleted(kind, entries[0].get("ARN", "")))
    if len(living) > 1:
        raise CannotAct(f"{kind}: {len(living)} secrets carry its tags: {', '.join(living)}. Name one with --secret.")
    return living[0]


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
