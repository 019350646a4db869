"""IAM roles, policies and the issuers that pipelines come from: the emulator checks that documents are well formed."""

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

_POLICY = Realiser(
    create=made_by(
        "iam",
        "create_policy",
        {"name": "PolicyName", "policy": "PolicyDocument", "description": "Description", "tags": tag_list()},
        lambda _, response: Made(id=response["Policy"]["Arn"], outputs={"arn": response["Policy"]["Arn"]}),
    ),
    properties=frozenset({"policy", "description", "tags"}),
    name_property="name",
    name_limit=128,
)


def _issuer(_: Properties, response: Properties) -> Made:
    arn = response["OpenIDConnectProviderArn"]
    return Made(id=arn, outputs={"arn": arn})


_ISSUER = Realiser(
    create=made_by(
        "iam",
        "create_open_id_connect_provider",
        {"url": "Url", "clientIdLists": "ClientIDList", "tags": tag_list()},
        _issuer,
        # The provider leaves IAM to check an issuer by its own authorities; the emulator wants a thumbprint.
        constants={"ThumbprintList": ["0" * 40]},
    ),
    properties=frozenset({"url", "clientIdLists", "tags"}),
)

ACCESS: dict[str, Realiser] = {
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": _ISSUER,
    "aws:iam/policy:Policy": _POLICY,
    "aws:iam/role:Role": _ROLE,
    "aws:iam/rolePolicy:RolePolicy": _ROLE_POLICY,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _ATTACHMENT,
}
