"""The network: the emulator keeps it and checks references; packets are neither routed by it nor recorded."""

import hashlib
from collections.abc import Callable
from typing import Any

from rehearsal.errors import RehearsalError
from rehearsal.realisers.realiser import Field, Made, Realiser, made_by
from rehearsal.realisers.tools import Tools
from rehearsal.state import Properties


def _tags(resource_type: str) -> Callable[[Any], Properties]:
    def convert(tags: dict[str, str]) -> Properties:
        listed = [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
        return {"TagSpecifications": [{"ResourceType": resource_type, "Tags": listed}]}

    return convert


def id_at(*path: str) -> Callable[[Properties, Properties], Made]:
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


def _flow_log(_: Properties, response: Properties) -> Made:
    if response.get("Unsuccessful"):
        raise RehearsalError(f"the flow log was refused: {response['Unsuccessful'][0]['Error']['Message']}")
    return Made(id=str(response["FlowLogIds"][0]), outputs={})


def _route(inputs: Properties, _: Properties) -> Made:
    target = inputs.get("destinationCidrBlock", "") + inputs.get("destinationIpv6CidrBlock", "")
    digest = hashlib.sha256(target.encode()).hexdigest()[:8]
    return Made(id=f"r-{inputs['routeTableId']}{digest}", outputs={})


def ec2_resource(
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
    "aws:ec2/vpc:Vpc": ec2_resource(
        "create_vpc",
        {"cidrBlock": "CidrBlock"},
        id_at("Vpc", "VpcId"),
        kind="vpc",
        further=frozenset({"enableDnsSupport", "enableDnsHostnames"}),
        afterwards=_vpc_attributes,
    ),
    "aws:ec2/internetGateway:InternetGateway": ec2_resource(
        "create_internet_gateway",
        {},
        id_at("InternetGateway", "InternetGatewayId"),
        kind="internet-gateway",
        further=frozenset({"vpcId"}),
        afterwards=_attach_gateway,
    ),
    "aws:ec2/subnet:Subnet": ec2_resource(
        "create_subnet",
        {"vpcId": "VpcId", "cidrBlock": "CidrBlock", "availabilityZone": "AvailabilityZone"},
        id_at("Subnet", "SubnetId"),
        kind="subnet",
        further=frozenset({"mapPublicIpOnLaunch"}),
        afterwards=_public_addresses,
    ),
    "aws:ec2/routeTable:RouteTable": ec2_resource(
        "create_route_table",
        {"vpcId": "VpcId"},
        id_at("RouteTable", "RouteTableId"),
        kind="route-table",
    ),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": ec2_resource(
        "associate_route_table",
        {"subnetId": "SubnetId", "routeTableId": "RouteTableId"},
        id_at("AssociationId"),
    ),
    "aws:ec2/route:Route": ec2_resource(
        "create_route",
        {
            "routeTableId": "RouteTableId",
            "destinationCidrBlock": "DestinationCidrBlock",
            "gatewayId": "GatewayId",
            "natGatewayId": "NatGatewayId",
        },
        _route,
    ),
    "aws:ec2/eip:Eip": ec2_resource("allocate_address", {"domain": "Domain"}, _eip, kind="elastic-ip"),
    "aws:ec2/natGateway:NatGateway": ec2_resource(
        "create_nat_gateway",
        {"subnetId": "SubnetId", "allocationId": "AllocationId"},
        id_at("NatGateway", "NatGatewayId"),
        kind="natgateway",
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": ec2_resource(
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
        id_at("VpcEndpoint", "VpcEndpointId"),
        kind="vpc-endpoint",
    ),
    "aws:ec2/flowLog:FlowLog": ec2_resource(
        "create_flow_logs",
        {
            "vpcId": lambda vpc_id: {"ResourceIds": [vpc_id], "ResourceType": "VPC"},
            "trafficType": "TrafficType",
            "logDestinationType": "LogDestinationType",
            "logDestination": "LogDestination",
            "iamRoleArn": "DeliverLogsPermissionArn",
        },
        _flow_log,
        kind="vpc-flow-log",
    ),
}
