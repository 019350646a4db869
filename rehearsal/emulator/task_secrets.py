"""Secrets of a task, read as the execution role reads them: one that cannot be had stops the task in ECS's words."""

import json
from typing import Any

from ministack.services import ecs, secretsmanager

from rehearsal.emulator.patching import Extension, replace, require

EXTENSION = Extension(
    name="secrets of tasks",
    rule=(
        "A secret, version or JSON key that is not there keeps the task from starting: TaskFailedToStart with "
        "ResourceInitializationError and the reason; ECS reads the version or stage that valueFrom names"
    ),
    source="ResourceInitializationError errors; Pass Secrets Manager secrets through Amazon ECS environment variables",
)
# What stands before this in the stopped reason is MiniStack's, and ECS's words.
RETRIED = "unable to retrieve secret from asm: service call has been retried 1 time(s): "
FAILED = (
    "failed to fetch secret {arn} from secrets manager: operation error Secrets Manager: GetSecretValue, https "
    "response error StatusCode: 400, RequestID: {request}, {error}"
)
GONE = "ResourceNotFoundException: Secrets Manager can't find the specified secret."
DELETED = "InvalidRequestException: You can't perform this operation on the secret because it was marked for deletion."
NO_VALUE = "ResourceNotFoundException: Secrets Manager can't find the specified secret value for {what}: {which}"
ARN_PARTS = 7


def read(value_from: str) -> str:
    """The value that a secret's `valueFrom` stands for (ARN:json-key:stage:version, the last three may be empty).

    Raises MiniStack's error for a secret that cannot be had, which stops the task.
    """
    parts = value_from.split(":")
    arn = ":".join(parts[:ARN_PARTS])
    key, stage, version = (*parts[ARN_PARTS:], "", "", "")[:3]
    stage = stage or "AWSCURRENT"
    _, secret = secretsmanager._resolve(arn, use_arn_scope=True)
    if secret is None or secret.get("DeletedDate"):
        raise _failed(arn, DELETED if secret else GONE)
    text = secretsmanager.resolve_secret_string(arn, stage, version or None)
    if text is None:
        what, which = ("VersionId", version) if version else ("staging label", stage)
        raise _failed(arn, NO_VALUE.format(what=what, which=which))
    return key_of(text, key) if key else str(text)


def key_of(text: str, key: str) -> str:
    """The value of one key of a secret that is a JSON object."""
    try:
        found = json.loads(text)
    except ValueError:
        shown = text.lstrip()[:1]  # no more of it than ECS shows
        message = f"{RETRIED}invalid character '{shown}' looking for beginning of value"
        raise ecs._SecretResolutionError(message) from None
    if not isinstance(found, dict) or key not in found:
        raise ecs._SecretResolutionError(
            f"{RETRIED}retrieved secret from Secrets Manager did not contain json key {key}"
        )
    return found[key] if isinstance(found[key], str) else json.dumps(found[key])


def _failed(arn: str, error: str) -> Exception:
    said = FAILED.format(arn=arn, request=ecs.new_uuid(), error=error)
    return ecs._SecretResolutionError(RETRIED + said)  # type: ignore[no-any-return]


def install() -> None:
    """Resolve secrets of Secrets Manager here; parameters of Systems Manager stay MiniStack's."""

    def resolve(cdef: dict[str, Any]) -> dict[str, str]:
        secrets = [one for one in cdef.get("secrets") or [] if one.get("name") and one.get("valueFrom")]
        ours = [one for one in secrets if "secretsmanager" in one["valueFrom"]]
        others = original({**cdef, "secrets": [one for one in secrets if one not in ours]})
        return {**others, **{one["name"]: read(one["valueFrom"]) for one in ours}}

    require(ecs, "_SecretResolutionError", "class")
    require(secretsmanager, "_resolve", "(secret_id, *, use_arn_scope=False)")
    require(secretsmanager, "resolve_secret_string", "(secret_id, version_stage='AWSCURRENT', version_id=None)")
    original = replace(ecs, "_resolve_container_secrets", "(cdef)", resolve)
