"""Network and security groups: the emulator keeps them and checks references; packets are not filtered."""

import hashlib
from collections.abc import Callable
from typing import Any

from rehearsal.place import ACCOUNT_ID
from rehearsal.realisers.realiser import Field, Made, Realiser, made_by, parameters
from rehearsal.realisers.tools import Tools
from rehearsal.state import Properties

ALL_TRAFFIC = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


def _tags(resource_type: str) -> Callable[[Any], Properties]:
    def convert(tags: dict[str, str]) -> Properties:
        listed = [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
        return {"TagSpecifications": [{"ResourceType": resource_type, "Tags": listed}]}

    return convert


def _answer(response_key: str, id_key: str, arn_kind: str) -> Callable[[Properties, Properties], Made]:
    def answer(_: Properties, response: Properties) -> Made:
        id_ = str(response[response_key][id_key] if response_key else response[id_key])
        return Made(id=id_, outputs={"arn": f"arn:aws:ec2:us-east-1:{ACCOUNT_ID}:{arn_kind}/{id_}"})

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


def _permission(rule: Properties) -> Properties:
    permission = {"IpProtocol": rule["protocol"], "FromPort": rule["fromPort"], "ToPort": rule["toPort"]}
    if rule.get("cidrBlocks"):
        permission["IpRanges"] = [{"CidrIp": block} for block in rule["cidrBlocks"]]
    if rule.get("securityGroups"):
        permission["UserIdGroupPairs"] = [{"GroupId": group} for group in rule["securityGroups"]]
    return permission


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
    tagged: str = "",
    further: frozenset[str] = frozenset(),
    afterwards: Callable[[Tools, Properties, Made], None] | None = None,
) -> Realiser:
    all_fields = {**fields, "tags": _tags(tagged)} if tagged else fields
    create = made_by("ec2", operation, all_fields, answer, afterwards=afterwards)
    return Realiser(create=create, properties=frozenset(all_fields) | further)


def _public_addresses(tools: Tools, inputs: Properties, made: Made) -> None:
    if inputs.get("mapPublicIpOnLaunch"):
        tools.client("ec2").modify_subnet_attribute(SubnetId=made.id, MapPublicIpOnLaunch={"Value": True})


def _eip(inputs: Properties, response: Properties) -> Made:
    made = _answer("", "AllocationId", "elastic-ip")(inputs, response)
    return Made(id=made.id, outputs={**made.outputs, "allocationId": made.id, "publicIp": response["PublicIp"]})


_SECURITY_GROUP = Realiser(
    create=made_by(
        "ec2",
        "create_security_group",
        {"name": "GroupName", "description": "Description", "vpcId": "VpcId", "tags": _tags("security-group")},
        _answer("", "GroupId", "security-group"),
        constants={"Description": "Managed by Pulumi"},
        afterwards=_group_rules,
    ),
    properties=frozenset({"description", "vpcId", "tags", "ingress", "egress"}),
    name_property="name",
)

NETWORK: dict[str, Realiser] = {
    "aws:ec2/vpc:Vpc": _simple(
        "create_vpc",
        {"cidrBlock": "CidrBlock"},
        _answer("Vpc", "VpcId", "vpc"),
        tagged="vpc",
        further=frozenset({"enableDnsSupport", "enableDnsHostnames"}),
        afterwards=_vpc_attributes,
    ),
    "aws:ec2/internetGateway:InternetGateway": _simple(
        "create_internet_gateway",
        {},
        _answer("InternetGateway", "InternetGatewayId", "internet-gateway"),
        tagged="internet-gateway",
        further=frozenset({"vpcId"}),
        afterwards=_attach_gateway,
    ),
    "aws:ec2/subnet:Subnet": _simple(
        "create_subnet",
        {"vpcId": "VpcId", "cidrBlock": "CidrBlock", "availabilityZone": "AvailabilityZone"},
        _answer("Subnet", "SubnetId", "subnet"),
        tagged="subnet",
        further=frozenset({"mapPublicIpOnLaunch"}),
        afterwards=_public_addresses,
    ),
    "aws:ec2/routeTable:RouteTable": _simple(
        "create_route_table",
        {"vpcId": "VpcId"},
        _answer("RouteTable", "RouteTableId", "route-table"),
        tagged="route-table",
    ),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": _simple(
        "associate_route_table",
        {"subnetId": "SubnetId", "routeTableId": "RouteTableId"},
        _answer("", "AssociationId", "route-table-association"),
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
    "aws:ec2/eip:Eip": _simple("allocate_address", {"domain": "Domain"}, _eip, tagged="elastic-ip"),
    "aws:ec2/natGateway:NatGateway": _simple(
        "create_nat_gateway",
        {"subnetId": "SubnetId", "allocationId": "AllocationId"},
        _answer("NatGateway", "NatGatewayId", "natgateway"),
        tagged="natgateway",
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
        _answer("VpcEndpoint", "VpcEndpointId", "vpc-endpoint"),
        tagged="vpc-endpoint",
    ),
    "aws:ec2/securityGroup:SecurityGroup": _SECURITY_GROUP,
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _rule("ingress"),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _rule("egress"),
}
