"""With what AWS decides about each call of the provider: tags that are asked for, tags that are there, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.policies import Request
from tests.provider_calls import CALLS, FURTHER
from tests.recorder import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Context = dict[str, str | list[str]]
DOMAIN = "pactum.example.com"
NEW = ("Create", "Allocate", "Register", "Request")
TAGGING = ("CreateTags", "TagResource", "TagRole", "TagQueue", "AddTagsToResource", "AddTagsToCertificate")
# A route is no thing of its own: only the table it is put in has tags. Schedules have none.
WITHOUT_TAGS = ("ec2:CreateRoute", "scheduler:CreateSchedule")
# The same call makes a scalable target, with tags, and changes it, without.
MAKES_AND_CHANGES = "application-autoscaling:RegisterScalableTarget"
BOUNDED = ("iam:CreateRole", "iam:PutRolePolicy", "iam:DeleteRolePolicy", "iam:PutRolePermissionsBoundary")


def asked(stack: str) -> Context:
    """The tags a request wants to give: the provider's default ones."""
    return {"aws:RequestTag/project": "pactum", "aws:RequestTag/stack": stack}


def carried(stack: str) -> Context:
    """The tags of what is there."""
    return {"aws:ResourceTag/project": "pactum", "aws:ResourceTag/stack": stack}


def records(kind: str, *names: str) -> Context:
    """A change of records of one kind."""
    changed = "route53:ChangeResourceRecordSets"
    return {f"{changed}NormalizedRecordNames": list(names), f"{changed}RecordTypes": [kind]}


def provider_requests(type_: str, stack: str) -> list[Request]:
    """What AWS is asked when a resource of this type is made, changed and deleted in a stack."""
    resource, *actions = CALLS[type_]
    found = [
        _request(action, resource, stack, context)
        for action in " ".join(actions).split()
        for context in _contexts(type_, action, stack)
    ]
    for where, row, carries in FURTHER.get(type_, []):
        found += [_request(action, where, stack, carried(stack) if carries else {}) for action in row.split()]
    return found


def _request(action: str, resource: str, stack: str, context: Mapping[str, str | Sequence[str]]) -> Request:
    return Request(action=action, resource=resource.format(n=f"pactum-{stack}", s=f"pactum/{stack}"), context=context)


def _contexts(type_: str, action: str, stack: str) -> list[Context]:
    """The kinds of this call, each with the keys that AWS gives it and no others."""
    service, _, operation = action.partition(":")
    if action == "route53:ChangeResourceRecordSets":
        return [records("A", DOMAIN), records("CNAME", f"_0a1b2c.{DOMAIN}")]
    if type_ == "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup" and operation in TAGGING:
        return [asked(stack)]
    kinds = [carried(stack)]
    if operation in TAGGING:
        as_it_is_made: Context = {"ec2:CreateAction": "CreateVpc"} if service == "ec2" else {}
        kinds = [asked(stack) | as_it_is_made, asked(stack) | carried(stack)]
    elif action == MAKES_AND_CHANGES:
        kinds = [asked(stack), carried(stack)]
    elif operation.startswith(NEW) and action not in WITHOUT_TAGS:
        kinds = [asked(stack)]
    if action in BOUNDED:
        bound: Context = {"iam:PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/pactum-boundary-{stack}"}
        kinds = [kind | bound for kind in kinds]
    if service == "s3" and not operation.startswith(NEW):
        kinds = [kind | {"aws:ResourceAccount": ACCOUNT} for kind in kinds]
    return kinds
