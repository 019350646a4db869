"""What an update of one stack may do, as policies small enough for IAM (6,144 characters each).

They make and change what the program has. None of their calls deletes what holds data: taking a stack down is a
person's work. Whoever controls a pipeline can still ruin data, by what a change of settings or a task of the
stack's own may do (docs/account.md).
"""

from infra.access.documents import Condition, Document, Scope, Statement, allow, both, document, each
from infra.access.holding import data_policy
from infra.access.observing import observing_policy
from infra.access.own_roles import roles_policy
from infra.access.serving import Records, serving_policy
from infra.access.tags import staying_tagged, tagged, to_be_tagged

# What EC2 calls the kinds of things a stack's network is made of.
KINDS = (
    *("vpc", "subnet", "route-table", "internet-gateway", "natgateway", "elastic-ip"),
    *("security-group", "security-group-rule", "vpc-endpoint", "vpc-flow-log"),
)


def deploying_policies(scope: Scope, records: Records) -> dict[str, Document]:
    """All of them, by the ends of their names."""
    return {
        "network": network_policy(scope),
        "serving": serving_policy(scope, records),
        "data": data_policy(scope),
        "observing": observing_policy(scope),
        "roles": roles_policy(scope),
    }


def network_policy(scope: Scope) -> Document:
    """VPC, subnets, routes, gateways, endpoints, security groups, flow logs: EC2 names them by ids, so by tags."""
    made = each("ec2", "CreateVpc", "CreateSubnet", "CreateRouteTable", "CreateInternetGateway", "CreateNatGateway")
    made += each("ec2", "AllocateAddress", "CreateSecurityGroup", "CreateVpcEndpoint", "CreateFlowLogs")
    made += each("ec2", "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress")
    changed = each("ec2", "ModifyVpcAttribute", "DeleteVpc", "ModifySubnetAttribute", "DeleteSubnet", "CreateRoute")
    changed += each("ec2", "ReplaceRoute", "DeleteRoute", "DeleteRouteTable", "AssociateRouteTable")
    changed += each("ec2", "DisassociateRouteTable", "ReplaceRouteTableAssociation", "AttachInternetGateway")
    changed += each("ec2", "DetachInternetGateway", "DeleteInternetGateway", "DeleteNatGateway", "ReleaseAddress")
    changed += each("ec2", "DisassociateAddress", "ModifyVpcEndpoint", "DeleteVpcEndpoints", "DeleteFlowLogs")
    changed += each("ec2", "RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress", "ModifySecurityGroupRules")
    changed += each("ec2", "UpdateSecurityGroupRuleDescriptionsIngress", "UpdateSecurityGroupRuleDescriptionsEgress")
    changed += ["ec2:DeleteSecurityGroup"]
    kinds = [scope.arn("ec2", f"{kind}/*") for kind in KINDS]
    return document(
        # EC2 asks twice where something is made in something: for the new one, and for what it is put in.
        allow(made, kinds, to_be_tagged(scope)),
        allow([*made, *changed], kinds, tagged(scope)),
        # Tags are set as a thing is made, and on what has the stack's already; they never name another stack.
        allow(["ec2:CreateTags"], kinds, both(to_be_tagged(scope), {"StringLike": {"ec2:CreateAction": "*"}})),
        # A VPC's default security group comes with it and without tags: the provider tags it first, then empties it.
        allow(["ec2:CreateTags"], scope.arn("ec2", "security-group/*"), both(to_be_tagged(scope), _nobodys())),
        allow(["ec2:CreateTags", "ec2:DeleteTags"], kinds, both(tagged(scope), staying_tagged(scope))),
        _private_names(scope),
    )


def _nobodys() -> Condition:
    """Nothing says whose it is. A security group that somebody made without any of these tags looks the same."""
    return {"Null": {f"aws:ResourceTag/{tag}": "true" for tag in ("Name", "project", "stack")}}


def _private_names(scope: Scope) -> Statement:
    """An interface endpoint that answers by its service's name puts the VPC into a zone that AWS owns, for the caller.

    The zone's id is nobody's to know beforehand, and the VPC's neither: what is left to say is the region.
    """
    vpcs = {"route53:VPCs": f"VPCId=*,VPCRegion={scope.region}"}
    return allow(
        ["route53:AssociateVPCWithHostedZone"], "arn:aws:route53:::hostedzone/*", {"ForAllValues:StringLike": vpcs}
    )
