"""Whose a thing is, where its ARN does not say: by the tags `project` and `stack`."""

from infra.access.documents import Condition, Scope


def tagged(scope: Scope) -> Condition:
    """The thing carries the stack's tags, which `aws:defaultTags` gives to all it makes."""
    return {"StringEquals": _tags("aws:ResourceTag", scope)}


def to_be_tagged(scope: Scope) -> Condition:
    """The thing gets the stack's tags as it is made."""
    return {"StringEquals": _tags("aws:RequestTag", scope)}


def not_anothers(scope: Scope) -> Condition:
    """The thing is about to be made, and has no tags yet; or it is there, and does not carry another stack's."""
    return {"StringEqualsIfExists": _tags("aws:ResourceTag", scope)}


def staying_tagged(scope: Scope) -> Condition:
    """The request gives no other stack's tags. What takes tags away names them by key only: they are absent there."""
    return {"StringEqualsIfExists": _tags("aws:RequestTag", scope)}


def masters_tag(scope: Scope, when: str = "aws:ResourceTag") -> dict[str, str]:
    """The tag by which RDS says whose master login a secret holds; the secret's name is an id of RDS's own."""
    return {f"{when}/aws:rds:primaryDBInstanceArn": scope.arn("rds", f"db:{scope.name}-database")}


def _tags(key: str, scope: Scope) -> dict[str, str]:
    return {f"{key}/project": scope.project, f"{key}/stack": scope.stack}
