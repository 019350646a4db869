"""infra/network.py and infra/security_groups.py: tiers, ways out, and who may talk to whom."""

from __future__ import annotations

import ipaddress
import json

import pulumi
import pytest

from infra.network import Network, NetworkArgs
from infra.security_groups import SecurityGroups, SecurityGroupsArgs
from infra.settings import NetworkSettings
from tests.recorder import ACCOUNT, Recorder, record

ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")


def network(nat_mode: str = "single", zones: tuple[str, ...] = ZONES, *, preview: bool = False) -> Recorder:
    settings = NetworkSettings(zones=zones, cidr="10.20.0.0/16", nat_mode=nat_mode)
    args = NetworkArgs(settings=settings, account_id=ACCOUNT, region="us-east-1", log_retention_days=30)
    recorder = record(lambda: Network("it", args), preview=preview)
    assert recorder.error is None
    return recorder


def test_each_zone_has_a_public_a_private_and_an_isolated_subnet_that_do_not_overlap() -> None:
    subnets = network().of_type("aws:ec2/subnet:Subnet")
    assert {subnet.name for subnet in subnets} == {
        f"it-{tier}-{zone[-1]}" for tier in ("public", "private", "isolated") for zone in ZONES
    }
    blocks = [ipaddress.ip_network(subnet.inputs["cidrBlock"]) for subnet in subnets]
    assert not any(one.overlaps(other) for number, one in enumerate(blocks) for other in blocks[number + 1 :])
    assert all(block.subnet_of(ipaddress.ip_network("10.20.0.0/16")) for block in blocks)  # type: ignore[arg-type]


def test_no_subnet_hands_out_public_addresses_by_itself() -> None:
    assert not any(subnet.inputs.get("mapPublicIpOnLaunch") for subnet in network().of_type("aws:ec2/subnet:Subnet"))


@pytest.mark.parametrize("nat_mode", ["none", "single", "per_zone"])
def test_the_isolated_tier_has_no_route_out(nat_mode: str) -> None:
    routes = network(nat_mode).of_type("aws:ec2/route:Route")
    assert not [route for route in routes if "isolated" in route.inputs["routeTableId"]], "the database has no way out"


@pytest.mark.parametrize(("nat_mode", "gateways"), [("none", 0), ("single", 1), ("per_zone", 3)])
def test_nat_mode_decides_how_many_gateways_there_are_and_every_private_zone_has_its_route(
    nat_mode: str, gateways: int
) -> None:
    recorder = network(nat_mode)
    assert len(recorder.of_type("aws:ec2/natGateway:NatGateway")) == gateways
    routes = [route for route in recorder.of_type("aws:ec2/route:Route") if "private" in route.name]
    assert len(routes) == (len(ZONES) if gateways else 0)
    assert len({route.inputs["natGatewayId"] for route in routes}) == gateways, "each zone uses its own gateway"


def test_a_zone_keeps_its_addresses_when_the_others_change() -> None:
    def blocks(zones: tuple[str, ...]) -> dict[str, str]:
        return {it.name: it.inputs["cidrBlock"] for it in network(zones=zones).of_type("aws:ec2/subnet:Subnet")}

    before, after = blocks(("us-east-1a", "us-east-1c")), blocks(("us-east-1c", "us-east-1b"))
    kept = before.keys() & after.keys()
    assert kept == {"it-public-c", "it-private-c", "it-isolated-c"}
    assert all(before[name] == after[name] for name in kept), "AWS refuses a block that another subnet still holds"


def test_nat_gateways_and_their_addresses_wait_for_the_internet_gateway() -> None:
    recorder = network()
    gateway = recorder.only("aws:ec2/internetGateway:InternetGateway")
    for type_ in ("aws:ec2/natGateway:NatGateway", "aws:ec2/eip:Eip"):
        assert recorder.waits(recorder.only(type_), gateway), "without it they fail for good"


def test_without_nat_tasks_reach_what_they_need_to_start_by_interface_endpoints() -> None:
    endpoints = network("none").of_type("aws:ec2/vpcEndpoint:VpcEndpoint")
    interfaces = {
        endpoint.inputs["serviceName"] for endpoint in endpoints if endpoint.inputs["vpcEndpointType"] == "Interface"
    }
    services = ("ecr.api", "ecr.dkr", "logs", "secretsmanager", "ssmmessages")
    assert interfaces == {f"com.amazonaws.us-east-1.{service}" for service in services}
    assert all(e.inputs["privateDnsEnabled"] for e in endpoints if e.inputs["vpcEndpointType"] == "Interface")


