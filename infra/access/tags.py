"""Whose a thing is, where its ARN does not say: by the tags `project` and `stack`."""

from infra.access.documents import Condition, Scope


def tagged(scope: Scope) -> Condition:
    """The thing carries the stack's tags, which `aws:defaultTags` gives to all it makes."""
    return _tags("aws:ResourceTag", scope)


def to_be_tagged(scope: Scope) -> Condition:
    """The thing gets the stack's tags as it is made."""
    return _tags("aws:RequestTag", scope)


def _tags(key: str, scope: Scope) -> Condition:
    return {"StringEquals": {f"{key}/project": scope.project, f"{key}/stack": scope.stack}}
