"""IAM roles and policies: the emulator checks that documents are well formed; it refuses nobody."""

from rehearsal.realisers.realiser import Made, Realiser, made_by, tag_list
from rehearsal.state import Properties


def _role(inputs: Properties, response: Properties) -> Made:
    role = response["Role"]
    return Made(id=inputs["name"], outputs={"arn": role["Arn"], "uniqueId": role["RoleId"]})


_ROLE = Realiser(
    create=made_by(
        "iam",
        "create_role",
        {
            "name": "RoleName",
            "assumeRolePolicy": "AssumeRolePolicyDocument",
            "description": "Description",
            "path": "Path",
            "maxSessionDuration": "MaxSessionDuration",
            "permissionsBoundary": "PermissionsBoundary",
            "tags": tag_list(),
        },
        _role,
    ),
    properties=frozenset(
        {"assumeRolePolicy", "description", "path", "maxSessionDuration", "permissionsBoundary", "tags"}
    ),
    name_property="name",
    name_limit=64,
)

_ROLE_POLICY = Realiser(
    create=made_by(
        "iam",
        "put_role_policy",
        {"role": "RoleName", "name": "PolicyName", "policy": "PolicyDocument"},
        lambda inputs, _: Made(id=f"{inputs['role']}:{inputs['name']}", outputs={}),
    ),
    properties=frozenset({"role", "policy"}),
    name_property="name",
    name_limit=128,
)

_ATTACHMENT = Realiser(
    create=made_by(
        "iam",
        "attach_role_policy",
        {"role": "RoleName", "policyArn": "PolicyArn"},
        lambda inputs, _: Made(id=f"{inputs['role']}/{inputs['policyArn']}", outputs={}),
    ),
    properties=frozenset({"role", "policyArn"}),
)

ACCESS: dict[str, Realiser] = {
    "aws:iam/role:Role": _ROLE,
    "aws:iam/rolePolicy:RolePolicy": _ROLE_POLICY,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _ATTACHMENT,
}
