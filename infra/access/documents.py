"""The pieces that policy documents are written with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]
Statement = dict[str, Any]
Texts = str | Sequence[str]
Condition = Mapping[str, Mapping[str, str | Sequence[str]]]


@dataclass(frozen=True, kw_only=True)
class Scope:
    """One stack in one account and region: what a policy about that stack is written for."""

    project: str
    stack: str
    region: str
    account_id: str

    @property
    def name(self) -> str:
        """The prefix of what the stack creates, such as pactum-staging."""
        return f"{self.project}-{self.stack}"

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account_id}:{resource}"

    def iam_arn(self, resource: str) -> str:
        return f"arn:aws:iam::{self.account_id}:{resource}"


def document(*statements: Statement) -> Document:
    """A policy document of these statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(actions: Texts, resources: Texts, condition: Condition | None = None) -> Statement:
    """A statement that allows."""
    return _statement("Allow", actions, "Resource", resources, condition)


def deny(actions: Texts, resources: Texts, condition: Condition | None = None) -> Statement:
    """A statement that no other one overrules."""
    return _statement("Deny", actions, "Resource", resources, condition)


def deny_elsewhere(actions: Texts, resources: Texts) -> Statement:
    """A statement that refuses the actions on everything but these resources, and allows nothing there."""
    return _statement("Deny", actions, "NotResource", resources, None)


def for_anyone(statement: Statement) -> Statement:
    """The statement in the policy of a resource, where it says whom it is about: everybody its condition leaves."""
    return {**statement, "Principal": "*"}


def service_trust(service: str, account_id: str, source_arn: str = "") -> Document:
    """Whom a role trusts: one service of AWS, on behalf of this account, or of one thing in it (`*` stands for any).

    The condition closes the confused deputy's way in: the service asks for others as well.
    """
    ours: Condition = {"StringEquals": {"aws:SourceAccount": account_id}}
    if source_arn:
        operator = "ArnLike" if "*" in source_arn else "StringEquals"
        ours = both(ours, {operator: {"aws:SourceArn": source_arn}})
    principal = {"Service": f"{service}.amazonaws.com"}
    return document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": ours})


def both(*conditions: Condition) -> Condition:
    """A condition that holds where all of these do."""
    met: dict[str, dict[str, str | Sequence[str]]] = {}
    for condition in conditions:
        for operator, keys in condition.items():
            met.setdefault(operator, {}).update(keys)
    return met


def _statement(effect: str, actions: Texts, where: str, resources: Texts, condition: Condition | None) -> Statement:
    made: Statement = {"Effect": effect, "Action": _texts(actions), where: _texts(resources)}
    return {**made, "Condition": condition} if condition else made


def _texts(texts: Texts) -> str | list[str]:
    return texts if isinstance(texts, str) else list(texts)


def each(service: str, *names: str) -> list[str]:
    """The actions of one service, written short."""
    return [f"{service}:{name}" for name in names]
