"""Rules about permissions: what a policy allows, and who may use a role."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from infra.guardrails.resource import Facts, Resource, Unknown, UnreadableError, as_list, texts
from infra.guardrails.rule import ResourceRule

ROLE = "aws:iam/role:Role"
ATTACHMENTS = frozenset(
    {
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        "aws:iam/userPolicyAttachment:UserPolicyAttachment",
        "aws:iam/groupPolicyAttachment:GroupPolicyAttachment",
        "aws:iam/policyAttachment:PolicyAttachment",
    }
)
POLICIES = frozenset(
    {
        "aws:iam/policy:Policy",
        "aws:iam/rolePolicy:RolePolicy",
        "aws:iam/userPolicy:UserPolicy",
        "aws:iam/groupPolicy:GroupPolicy",
    }
)
ADMINISTRATORS = ("/AdministratorAccess", "/IAMFullAccess", "/PowerUserAccess")
# What a pipeline's token is asked for before it may use a role: whom it was made for, and by which workflow.
CLAIMS = (":aud", ":sub")
# Other operators are true of tokens that have another value, or none.
ASKING = ("StringEquals", "StringLike")
# A subject of GitHub, GitLab or Jenkins that says whose pipeline it is before any wildcard.
WHOSE = re.compile(r"repo:[^:/*?]+/[^:/*?]+:.+|project_path:[^:*?]+/[^:*?]+:.+|https://[^/*?]+/[^*?]*job/[^/*?]+/.*")
GITHUB = "token.actions.githubusercontent.com"
ARN_PARTS = 6
WILDCARD = re.compile(r"[*?]")
ACCOUNT = re.compile(r"\d{12}|arn:[^:]+:iam::\d{12}:root|.*[*?].*")


def _wildcards(resource: Resource, _: Facts) -> Iterator[str]:
    holders = [resource]
    if resource.type == ROLE:
        inline = resource.items("inlinePolicies")
        if not all(isinstance(each, Mapping) for each in inline):
            raise UnreadableError(resource, "its inlinePolicies are no policies")
        holders = [Resource(type="", name="", properties=each) for each in inline]
    for holder in holders:
        for statement in holder.statements("policy"):
            yield from _too_much(statement)
    for arn in texts([*resource.items("managedPolicyArns"), resource.value("policyArn")]):
        if arn.endswith(ADMINISTRATORS):
            yield f"it is given {arn.rpartition('/')[2]}"


def _too_much(statement: Mapping[str, Any]) -> Iterator[str]:
    if statement.get("Effect") != "Allow":
        return
    for negation in ("NotAction", "NotResource"):
        if negation in statement:
            yield f"it allows everything but what its {negation} names"
    resources = texts(as_list(statement.get("Resource")))
    everything = [resource for resource in resources if _is_everything(resource)]
    for action in texts(as_list(statement.get("Action"))):
        service, _, verb = action.partition(":")
        if verb.strip("*?"):
            continue
        if WILDCARD.search(service) or service.lower() == "iam":
            yield f"it allows {action} on {'everything' if '*' in resources else ', '.join(resources)}"
        elif everything:
            yield f"it allows {action} on {'everything' if '*' in resources else everything[0]}"


def _is_everything(resource: str) -> bool:
    """Whether this names all of a service, or of one kind of its resources: `*`, `arn:*`, `arn:aws:ecs:*:*:task/*`."""
    parts = resource.split(":", 5)
    if len(parts) < ARN_PARTS or WILDCARD.search(parts[2]):
        return bool(WILDCARD.search(resource))
    kind, _, name = parts[5].replace(":", "/").partition("/")
    # S3's ARNs begin with the bucket's name, and name no kind.
    return not (kind if parts[2] == "s3" else name or kind).strip("*?/")


def _trusts_too_many(role: Resource, _: Facts) -> Iterator[str]:
    for statement in role.statements("assumeRolePolicy"):
        if statement.get("Effect") != "Allow":
            continue
        principal = statement.get("Principal", {})
        named = as_list(principal) if not isinstance(principal, Mapping) else as_list(principal.get("AWS"))
        if "*" in named or "NotPrincipal" in statement:
            yield "anybody may use it"
        elif accounts := [each for each in texts(named) if ACCOUNT.fullmatch(each)]:
            yield f"whoever {accounts[0]} stands for may use it"
        if isinstance(principal, Mapping) and principal.get("Federated"):
            yield from _unasked_claims(statement.get("Condition", {}))


def _unasked_claims(condition: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    asked = [
        (key, value)
        for operator in ASKING
        for key, values in condition.get(operator, {}).items()
        for value in as_list(values)
    ]
    for claim in CLAIMS:
        wanted = [(key, value) for key, value in asked if key.endswith(claim)]
        if not wanted or not all(_is_somebody(key, value) for key, value in wanted):
            yield f"tokens of any {claim.removeprefix(':')} may use it"


def _is_somebody(key: str, value: object) -> bool:
    if not isinstance(value, str):
        return isinstance(value, Unknown)
    if key.endswith(":sub") and WHOSE.fullmatch(value):
        return True
    return bool(value) and not WILDCARD.search(value) and key != f"{GITHUB}:sub"


RULES = (
    ResourceRule(
        id="G25",
        title="no wildcard permissions",
        reason="Who takes over a process or a pipeline can do what its role may do.",
        remedy="Name actions and ARNs. An action that knows no resources may have Resource *: say so beside it.",
        checkov=("CKV_AWS_62", "CKV_AWS_63", "CKV_AWS_274", "CKV2_AWS_40", "CKV2_AWS_56"),
        types=POLICIES | ATTACHMENTS | {ROLE},
        check=_wildcards,
    ),
    ResourceRule(
        id="G26",
        title="roles for somebody",
        reason="A trust that asks for too little lets in other accounts, and everybody's pipelines.",
        remedy="Name the service or the role; of tokens, ask for aud, and for a sub that says whose.",
        checkov=("CKV_AWS_60", "CKV_AWS_61", "CKV_AWS_393"),
        types=frozenset({ROLE}),
        check=_trusts_too_many,
    ),
)