@pytest.mark.parametrize("nat_mode", ["none", "single"])
def test_every_endpoint_says_who_may_use_it(nat_mode: str) -> None:
    for endpoint in network(nat_mode).of_type("aws:ec2/vpcEndpoint:VpcEndpoint"):
        statements = json.loads(endpoint.inputs["policy"])["Statement"]
        assert all("Condition" in s or s["Resource"] != "*" for s in statements), (
            f"{endpoint.name}: AWS's own policy lets anybody do anything"
        )


def test_the_networks_default_security_group_lets_nothing_through() -> None:
    group = network().only("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup").inputs
    assert (group["ingress"], group["egress"]) == ([], []), "whatever names no group is put into it"
    assert group["vpcId"] == "it-vpc-id"


def test_flow_logs_are_made_where_the_stack_file_asks_for_them() -> None:
    def made(*, flow_logs: bool) -> Recorder:
        settings = NetworkSettings(zones=ZONES, cidr="10.20.0.0/16", nat_mode="single", flow_logs=flow_logs)
        args = NetworkArgs(settings=settings, account_id=ACCOUNT, region="us-east-1", log_retention_days=9)
        return record(lambda: Network("it", args))

    recorder = made(flow_logs=True)
    assert recorder.only("aws:ec2/flowLog:FlowLog").inputs["vpcId"] == "it-vpc-id"
    assert recorder.only("aws:cloudwatch/logGroup:LogGroup").inputs["retentionInDays"] == 9
    assert not made(flow_logs=False).of_type("aws:ec2/flowLog:FlowLog"), "they are paid by the gigabyte"


def test_image_layers_come_from_s3_through_a_gateway_endpoint_whatever_the_nat_mode() -> None:
    for nat_mode in ("none", "single"):
        endpoints = network(nat_mode).of_type("aws:ec2/vpcEndpoint:VpcEndpoint")
        gateway = [endpoint for endpoint in endpoints if endpoint.inputs["vpcEndpointType"] == "Gateway"]
        assert len(gateway) == 1, "layers through NAT are paid by the gigabyte"
        assert len(gateway[0].inputs["routeTableIds"]) == len(ZONES)


def test_a_preview_with_unknown_ids_registers_the_same_resources() -> None:
    assert sorted(network(preview=True).names()) == sorted(network().names())


def security_groups(ports: tuple[int, ...] = (80,), outbound: tuple[int, ...] = ()) -> Recorder:
    args = SecurityGroupsArgs(
        vpc_id=pulumi.Output.from_input("vpc-1"),
        listener_ports=ports,
        application_port=8000,
        outbound_ports=outbound,
    )
    recorder = record(lambda: SecurityGroups("it", args))
    assert recorder.error is None
    return recorder


def test_traffic_goes_from_internet_to_balancer_to_tasks_to_database_and_nowhere_else() -> None:
    recorder = security_groups((80, 443))
    ingress = {
        (
            r.inputs.get("cidrIpv4") or r.inputs["referencedSecurityGroupId"],
            r.inputs["securityGroupId"],
            r.inputs["toPort"],
        )
        for r in recorder.of_type("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    }
    assert ingress == {
        ("0.0.0.0/0", "it-balancer-id", 80),
        ("0.0.0.0/0", "it-balancer-id", 443),
        ("it-balancer-id", "it-tasks-id", 8000),
        ("it-tasks-id", "it-database-id", 5432),
    }
    egress = {
        (
            r.inputs["securityGroupId"],
            r.inputs.get("cidrIpv4") or r.inputs["referencedSecurityGroupId"],
            r.inputs["toPort"],
        )
        for r in recorder.of_type("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule")
    }
    assert egress == {
        ("it-balancer-id", "it-tasks-id", 8000),
        ("it-tasks-id", "it-database-id", 5432),
        ("it-tasks-id", "0.0.0.0/0", 443),
    }, "the database starts no connection, and the balancer reaches only tasks"


def test_tasks_and_nobody_else_go_out_on_the_ports_of_the_stack_file() -> None:
    rules = security_groups(outbound=(587, 6514)).of_type("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule")
    out = [rule.inputs for rule in rules if rule.inputs.get("cidrIpv4")]
    assert {(rule["securityGroupId"], rule["fromPort"], rule["toPort"], rule["ipProtocol"]) for rule in out} == {
        ("it-tasks-id", port, port, "tcp") for port in (443, 587, 6514)
    }


def test_groups_hold_no_rules_of_their_own_that_would_fight_with_the_separate_ones() -> None:
    for group in security_groups().of_type("aws:ec2/securityGroup:SecurityGroup"):
        assert "ingress" not in group.inputs
        assert "egress" not in group.inputs
