"""The pieces that policy documents are written with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]
Statement = dict[str, Any]
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


def allow(actions: Sequence[str], resources: str | Sequence[str], condition: Condition | None = None) -> Statement:
    """A statement that allows."""
    return _statement("Allow", actions, resources, condition)


def deny(actions: Sequence[str], resources: str | Sequence[str], condition: Condition | None = None) -> Statement:
    """A statement that no other one overrules."""
    return _statement("Deny", actions, resources, condition)


def _statement(effect: str, actions: Sequence[str], resources: str | Sequence[str], condition: Any) -> Statement:  # noqa: ANN401 - see Condition
    made: Statement = {
        "Effect": effect,
        "Action": list(actions),
        "Resource": resources if isinstance(resources, str) else list(resources),
    }
    return {**made, "Condition": condition} if condition else made


def each(service: str, *names: str) -> list[str]:
    """The actions of one service, written short."""
    return [f"{service}:{name}" for name in names]
