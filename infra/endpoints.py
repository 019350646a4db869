"""How tasks reach AWS without a way to the internet, and what they may ask for there.

What tasks call follows from what their roles let them do; a service that a role is given access to gets its endpoint by
that.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import pulumi

from infra.access.documents import Document, allow, document, for_anyone
from infra.storage import media_policy
from infra.task_roles import exec_policy, execution_policy

# A service as IAM calls it -> what its interface endpoints are called after `com.amazonaws.REGION.`.
INTERFACES = {
    "ecr": ("ecr.api", "ecr.dkr"),
    "logs": ("logs",),
    "secretsmanager": ("secretsmanager",),
    "ssmmessages": ("ssmmessages",),
}
# Reached by a route, at no cost: it has its endpoint in every network.
GATEWAYS = frozenset({"s3"})


def called() -> dict[str, list[str]]:
    """What tasks of any kind call: service -> actions."""
    policies = [execution_policy("", "", []), exec_policy(""), media_policy("")]
    return actions_by_service(policies)


def actions_by_service(policies: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """The actions that policies allow: service -> actions, both sorted."""
    found: dict[str, set[str]] = {}
    for policy in policies:
        for statement in policy["Statement"]:
            actions = statement["Action"]
            for action in [actions] if isinstance(actions, str) else actions:
                found.setdefault(action.partition(":")[0], set()).add(action)
    return {service: sorted(found[service]) for service in sorted(found)}


def interface_endpoints(calls: Mapping[str, list[str]], account_id: str) -> dict[str, Document]:
    """The interface endpoints for these calls: name -> policy. RunError for a service nobody has decided about."""
    policies: dict[str, Document] = {}
    for service, actions in calls.items():
        if service in GATEWAYS:
            continue
        if service not in INTERFACES:
            raise pulumi.RunError(
                f"Tasks may call {service}, and infra/endpoints.py does not know by which endpoint it is reached"
                " without a NAT gateway. Add it to INTERFACES there."
            )
        policies |= dict.fromkeys(INTERFACES[service], interface_policy(actions, account_id))
    return policies


def interface_policy(actions: list[str], account_id: str) -> Document:
    """Identities of this account may ask for what tasks ask for; which resources, their own policies say."""
    ours = {"StringEquals": {"aws:PrincipalAccount": account_id}}
    return document(for_anyone(allow(actions, "*", ours)))


def s3_policy(account_id: str, region: str) -> Document:
    """Image layers, which ECR hands out from a bucket of its own, and this account's buckets for its own identities.

    Nothing is carried out to a bucket of somebody else's, whatever credentials it is tried with.
    """
    ours = {"StringEquals": {"aws:PrincipalAccount": account_id, "aws:ResourceAccount": account_id}}
    return document(
        # AWS documentation, "Amazon ECR interface VPC endpoints": the bucket's name in each region.
        for_anyone(allow("s3:GetObject", f"arn:aws:s3:::prod-{region}-starport-layer-bucket/*")),
        for_anyone(allow("s3:*", "*", ours)),
    )
