"""Secrets without a value, and versions that cannot change, as in AWS Secrets Manager."""

from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import secretsmanager

from rehearsal.emulator.patching import Extension, replace, require

EXTENSION = Extension(
    name="secret versions",
    rule="A secret made without a value has no version, and the content of a version never changes",
    source="AWS Secrets Manager API Reference, CreateSecret and PutSecretValue",
)
STORE = (
    "(name, secret_string=None, secret_binary=None, description='', tags=None, kms_key_id=None, "
    "rotation_lambda_arn=None, rotation_rules=None)"
)


def install() -> None:
    """Forget the empty version of a secret without a value; refuse another content under a version's id."""
    resolve = require(secretsmanager, "_resolve", "(secret_id, *, use_arn_scope=False)")

    def store(name: str, secret_string: Any = None, secret_binary: Any = None, *rest: Any, **more: Any) -> Any:
        made = original_store(name, secret_string, secret_binary, *rest, **more)
        if secret_string is None and secret_binary is None:
            secretsmanager._secrets[name]["Versions"].clear()
        return made

    def put(data: dict[str, Any]) -> Any:
        _, secret = resolve(data.get("SecretId"))
        version = (secret or {}).get("Versions", {}).get(data.get("ClientRequestToken"))
        if version is None:
            if secret and not secret["Versions"]:
                # The first version of a secret is its current one, whatever stages were asked for.
                data = {**data, "VersionStages": ["AWSCURRENT"]}
            return original_put(data)
        if any(version.get(field) != data.get(field) for field in ("SecretString", "SecretBinary")):
            return error_response_json(
                "ResourceExistsException", "You can't modify an existing version; you can only create new ones.", 400
            )
        return original_put(data)

    original_store = replace(secretsmanager, "_store_new_secret", STORE, store)
    original_put = replace(secretsmanager, "_put_secret_value", "(data)", put)
