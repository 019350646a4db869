"""Rules about permissions: what a policy allows, and who may use a role."""

from collections.abc import Iterator, Mapping
from typing import Any

from infra.guardrails.resource import Facts, Resource, as_list, statements, texts
from infra.guardrails.rule import ResourceRule

ROLE = "aws:iam/role:Role"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
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


def _wildcards(resource: Resource, _: Facts) -> Iterator[str]:
    documents = [resource.document("policy")]
    if resource.type == ROLE:
        inline = [each.get("policy") for each in resource.items("inlinePolicies") if isinstance(each, Mapping)]
        documents = [Resource(type="", name="", properties={"policy": text}).document("policy") for text in inline]
    for document in documents:
        for statement in statements(document):
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
    everywhere = "*" in as_list(statement.get("Resource"))
    for action in texts(as_list(statement.get("Action"))):
        if action == "*" or (everywhere and action.endswith(":*")):
            yield f"it allows {action} on {'everything' if everywhere else as_list(statement.get('Resource'))[0]}"


def _trusts_too_many(role: Resource, _: Facts) -> Iterator[str]:
    for statement in statements(role.document("assumeRolePolicy")):
        if statement.get("Effect") != "Allow":
            continue
        principal = statement.get("Principal", {})
        named = as_list(principal) if not isinstance(principal, Mapping) else as_list(principal.get("AWS"))
        if "*" in named or "NotPrincipal" in statement:
            yield "anybody may use it"
        if isinstance(principal, Mapping) and principal.get("Federated"):
            yield from _unasked_claims(statement.get("Condition", {}))


def _unasked_claims(condition: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    asked = {key: as_list(value) for test in condition.values() for key, value in test.items()}
    for claim in CLAIMS:
        wanted = [value for key, values in asked.items() if key.endswith(claim) for value in values]
        if not wanted or any(str(value).startswith("*") for value in wanted):
            yield f"tokens of any {claim.removeprefix(':')} may use it"


RULES = (
    ResourceRule(
        id="G25",
        title="no wildcard permissions",
        reason="Who takes over a process or a pipeline can do what its role may do.",
        remedy="Name actions and ARNs. An action that knows no resources may have Resource *: say so beside it.",
        checkov=("CKV_AWS_62", "CKV_AWS_63", "CKV_AWS_274", "CKV2_AWS_40", "CKV2_AWS_56"),
        types=POLICIES | {ROLE, ATTACHMENT},
        check=_wildcards,
    ),
    ResourceRule(
        id="G26",
        title="roles for somebody",
        reason="A trust that asks for too little lets in other accounts, and everybody's pipelines.",
        remedy="Name the service or the account; of an identity provider's tokens, ask for aud and sub.",
        checkov=("CKV_AWS_60", "CKV_AWS_61", "CKV_AWS_393"),
        types=frozenset({ROLE}),
        check=_trusts_too_many,
    ),
)
