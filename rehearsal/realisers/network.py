"""Network and security groups: the emulator keeps them and checks references; packets are not filtered."""

import hashlib
from collections.abc import Callable
from typing import Any

from rehearsal.errors import RehearsalError
from rehearsal.realisers.realiser import Field, Made, Realiser, made_by, parameters
from rehearsal.realisers.tools import Tools
from rehearsal.state import Properties

ALL_TRAFFIC = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


def _tags(resource_type: str) -> Callable[[Any], Properties]:
    def convert(tags: dict[str, str]) -> Properties:
        listed = [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
        return {"TagSpecifications": [{"ResourceType": resource_type, "Tags": listed}]}

    return convert


def _id(*path: str) -> Callable[[Properties, Properties], Made]:
    """The id is at this path of the response."""

    def answer(_: Properties, response: Properties) -> Made:
        found: Any = response
        for key in path:
            found = found[key]
        return Made(id=str(found), outputs={})

    return answer


def _vpc_attributes(tools: Tools, inputs: Properties, made: Made) -> None:
    for name, parameter in (("enableDnsSupport", "EnableDnsSupport"), ("enableDnsHostnames", "EnableDnsHostnames")):
        if name in inputs:
            tools.client("ec2").modify_vpc_attribute(VpcId=made.id, **{parameter: {"Value": inputs[name]}})


def _attach_gateway(tools: Tools, inputs: Properties, made: Made) -> None:
    tools.client("ec2").attach_internet_gateway(InternetGatewayId=made.id, VpcId=inputs["vpcId"])


def _route(inputs: Properties, _: Properties) -> Made:
    target = inputs.get("destinationCidrBlock", "") + inputs.get("destinationIpv6CidrBlock", "")
    digest = hashlib.sha256(target.encode()).hexdigest()[:8]
    return Made(id=f"r-{inputs['routeTableId']}{digest}", outputs={})


def _group_rules(tools: Tools, inputs: Properties, made: Made) -> None:
    client = tools.client("ec2")
    # The provider takes away the rule AWS gives every new group, so that only the program's rules are left.
    client.revoke_security_group_egress(GroupId=made.id, IpPermissions=[ALL_TRAFFIC])
    if inputs.get("ingress"):
        client.authorize_security_group_ingress(
            GroupId=made.id, IpPermissions=[_permission(rule) for rule in inputs["ingress"]]
        )
    if inputs.get("egress"):
        client.authorize_security_group_egress(
            GroupId=made.id, IpPermissions=[_permission(rule) for rule in inputs["egress"]]
        )


_INLINE_RULE_FIELDS: dict[str, Field] = {
    "protocol": "IpProtocol",
    "fromPort": "FromPort",
    "toPort": "ToPort",
    "cidrBlocks": lambda blocks: {"IpRanges": [{"CidrIp": block} for block in blocks]},
    "ipv6CidrBlocks": lambda blocks: {"Ipv6Ranges": [{"CidrIpv6": block} for block in blocks]},
    "securityGroups": lambda groups: {"UserIdGroupPairs": [{"GroupId": group} for group in groups]},
}


def _permission(rule: Properties) -> Properties:
    unknown = sorted(rule.keys() - _INLINE_RULE_FIELDS.keys())
    if unknown:
        raise RehearsalError(f"the rehearsal does not know {', '.join(unknown)} in an inline rule of a security group")
    return parameters(_INLINE_RULE_FIELDS, rule)


_RULE_FIELDS: dict[str, Field] = {
    "ipProtocol": "IpProtocol",
    "fromPort": "FromPort",
    "toPort": "ToPort",
    "cidrIpv4": lambda block: {"IpRanges": [{"CidrIp": block}]},
    "cidrIpv6": lambda block: {"Ipv6Ranges": [{"CidrIpv6": block}]},
    "referencedSecurityGroupId": lambda group: {"UserIdGroupPairs": [{"GroupId": group}]},
}


def _rule(direction: str) -> Realiser:
    def create(tools: Tools, _: str, inputs: Properties) -> Made:
        operation = getattr(tools.client("ec2"), f"authorize_security_group_{direction}")
        response = operation(GroupId=inputs["securityGroupId"], IpPermissions=[parameters(_RULE_FIELDS, inputs)])
        rules = response.get("SecurityGroupRules") or []
        id_ = rules[0]["SecurityGroupRuleId"] if rules else f"sgr-{inputs['securityGroupId']}"
        return Made(id=id_, outputs={"securityGroupRuleId": id_})

    return Realiser(create=create, properties=frozenset({"securityGroupId", *_RULE_FIELDS}))


def _simple(
    operation: str,
    fields: dict[str, Field],
    answer: Callable[[Properties, Properties], Made],
    *,
    kind: str = "",
    further: frozenset[str] = frozenset(),
    afterwards: Callable[[Tools, Properties, Made], None] | None = None,
    constants: Properties | None = None,
    name_property: str = "",
) -> Realiser:
    """A resource of EC2; `kind` is what tags and ARNs call it (empty for one that has neither)."""
    all_fields: dict[str, Field] = {**fields, "tags": _tags(kind)} if kind else fields
    base = made_by("ec2", operation, all_fields, answer, afterwards=afterwards, constants=constants)

    def create(tools: Tools, name: str, inputs: Properties) -> Made:
        made = base(tools, name, inputs)
        arn = {"arn": tools.arn("ec2", f"{kind}/{made.id}")} if kind else {}
        return Made(id=made.id, outputs={**arn, **made.outputs})

    return Realiser(create=create, properties=frozenset(all_fields) | further, name_property=name_property)


def _public_addresses(tools: Tools, inputs: Properties, made: Made) -> None:
    if inputs.get("mapPublicIpOnLaunch"):
        tools.client("ec2").modify_subnet_attribute(SubnetId=made.id, MapPublicIpOnLaunch={"Value": True})


def _eip(_: Properties, response: Properties) -> Made:
    id_ = str(response["AllocationId"])
    return Made(id=id_, outputs={"allocationId": id_, "publicIp": response["PublicIp"]})


NETWORK: dict[str, Realiser] = {
    "aws:ec2/vpc:Vpc": _simple(
        "create_vpc",
        {"cidrBlock": "CidrBlock"},
        _id("Vpc", "VpcId"),
        kind="vpc",
        further=frozenset({"enableDnsSupport", "enableDnsHostnames"}),
        afterwards=_vpc_attributes,
    ),
    "aws:ec2/internetGateway:InternetGateway": _simple(
        "create_internet_gateway",
        {},
        _id("InternetGateway", "InternetGatewayId"),
        kind="internet-gateway",
        further=frozenset({"vpcId"}),
        afterwards=_attach_gateway,
    ),
    "aws:ec2/subnet:Subnet": _simple(
        "create_subnet",
        {"vpcId": "VpcId", "cidrBlock": "CidrBlock", "availabilityZone": "AvailabilityZone"},
        _id("Subnet", "SubnetId"),
        kind="subnet",
        further=frozenset({"mapPublicIpOnLaunch"}),
        afterwards=_public_addresses,
    ),
    "aws:ec2/routeTable:RouteTable": _simple(
        "create_route_table",
        {"vpcId": "VpcId"},
        _id("RouteTable", "RouteTableId"),
        kind="route-table",
    ),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": _simple(
        "associate_route_table",
        {"subnetId": "SubnetId", "routeTableId": "RouteTableId"},
        _id("AssociationId"),
    ),
    "aws:ec2/route:Route": _simple(
        "create_route",
        {
            "routeTableId": "RouteTableId",
            "destinationCidrBlock": "DestinationCidrBlock",
            "gatewayId": "GatewayId",
            "natGatewayId": "NatGatewayId",
        },
        _route,
    ),
    "aws:ec2/eip:Eip": _simple("allocate_address", {"domain": "Domain"}, _eip, kind="elastic-ip"),
    "aws:ec2/natGateway:NatGateway": _simple(
        "create_nat_gateway",
        {"subnetId": "SubnetId", "allocationId": "AllocationId"},
        _id("NatGateway", "NatGatewayId"),
        kind="natgateway",
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": _simple(
        "create_vpc_endpoint",
        {
            "vpcId": "VpcId",
            "serviceName": "ServiceName",
            "vpcEndpointType": "VpcEndpointType",
            "privateDnsEnabled": "PrivateDnsEnabled",
            "routeTableIds": "RouteTableIds",
            "subnetIds": "SubnetIds",
            "securityGroupIds": "SecurityGroupIds",
            "policy": "PolicyDocument",
        },
        _id("VpcEndpoint", "VpcEndpointId"),
        kind="vpc-endpoint",
    ),
    "aws:ec2/securityGroup:SecurityGroup": _simple(
        "create_security_group",
        {"name": "GroupName", "description": "Description", "vpcId": "VpcId"},
        _id("GroupId"),
        kind="security-group",
        further=frozenset({"ingress", "egress"}),
        afterwards=_group_rules,
        constants={"Description": "Managed by Pulumi"},
        name_property="name",
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _rule("ingress"),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _rule("egress"),
}
