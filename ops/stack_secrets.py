"""The stack's secrets in Secrets Manager: found by their tags, described without their values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops.errors import CannotAct
from ops.secret_kinds import GIVEN, KINDS, is_known

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_secretsmanager.type_defs import DescribeSecretResponseTypeDef, SecretListEntryTypeDef

    from ops.command import Context


def find_secrets(client: SecretsManagerClient, context: Context) -> dict[str, str]:
    """Find the stack's secrets by their tags: kind -> ARN.

    One of the application's own that is scheduled for deletion is none: its name was taken out of the stack file.

    Raises:
        CannotAct: there is none, or more than one of a kind.

    """
    found = tagged(client, context, option="--secret KIND=ARN")
    return {
        kind: only_one(kind, entries)
        for kind, entries in sorted(found.items())
        if not kind.startswith(GIVEN) or _living(entries)
    }


def tagged(client: SecretsManagerClient, context: Context, *, option: str) -> dict[str, list[SecretListEntryTypeDef]]:
    """All secrets that carry the stack's tags, by kind, those scheduled for deletion too.

    Raises:
        CannotAct: there is none.

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
            f"give {option}.",
        )
    return found


def _living(entries: list[SecretListEntryTypeDef]) -> list[str]:
    return [entry["ARN"] for entry in entries if not entry.get("DeletedDate")]


def only_one(kind: str, entries: list[SecretListEntryTypeDef]) -> str:
    """The ARN of the one secret of a kind that is not scheduled for deletion. CannotAct where there is no such one."""
    if not is_known(kind):
        raise CannotAct(
            f"{entries[0].get('ARN')} is tagged as a secret of kind {kind!r}, which seed cannot make up a value for. "
            f"It knows {KINDS}: correct the tag, or name the secrets with --secret KIND=ARN.",
        )
    living = _living(entries)
    if not living:
        raise CannotAct(_being_deleted(kind, entries[0].get("ARN", "")))
    if len(living) > 1:
        raise CannotAct(f"{kind}: {len(living)} secrets carry its tags: {', '.join(living)}. Name one with --secret.")
    return living[0]


def current_version(secret: DescribeSecretResponseTypeDef) -> str | None:
    """The id of the version that a task is given; None where the secret has no value."""
    stages = secret.get("VersionIdsToStages") or {}
    return next((version for version, labels in stages.items() if "AWSCURRENT" in labels), None)


def has_value(secret: DescribeSecretResponseTypeDef) -> bool:
    """Whether a task that starts now is given one."""
    return bool(current_version(secret))


def describe(client: SecretsManagerClient, kind: str, arn: str) -> DescribeSecretResponseTypeDef:
    """What Secrets Manager says of a secret, without its value.

    Raises:
        CannotAct: there is none, or it is scheduled for deletion.

    """
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
    new_one = "run `pulumi up`, which makes a new one."
    if kind.startswith(GIVEN):
        new_one = f"name {kind.removeprefix(GIVEN)} in pactum:secrets of the stack file and {new_one}"
    return (
        f"{kind}: the secret {arn} is scheduled for deletion and takes no value. "
        f"To keep it: `aws secretsmanager restore-secret --secret-id {arn}`; otherwise {new_one}"
    )
