"""Keys that secrets are encrypted with, where somebody has chosen one instead of AWS's own."""

from infra.access.documents import Scope, Statement, allow, each


def use_of_secret_keys(scope: Scope) -> Statement:
    """Whatever key, and only by way of Secrets Manager: whoever may not read the secret gets nothing of it by this."""
    via = f"secretsmanager.{scope.region}.amazonaws.com"
    return allow(
        each("kms", "Decrypt", "GenerateDataKey"), scope.arn("kms", "key/*"), {"StringEquals": {"kms:ViaService": via}}
    )
